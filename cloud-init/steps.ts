import { file, programs, type Section, type WriteFile } from './section';

/** Where cloud-init looks for programs to run once, in the order of their names, late in the first boot. */
const folder = '/var/lib/cloud/scripts/per-instance';

/**
 * The steps of all sections as numbered programs. cloud-init runs every one of them whatever happens, and names
 * those that fail in its status; so after a failure the later ones end at once, and the status names the cause.
 */
export function steps(sections: readonly Section[]): WriteFile[] {
  const withStep = sections.flatMap(({ name, step }) => (step === undefined ? [] : [{ name, step }]));
  return withStep.map(({ name, step }, index) =>
    file(`${folder}/${10 + index}-${name}`, `#!/bin/sh\n. ${programs}/step\n${step}`, '0700'),
  );
}

/** The line of a step that starts one of the machine's own programs, now and at every boot. */
export function start(program: string): string {
  return `systemctl -q enable --now worker-pools@${program}\n`;
}

/** What every step begins with, and the unit under which the machine's own programs run. */
export function runtime(): Section {
  return {
    name: 'runtime',
    files: [file(`${programs}/step`, prelude), file('/etc/systemd/system/worker-pools@.service', unit)],
  };
}

const prelude = `n=\${0##*/} f=/run/worker-pools.failed
[ ! -e $f ] || exit 0
trap '[ $? = 0 ] || {
  echo "worker-pools: $n failed, see above" | tee $f
  [ ! -x ${programs}/report ] || ${programs}/report $n
}' EXIT
set -e
echo "worker-pools: $n"
try() {
  t=$1 i=1
  shift
  until timeout $t "$@"; do
    echo "worker-pools: $n failed ($i of 5): $*"
    [ $i -lt 5 ] || return 1
    sleep $((i * 5))
    i=$((i + 1))
  done
}
`;

const unit = `[Unit]
After=network-online.target docker.service
[Service]
ExecStart=${programs}/%i
Restart=always
RestartSec=5
[Install]
WantedBy=multi-user.target
`;
