import type { WorkerMachine } from './machine';
import { curlFile, curlSettings, identity, type Service, workersUrl } from './service-account';
import { file, programs, type Section } from './section';

/**
 * Tells the service why a worker's set-up failed, with the end of its log: the machine itself is replaced, and nobody
 * could look at it afterwards.
 *
 * A step that fails calls it. A set-up that a reboot broke off is not taken up again; that is said at the next boot, by a
 * unit that the first step enables and the last one disables. systemd starts it again until it was heard.
 */
export function failureReport(worker: WorkerMachine, service: Service): Section {
  return {
    name: 'report',
    files: [
      curlSettings(service),
      file(
        `${programs}/report`,
        `#!/bin/sh
me=${identity(worker)}
log=$(tail -n 40 /var/log/cloud-init-output.log | tail -c 1500 | tr -cd '\\n -~' | sed 's/[\\\\"]/\\\\&/g;s/$/\\\\n/' | tr -d '\\n')
curl -fsSm10 --retry 5 --retry-connrefused -o /dev/null -K ${curlFile} -d "$me,\\"at\\":$(date +%s.%3N),\\"step\\":\\"$1\\",\\"log\\":\\"$log\\"}" ${workersUrl(service)}failed
`,
        '0700',
      ),
      file(
        `${programs}/interrupted`,
        `#!/bin/sh
l="worker-pools: the machine was started anew before its set-up had ended"
grep -qxF "$l" /var/log/cloud-init-output.log || echo "$l" >>/var/log/cloud-init-output.log
${programs}/report interrupted && exec systemctl -q disable --now worker-pools@interrupted
`,
        '0700',
      ),
    ],
    step: 'systemctl -q enable worker-pools@interrupted\n',
  };
}

/** The last step's line that says: what could be broken off has ended. */
export const setUpEnded = 'systemctl -q disable worker-pools@interrupted\n';
