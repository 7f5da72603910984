import type { Raw } from '../engine/configs';

/**
 * What a worker's container does: takes jobs one by one, as docs/machines.md says how, and writes down the machine that did
 * them. The kernel's boot id is the same in a container and on its machine.
 */
const PROGRAM = `
run=/run/worker-pools
sql() { psql -qAtX "$QUEUE_URL" -v ON_ERROR_STOP=1 -c "$1"; }
while :; do
  sleep 1
  [ ! -e $run/drain ] || continue
  mark=$(mktemp $run/jobs/job-XXXXXX)
  if [ ! -e $run/drain ]; then
    machine=$(cat /proc/sys/kernel/random/boot_id)
    id=$(sql "update jobs set state = 'taken', machine = '$machine' where id = (select id from jobs where pool = '$POOL' and state = 'new' order by id limit 1 for update skip locked) returning id")
    if [ -n "$id" ]; then
      sleep 3
      sql "update jobs set state = 'done' where id = $id"
    fi
  fi
  rm -f "$mark"
done
`;

/** The container of a pool whose workers take its jobs. */
export function jobWorker(pool: string, image: string, queueUrl: string): Raw {
  return { image, env: { POOL: pool, QUEUE_URL: queueUrl }, args: ['sh', '-c', PROGRAM], stopGrace: 5 };
}
