import { EnrolmentRefusedError, type TailnetDevice } from '../kernel/lifecycle';
import { badRequest } from '../tailscale/errors';
import type { AuthKey, Device } from '../tailscale/state';
import type { DeviceChanges, Tailnet } from '../tailscale/tailnet';
import type { HeadscaleClient, HeadscaleNode } from './client';
import { headscalePolicy } from './policy';

/** The one person of the tailnet, to whom headscale's keys belong. */
export const PERSON = 'sandbox@';

/** A tailnet that headscale keeps: machines join it by themselves, with the keys made here. */
export class HeadscaleTailnet implements Tailnet {
  private known: Device[] = [];

  constructor(
    private readonly headscale: HeadscaleClient,
    private readonly userId: string,
    private readonly firstPolicy: Record<string, unknown>,
  ) {}

  async issueKey(key: Omit<AuthKey, 'secret'>): Promise<string> {
    return this.headscale.createKey({
      user: this.userId,
      reusable: key.reusable,
      ephemeral: key.ephemeral,
      expiration: new Date(key.createdAt + key.expirySeconds * 1000).toISOString(),
      aclTags: key.tags,
    });
  }

  async revokeKey(secret: string): Promise<void> {
    await this.headscale.expireKey(this.userId, secret);
  }

  async spentKeys(): Promise<string[]> {
    const keys = await this.headscale.keys(this.userId);
    return keys.filter(({ used, reusable }) => used && !reusable).map(({ key }) => key);
  }

  async devices(): Promise<Device[]> {
    this.known = (await this.headscale.nodes()).map(deviceOf);
    return this.known;
  }

  lastKnownDevices(): Device[] {
    return this.known;
  }

  async removeDevice(device: Device): Promise<void> {
    try {
      await this.headscale.deleteNode(device.id);
    } catch (error) {
      // An ephemeral machine that was just switched off goes by itself.
      if ((await this.headscale.nodes()).some(({ id }) => id === device.id)) throw error;
    }
  }

  async changeDevice(device: Device, changes: DeviceChanges): Promise<void> {
    if (changes.ipv4 !== undefined) throw notThere('choosing an address');
    if (changes.authorized === false) throw notThere('taking back an approval');
    if (changes.keyExpiresAt !== undefined) throw notThere('an expiry of node keys');
    if (changes.tags) await this.headscale.setTags(device.id, changes.tags);
    if (changes.label !== undefined) await this.headscale.rename(device.id, changes.label);
    if (changes.enabledRoutes) await this.headscale.approveRoutes(device.id, changes.enabledRoutes);
  }

  async applyPolicy(policy: Record<string, unknown>): Promise<void> {
    await this.headscale.setPolicy(headscalePolicy(policy, PERSON));
  }

  enrol(): TailnetDevice {
    throw new EnrolmentRefusedError(
      'the tailnet is a real one and this machine is played: start the sandbox with --machines qemu',
    );
  }

  setOnline(): void {}

  logout(): void {}

  async reset(): Promise<void> {
    for (const { id } of await this.headscale.nodes()) await this.headscale.deleteNode(id);
    for (const { key } of await this.headscale.keys(this.userId))
      await this.headscale.expireKey(this.userId, key);
    this.known = [];
    await this.applyPolicy(this.firstPolicy);
  }
}

function deviceOf(node: HeadscaleNode): Device {
  const expiry = timeOf(node.expiry);
  const tags = [...new Set([...node.forcedTags, ...node.validTags])];
  return {
    nodeId: `n${node.id.padStart(11, '0')}CNTRL`,
    id: node.id,
    hostname: node.name,
    label: node.givenName,
    ipv4: node.ipAddresses.find((address) => !address.includes(':')) ?? '',
    ipv6: node.ipAddresses.find((address) => address.includes(':')) ?? '',
    os: 'linux',
    tags,
    authorized: true,
    ephemeral: node.preAuthKey?.ephemeral ?? false,
    online: node.online,
    createdAt: timeOf(node.createdAt) ?? 0,
    lastSeenAt: timeOf(node.lastSeen) ?? timeOf(node.createdAt) ?? 0,
    keyExpiresAt: tags.length > 0 ? undefined : expiry,
    machineKey: node.machineKey,
    nodeKey: node.nodeKey,
    advertisedRoutes: node.availableRoutes,
    enabledRoutes: node.approvedRoutes,
  };
}

/** Milliseconds; undefined for nothing and for Go's zero time. */
function timeOf(text: string | null | undefined): number | undefined {
  const at = Date.parse(text ?? '');
  return at > 0 ? at : undefined;
}

const notThere = (what: string): Error => badRequest(`${what} is not part of the sandbox's real tailnet`);
