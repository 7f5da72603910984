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
    file(`${folder}/${10 + index}-${name}`, '0700', `#!/bin/sh\n. ${programs}/step\n${step}`),
  );
}

/** What every step begins with, and the unit under which the machine's own programs run. */
export function runtime(stopGrace: number): Section {
  return {
    name: 'runtime',
    files: [
      file(`${programs}/step`, '0644', prelude),
      file('/etc/systemd/system/worker-pools@.service', '0644', unit(stopGrace)),
    ],
  };
}

const prelude = `me=\${0##*/}
f=/run/worker-pools.failed
if [ -e $f ]; then
  echo "worker-pools: $me: skipped, $(cat $f) failed"
  exit 0
fi
trap '[ $? = 0 ] || { echo $me >$f; echo "worker-pools: $me: failed, see the lines above" >&2; }' EXIT
set -e
echo "worker-pools: $me"
try() {
  t=$1 n=1
  shift
  until timeout $t "$@"; do
    echo "worker-pools: $me: try $n of 5 failed: $*" >&2
    [ $n -lt 5 ] || return 1
    sleep $((n * 5))
    n=$((n + 1))
  done
}
`;

/** The container's own grace ends before systemd's. */
const unit = (stopGrace: number) => `[Unit]
After=network-online.target docker.service
Wants=network-online.target
[Service]
ExecStart=${programs}/%i
Restart=always
RestartSec=5
TimeoutStopSec=${stopGrace + 10}
[Install]
WantedBy=multi-user.target
`;
