import ipaddr from 'ipaddr.js';
import type { AddressPool, TailnetDevice, TailnetHost } from '../kernel/lifecycle';
import type { Kernel } from '../kernel/vendor';
import type { Caller } from './access';
import { badRequest, notFound, tagsNotPermitted } from './errors';
import { hex, numericId, unused, vendorId } from './identifiers';
import type { AuthKeys } from './keys';
import { sanitizeHostname, uniqueLabel } from './names';
import type { Policy } from './policy';
import type { TailscaleSettings } from './settings';
import type { Device, Store } from './state';

const REMOVE = 'tailscale.device.remove';
/** Milliseconds: the node key of an untagged device lives 180 days. */
const NODE_KEY_LIFETIME = 180 * 86_400_000;

/** The machines of the tailnet: they enrol by themselves, and the API changes and deletes them. */
export class Devices implements TailnetHost {
  constructor(
    private readonly kernel: Kernel,
    private readonly settings: TailscaleSettings,
    private readonly store: Store,
    private readonly policy: Policy,
    private readonly keys: AuthKeys,
    private readonly addresses: AddressPool,
  ) {
    kernel.schedule.on(REMOVE, (nodeId) => this.remove(nodeId));
  }

  enrol(request: { authKey: string; hostname: string; advertiseTags: string[]; os: string }): TailnetDevice {
    const key = this.keys.spend(request.authKey, request.advertiseTags);
    const { clock, random } = this.kernel;
    const known = Object.values(this.store.state.devices);
    const now = clock.now();
    const address = this.addresses.take();
    const device: Device = {
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
    return { nodeId: device.nodeId, name: this.nameOf(device), addresses: [device.ipv4, device.ipv6] };
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

  nameOf(device: Device): string {
    return `${device.label}.${this.settings.tailnetName}`;
  }

  all(): Device[] {
    return Object.values(this.store.state.devices);
  }

  /**
   * By node id or by the older numeric id.
   * @throws TailscaleError 404
   */
  find(id: string): Device {
    const device = this.store.state.devices[id] ?? this.all().find((candidate) => candidate.id === id);
    if (!device) throw notFound('device');
    return device;
  }

  remove(nodeId: string): void {
    const device = this.store.state.devices[nodeId];
    if (!device) return;
    this.kernel.schedule.cancel(nodeId, REMOVE);
    this.addresses.release(device.pooledAddress);
    delete this.store.state.devices[nodeId];
  }

  /** @throws TailscaleError 400 when the caller may not give these tags */
  setTags(caller: Caller, device: Device, tags: string[]): void {
    const permitted =
      tags.every((tag) => this.policy.isTag(tag)) &&
      (caller.owner === 'user' || tags.length === 0 || this.policy.permits(caller.tags, tags));
    if (!permitted) throw badRequest(tagsNotPermitted(tags));
    device.tags = tags;
  }

  /** Takes a label or a full MagicDNS name; an empty one goes back to what the hostname gives. */
  rename(device: Device, name: string): void {
    const others = this.all().filter((other) => other !== device);
    if (name === '') {
      device.label = uniqueLabel(sanitizeHostname(device.hostname), others);
      return;
    }
    const suffix = `.${this.settings.tailnetName}`;
    const label = name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
    if (label !== sanitizeHostname(label)) throw badRequest(`invalid machine name "${name}"`);
    if (others.some((other) => other.label === label)) throw badRequest(`name "${label}" is already in use`);
    device.label = label;
  }

  setKeyExpiry(device: Device, disabled: boolean): void {
    device.keyExpiresAt = disabled ? undefined : this.kernel.clock.now() + NODE_KEY_LIFETIME;
  }

  /** The vendor's range only; the machine itself goes on answering on the address it enrolled with. */
  setIpv4(device: Device, address: string): void {
    const valid =
      ipaddr.IPv4.isValidFourPartDecimal(address) &&
      ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR('100.64.0.0/10'));
    if (!valid) throw badRequest(`"${address}" is not an address in 100.64.0.0/10`);
    if (this.all().some((other) => other !== device && other.ipv4 === address)) {
      throw badRequest(`address ${address} is already in use`);
    }
    device.ipv4 = address;
  }

  setRoutes(device: Device, routes: string[]): void {
    const bad = routes.find((route) => !ipaddr.isValidCIDR(route));
    if (bad !== undefined) throw badRequest(`invalid route "${bad}"`);
    device.enabledRoutes = routes;
  }
}

/** One group of an IPv6 address without a leading zero, so that the text is already canonical. */
function drawGroup(random: Kernel['random']): string {
  return random.text(1, '123456789abcdef') + hex(random, 3);
}
