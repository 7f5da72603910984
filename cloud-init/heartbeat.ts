import { runFolder } from './jobs';
import { setUpEnded } from './failure-report';
import type { WorkerMachine } from './machine';
import { curlFile, identity, type Service, workersUrl } from './service-account';
import { file, programs, quote, type Section } from './section';
import { start } from './steps';

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
export function heartbeat(worker: WorkerMachine, service: Service): Section {
  const { hostname, slots } = worker;
  const details = JSON.stringify({ hostname, slots }).slice(1, -1);
  const address = worker.tailscale ? 'tailscale ip -1' : "hostname -I | cut -d' ' -f1";
  return {
    name: 'heartbeat',
    packages: ['curl'],
    files: [
      file(
        `${programs}/heartbeat`,
        `#!/bin/sh
cd ${runFolder} || exit
me=${identity(worker)}
post() {
  r=$(curl -fsSm10 -K ${curlFile} -d "$me,\\"at\\":$(date +%s.%3N),$2}" ${workersUrl(service)}$1 2>&1)
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
    step: start('heartbeat') + setUpEnded,
  };
}
