import type { OperatingSystem, Tailscale } from './machine';
import { file, quote, type Section } from './section';

/** Not on the disk, and removed as soon as it was used. */
const keyFile = '/run/worker-pools.key';

/**
 * Joins the tailnet with the vendor's signed package. The key is read from a file, never from a command line.
 * `up` may be tried again: once the machine is registered, a later try needs no key. "backend error" is what the control
 * server has said, such as that the key is used: a later try would wait for nothing and not be told again.
 */
export function tailscale(settings: Tailscale, hostname: string, os: OperatingSystem): Section {
  const { authKey, tags, packages, loginServer } = settings;
  const flags = [
    `--auth-key=file:${keyFile}`,
    '--timeout=60s',
    `--hostname=${hostname}`,
    ...(tags.length > 0 ? [`--advertise-tags=${tags.join(',')}`] : []),
    ...(loginServer === undefined ? [] : [`--login-server=${loginServer}`]),
  ];
  return {
    name: 'tailscale',
    files: [file(keyFile, authKey, '0600')],
    packages: ['tailscale'],
    repository: {
      name: 'tailscale',
      url: `${packages.replace(/\/+$/, '')}/${os.distribution}`,
      suite: os.suite,
    },
    step: `said=/run/worker-pools.tailscale
for pause in 5 10 15 20 0; do
  timeout 90 tailscale up ${flags.map(quote).join(' ')} >$said 2>&1 && break
  cat $said
  if [ $pause = 0 ] || grep -q 'backend error' $said; then exit 1; fi
  sleep $pause
done
rm ${keyFile}
`,
  };
}
