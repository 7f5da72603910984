import { Command, Option } from 'commander';
import pc from 'picocolors';
import { ConfigError } from '../../components/model/errors';
import { filterDevices, type ListedDevice } from '../observe/tailnet';
import { openVendors } from '../observe/vendors';
import { shortDuration } from './duration';
import { openSettings, withStackOptions, type StackFlags } from './opened-stack';
import { table } from './table';

const HELP = `
Devices with the stack's tags and host names, by host name. Read from Tailscale each time; the service need not run.

  $ worker-pools devices --stack staging --offline

With --json: { "at", "devices": [{ "id", "name", "hostname", "address", "os", "online", "lastSeen" }] }, times in seconds since 1970.
`;

/** The stack's machines as the tailnet has them. */
export function devicesCommand(): Command {
  return withStackOptions(
    new Command('devices').description('the stack’s devices on the tailnet, and whether they are online'),
  )
    .addOption(new Option('--online', 'connected ones only').conflicts('offline'))
    .option('--offline', 'ones that are not connected only')
    .option('--os <name>', 'with this operating system only, e.g. linux')
    .addHelpText('after', HELP)
    .action(async (options: StackFlags & { online?: boolean; offline?: boolean; os?: string }) => {
      const settings = await openSettings(options);
      const { tailnet } = openVendors(settings.environment, settings, () => Date.now() / 1000);
      if (!tailnet) {
        const message = 'is direct: the workers of this stack are on no tailnet';
        throw new ConfigError(
          [{ path: 'worker-pools:access.connectivity', message }],
          'There are no devices to list.',
        );
      }
      const { at, items } = await tailnet.devices({ maxAge: 0 });
      const { online, offline, os } = options;
      const devices = filterDevices(items, {
        ...(online ? { online: true } : {}),
        ...(offline ? { online: false } : {}),
        ...(os === undefined ? {} : { os }),
      });
      const text = options.json ? JSON.stringify({ at, devices }) : devicesText(devices, items.length, at);
      process.stdout.write(`${text}\n`);
    });
}

/** @param all how many there are without the filter  @param at when they were read, seconds since 1970 */
export function devicesText(devices: readonly ListedDevice[], all: number, at: number): string {
  if (all === 0) return 'The stack has no device on the tailnet.';
  if (devices.length === 0) return `None of the stack’s ${all} devices is like that.`;
  const rows = devices.map(({ hostname, name, address, os, online, lastSeen }) => [
    hostname,
    online ? pc.green('online') : pc.yellow('offline'),
    online ? 'now' : `${shortDuration(at - lastSeen)} ago`,
    address,
    os,
    name,
  ]);
  return table(
    ['host name', 'state', 'seen', 'address', 'OS', 'name'].map((head) => ({ head })),
    rows,
  );
}
