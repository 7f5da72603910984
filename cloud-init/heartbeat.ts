import { runFolder } from './jobs';
import type { WorkerMachine } from './machine';
import { file, programs, quote, settings, type Section } from './section';
import { start } from './steps';

type Service = NonNullable<WorkerMachine['service']>;

/**
 * Registers the worker with the service and then tells it every ten seconds how many jobs run.
 *
 * A service of its own rather than a timer: the back-off is a variable, and systemd writes no lines per beat.
 * It starts as the last step, so a worker whose setup failed never registers. When nobody answers it doubles its
 * pause up to a minute and says so once; after any failure it registers again, in case the service forgot it.
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
  r=$(curl -fsSm10 -K ${curlFile} -d "$me,$2}" ${quote(`${base}/v1/workers/`)}$1 2>&1)
}
w=10
while :; do
  set -- jobs/*
  [ -e "$1" ] || shift
  if { [ $k ] || post register ${quote(`${details},"address":"`)}"$(${address})"'"'; } && k=1 && post heartbeat '"busy":'$#; then
    case $r in
      *'"drain":true'*) : >drain ;;
      *'"drain":false'*) rm -f drain ;;
    esac
    [ $w = 10 ] || echo "the service answers"
    w=10
  else
    k=
    [ $w != 10 ] || echo "no answer, trying on: $r"
    w=$((w < 30 ? w * 2 : 60))
  fi
  sleep $w
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
