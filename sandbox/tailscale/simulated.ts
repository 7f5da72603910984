import type { AddressPool, TailnetDevice } from '../kernel/lifecycle';
import type { Kernel } from '../kernel/vendor';
import { credential, hex, numericId, unused, vendorId } from './identifiers';
import { nameOf, NODE_KEY_LIFETIME, sanitizeHostname, uniqueLabel } from './names';
import type { TailscaleSettings } from './settings';
import type { AuthKey, Device, SimulatedDevice, Store } from './state';
import type { DeviceChanges, EnrolmentRequest, Tailnet } from './tailnet';

const REMOVE = 'tailscale.device.remove';

/** A tailnet that is only remembered: the machines on it are played, too. */
export class SimulatedTailnet implements Tailnet {
  constructor(
    private readonly kernel: Kernel,
    private readonly settings: TailscaleSettings,
    private readonly store: Store,
    private readonly addresses: AddressPool,
  ) {
    kernel.schedule.on(REMOVE, (nodeId) => this.remove(nodeId));
  }

  async issueKey(key: Omit<AuthKey, 'secret'>): Promise<string> {
    return credential(this.kernel.random, 'auth', key.id);
  }

  async revokeKey(): Promise<void> {}

  async spentKeys(): Promise<string[]> {
    return [];
  }

  async devices(): Promise<Device[]> {
    return this.lastKnownDevices();
  }

  lastKnownDevices(): Device[] {
    return Object.values(this.store.state.devices);
  }

  async removeDevice(device: Device): Promise<void> {
    this.remove(device.nodeId);
  }

  async changeDevice(device: Device, changes: DeviceChanges): Promise<void> {
    Object.assign(device, changes);
  }

  async applyPolicy(): Promise<void> {}

  enrol(request: EnrolmentRequest, spend: () => AuthKey): TailnetDevice {
    const key = spend();
    const { clock, random } = this.kernel;
    const known = Object.values(this.store.state.devices);
    const now = clock.now();
    const address = this.addresses.take();
    const device: SimulatedDevice = {
      nodeId: vendorId(random, 'n', (id) => id in this.store.state.devices),
      id: numericId(random, (id) => known.some((other) => other.id === id)),
      hostname: request.hostname,
      label: uniqueLabel(sanitizeHostname(request.hostname), known),
      ipv4: address,
      ipv6: unused(
        () => `fd7a:115c:a1e0::${drawGroup(random)}:${drawGroup(random)}`,
        (candidate) => known.some((other) => other.ipv6 === candidate),
      ),
      pooledAddress: address,
      os: request.os,
      tags: key.tags,
      authorized: key.preauthorized || !this.settings.deviceApproval,
      ephemeral: key.ephemeral,
      online: true,
      createdAt: now,
      lastSeenAt: now,
      // Tagged devices have no key expiry.
      keyExpiresAt: key.tags.length > 0 ? undefined : now + NODE_KEY_LIFETIME,
      machineKey: `mkey:${hex(random, 64)}`,
      nodeKey: `nodekey:${hex(random, 64)}`,
      advertisedRoutes: [],
      enabledRoutes: [],
    };
    this.store.state.devices[device.nodeId] = device;
    return {
      nodeId: device.nodeId,
      name: nameOf(device, this.settings),
      addresses: [device.ipv4, device.ipv6],
    };
  }

  setOnline(nodeId: string, online: boolean): void {
    const device = this.store.state.devices[nodeId];
    if (!device || device.online === online) return;
    device.online = online;
    device.lastSeenAt = this.kernel.clock.now();
    this.kernel.schedule.cancel(nodeId, REMOVE);
    if (!online && device.ephemeral) {
      this.kernel.schedule.after(this.settings.ephemeralRemovalAfter * 1000, REMOVE, nodeId);
    }
  }

  logout(nodeId: string): void {
    const device = this.store.state.devices[nodeId];
    if (!device) return;
    if (device.ephemeral) return this.remove(nodeId);
    this.setOnline(nodeId, false);
    device.keyExpiresAt = this.kernel.clock.now();
  }

  async reset(): Promise<void> {
    for (const nodeId of Object.keys(this.store.state.devices)) this.remove(nodeId);
  }

  private remove(nodeId: string): void {
    const device = this.store.state.devices[nodeId];
    if (!device) return;
    this.kernel.schedule.cancel(nodeId, REMOVE);
    this.addresses.release(device.pooledAddress);
    delete this.store.state.devices[nodeId];
  }
}

/** One group of an IPv6 address without a leading zero, so that the text is already canonical. */
function drawGroup(random: Kernel['random']): string {
  return random.text(1, '123456789abcdef') + hex(random, 3);
}
