import type { OperatingSystem, Tailscale } from './machine';
import { file, quote, type Section } from './section';

/** Outside the disk, so that a reboot leaves nothing; removed as soon as it was used. */
const keyFile = '/run/worker-pools.key';

/**
 * Joins the tailnet with the vendor's signed package. The key is read from a file, never from a command line.
 * `up` is tried again: once the machine is registered, a later try needs no key.
 */
export function tailscale(
  { authKey, tags, packages, loginServer }: Tailscale,
  hostname: string,
  os: OperatingSystem,
): Section {
  const repository = `${packages.replace(/\/+$/, '')}/${os.distribution}`;
  const flags = [
    `--auth-key=file:${keyFile}`,
    '--timeout=60s',
    `--hostname=${hostname}`,
    ...(tags.length > 0 ? [`--advertise-tags=${tags.join(',')}`] : []),
    ...(loginServer === undefined ? [] : [`--login-server=${loginServer}`]),
  ];
  return {
    name: 'tailscale',
    files: [file(keyFile, '0600', authKey)],
    packages: ['tailscale'],
    repository: {
      name: 'tailscale',
      keyUrl: `${repository}/${os.suite}.noarmor.gpg`,
      url: repository,
      suite: os.suite,
    },
    step: `try 90 tailscale up ${flags.map(quote).join(' ')}\nrm -f ${keyFile}\n`,
  };
}
