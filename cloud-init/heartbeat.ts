import { runFolder } from './jobs';
import type { WorkerMachine } from './machine';
import { file, programs, quote, settings, type Section } from './section';
import { start } from './steps';

type Service = NonNullable<WorkerMachine['service']>;

/**
 * Registers the worker with the service and then tells it every ten seconds how many jobs run and for how long.
 *
 * A service of its own rather than a timer: the back-off is a variable, and systemd writes no lines per beat.
 * It starts as the last step, so a worker whose setup failed never registers. When nobody answers it doubles its
 * pause up to a minute and says so once; after any failure it registers again, in case the service forgot it.
 *
 * `at` has milliseconds: the service takes what is not later than the last post for a replay, and a worker beats
 * right after it has registered. Told to drain, it beats again two seconds later: only what it says of its jobs
 * after the order counts. Number and ages come from one look at the jobs, so they always agree.
 */
export function heartbeat(worker: WorkerMachine, { url, token }: Service): Section {
  const { environment, pool, workerId, hostname, slots } = worker;
  const base = url.replace(/\/+$/, '');
  const me = JSON.stringify({ environment, pool, worker: workerId }).slice(0, -1);
  const details = JSON.stringify({ hostname, slots }).slice(1, -1);
  const address = worker.tailscale ? 'tailscale ip -1' : "hostname -I | cut -d' ' -f1";
  return {
    name: 'heartbeat',
    packages: ['curl'],
    files: [
      file(curlFile, curlSettings(token), '0600'),
      file(
        `${programs}/heartbeat`,
        `#!/bin/sh
cd ${runFolder} || exit
me=${quote(me)}
post() {
  r=$(curl -fsSm10 -K ${curlFile} -d "$me,\\"at\\":$(date +%s.%3N),$2}" ${quote(`${base}/v1/workers/`)}$1 2>&1)
}
w=10
while :; do
  n=$(date +%s) b=0 a='' s=10
  for t in $(stat -c %Y jobs/* 2>/dev/null); do
    b=$((b + 1)) a=$a,$((n > t ? n - t : 0))
  done
  if { [ $k ] || post register ${quote(`${details},"address":"`)}"$(${address})"'"'; } && k=1 && post heartbeat '"busy":'$b',"ages":['\${a#,}]; then
    case $r in
      *'"drain":true'*)
        [ -e drain ] || s=2
        : >drain ;;
      *'"drain":false'*) rm -f drain ;;
    esac
    [ $w = 10 ] || echo "the service answers"
    w=10
  else
    k=
    [ $w != 10 ] || echo "no answer, trying on: $r"
    w=$((w < 30 ? w * 2 : 60)) s=$w
  fi
  sleep $s
done
`,
        '0700',
      ),
    ],
    step: start('heartbeat'),
  };
}

const curlFile = `${settings}/curl`;

/** Kept off the command line, which every user can read. Without `location`, the token never follows a redirect. */
function curlSettings(token: string): string {
  const header = `Authorization: Bearer ${token}`.replace(/["\\]/g, '\\$&');
  return `header = "${header}"\nheader = "Content-Type: application/json"\n`;
}
