import { deleteDevice, listDevices, readDevice, type Device } from '../../components/checks/devices';
import { physicalName } from '../../components/model/names';
import { VendorError, type Caller } from '../../components/preflight/http';
import { SERVICES_PATIENCE } from '../../components/preflight/patience';
import { authorise } from '../../components/preflight/tailscale';
import type { TailscaleCredentials } from '../../components/preflight/tailscale-credentials';
import { NotOursError } from './cloud';
import type { Dated, TailnetDevice } from './types';

/** A device with what people want to see of it. */
export interface ListedDevice extends TailnetDevice {
  /** With the tailnet's domain. */
  readonly name: string;
  readonly os: string;
  readonly online: boolean;
}

/** The stack's devices on the tailnet. */
export interface Tailnet {
  /**
   * All with the stack's tags and host name prefix, by host name.
   * @param options.maxAge seconds that the list may be old, five minutes by default; 0 reads it anew
   * @throws VendorError
   */
  devices(options?: { maxAge?: number }): Promise<Dated<ListedDevice>>;
  /**
   * Takes a device off the tailnet, after a last look at it.
   * @returns `gone` where it was off already
   * @throws NotOursError when it is another one or connected; VendorError
   */
  remove(id: string, expectedHostname: string): Promise<'removed' | 'gone'>;
}

export interface TailnetAccess {
  /** The stack's name: the beginning of its host names. */
  readonly environment: string;
  /** Those that every worker has. */
  readonly tags: readonly string[];
  /** Seconds since 1970. */
  readonly now: () => number;
  /** Patience, signal and, in tests, the wait. */
  readonly caller?: Omit<Caller, 'now'>;
}

const MAX_AGE = 300;
/** A token lives an hour (Tailscale, "OAuth clients"); a new one is fetched in good time. */
const TOKEN_AGE = 3000;

/** Opens the tailnet; nothing is read yet. */
export function openTailnet(
  credentials: TailscaleCredentials,
  { environment, tags, now, caller: given }: TailnetAccess,
): Tailnet {
  const caller: Caller = { patience: SERVICES_PATIENCE, ...given, now: () => now() * 1000 };
  const hasOurTags = (device: Device): boolean => tags.every((tag) => device.tags.includes(tag));
  let token: { headers: Record<string, string>; at: number } | undefined;
  let cached: Dated<ListedDevice> | undefined;
  let reading: Promise<Dated<ListedDevice>> | undefined;
  const forget = (id: string): void => {
    if (cached) cached = { ...cached, items: cached.items.filter((device) => device.id !== id) };
  };

  /** A token that was withdrawn meanwhile is replaced once. */
  const authorised = async <T>(call: (headers: Record<string, string>) => Promise<T>): Promise<T> => {
    const known = token !== undefined && now() - token.at < TOKEN_AGE;
    if (!known) token = { headers: await authorise(credentials, caller), at: now() };
    return call(token!.headers).catch(async (error: unknown) => {
      if (!known || !(error instanceof VendorError) || error.status !== 401) throw error;
      token = { headers: await authorise(credentials, caller), at: now() };
      return call(token.headers);
    });
  };

  const read = async (): Promise<Dated<ListedDevice>> => {
    const all = await authorised((headers) => listDevices(credentials, headers, caller));
    const at = now();
    const items = all
      .filter((device) => hasOurTags(device) && device.hostname.startsWith(physicalName(environment, '')))
      .map((device) => listed(device, at))
      .sort((a, b) => a.hostname.localeCompare(b.hostname) || a.name.localeCompare(b.name));
    cached = { at, items };
    return cached;
  };

  return {
    async devices({ maxAge = MAX_AGE } = {}) {
      if (cached && maxAge > 0 && now() - cached.at <= maxAge) return cached;
      reading ??= read().finally(() => (reading = undefined));
      return reading;
    },

    async remove(id, expectedHostname) {
      const outcome = await authorised(async (headers) => {
        const device = await readDevice(credentials, headers, id, caller);
        refuseUnless(device, expectedHostname, tags, hasOurTags(device));
        await deleteDevice(credentials, headers, id, caller);
        return 'removed' as const;
      }).catch((error: unknown) => {
        if (error instanceof VendorError && error.status === 404) return 'gone' as const;
        throw error;
      });
      forget(id);
      return outcome;
    },
  };
}

/** What people filter a list by; everything where nothing is given. */
export function filterDevices(
  devices: readonly ListedDevice[],
  { online, os }: { online?: boolean; os?: string },
): ListedDevice[] {
  return devices.filter(
    (device) =>
      (online === undefined || device.online === online) &&
      (os === undefined || device.os.toLowerCase() === os.toLowerCase()),
  );
}

function listed(device: Device, at: number): ListedDevice {
  const { nodeId, name, hostname, addresses, os, connectedToControl: online, lastSeen } = device;
  const seen = Date.parse(lastSeen ?? '') / 1000;
  return {
    id: nodeId,
    name,
    hostname,
    address: addresses[0]!,
    os,
    online,
    // Connected ones are seen now; of one that never said so, nothing may be concluded.
    lastSeen: online || Number.isNaN(seen) ? at : seen,
  };
}

/** @throws NotOursError */
function refuseUnless(
  { hostname, nodeId, connectedToControl }: Device,
  expected: string,
  tags: readonly string[],
  isTagged: boolean,
): void {
  const wrong =
    hostname !== expected
      ? `is ${hostname} and not ${expected}`
      : !isTagged
        ? `(${hostname}) lacks the tags ${tags.join(', ')}`
        : connectedToControl
          ? `(${hostname}) is connected again`
          : undefined;
  if (wrong !== undefined) throw new NotOursError(`tailnet device ${nodeId} ${wrong}; it was left alone`);
}
