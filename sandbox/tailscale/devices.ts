import ipaddr from 'ipaddr.js';
import type { Clock } from '../kernel/clock';
import type { Caller } from './access';
import { badRequest, notFound, tagsNotPermitted } from './errors';
import { NODE_KEY_LIFETIME, sanitizeHostname, uniqueLabel } from './names';
import type { Policy } from './policy';
import type { TailscaleSettings } from './settings';
import type { Device } from './state';
import type { Tailnet } from './tailnet';

/** What the API may do with the machines of the tailnet, which enrol by themselves. */
export class Devices {
  constructor(
    private readonly clock: Clock,
    private readonly settings: TailscaleSettings,
    private readonly policy: Policy,
    private readonly tailnet: Tailnet,
  ) {}

  all(): Promise<Device[]> {
    return this.tailnet.devices();
  }

  /**
   * By node id or by the older numeric id.
   * @throws TailscaleError 404
   */
  async find(id: string): Promise<Device> {
    const device = (await this.all()).find((candidate) => candidate.nodeId === id || candidate.id === id);
    if (!device) throw notFound('device');
    return device;
  }

  async remove(device: Device): Promise<void> {
    await this.tailnet.removeDevice(device);
  }

  async authorize(device: Device, authorized: boolean): Promise<void> {
    await this.tailnet.changeDevice(device, { authorized });
  }

  /** @throws TailscaleError 400 when the caller may not give these tags */
  async setTags(caller: Caller, device: Device, tags: string[]): Promise<void> {
    const permitted =
      tags.every((tag) => this.policy.isTag(tag)) &&
      (caller.owner === 'user' || tags.length === 0 || this.policy.permits(caller.tags, tags));
    if (!permitted) throw badRequest(tagsNotPermitted(tags));
    await this.tailnet.changeDevice(device, { tags });
  }

  /** Takes a label or a full MagicDNS name; an empty one goes back to what the hostname gives. */
  async rename(device: Device, name: string): Promise<void> {
    const others = (await this.all()).filter((other) => other.nodeId !== device.nodeId);
    await this.tailnet.changeDevice(device, { label: this.labelFor(device, name, others) });
  }

  async setKeyExpiry(device: Device, disabled: boolean): Promise<void> {
    const keyExpiresAt = disabled ? undefined : this.clock.now() + NODE_KEY_LIFETIME;
    await this.tailnet.changeDevice(device, { keyExpiresAt });
  }

  /** The vendor's range only; the machine itself goes on answering on the address it enrolled with. */
  async setIpv4(device: Device, address: string): Promise<void> {
    const valid =
      ipaddr.IPv4.isValidFourPartDecimal(address) &&
      ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR('100.64.0.0/10'));
    if (!valid) throw badRequest(`"${address}" is not an address in 100.64.0.0/10`);
    const others = (await this.all()).filter((other) => other.nodeId !== device.nodeId);
    if (others.some(({ ipv4 }) => ipv4 === address)) {
      throw badRequest(`address ${address} is already in use`);
    }
    await this.tailnet.changeDevice(device, { ipv4: address });
  }

  async setRoutes(device: Device, routes: string[]): Promise<void> {
    const bad = routes.find((route) => !ipaddr.isValidCIDR(route));
    if (bad !== undefined) throw badRequest(`invalid route "${bad}"`);
    await this.tailnet.changeDevice(device, { enabledRoutes: routes });
  }

  private labelFor(device: Device, name: string, others: Device[]): string {
    if (name === '') return uniqueLabel(sanitizeHostname(device.hostname), others);
    const suffix = `.${this.settings.tailnetName}`;
    const label = name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
    if (label !== sanitizeHostname(label)) throw badRequest(`invalid machine name "${name}"`);
    if (others.some((other) => other.label === label)) throw badRequest(`name "${label}" is already in use`);
    return label;
  }
}
