import type { TailscaleSettings } from './settings';
import type { Device } from './state';

/** Milliseconds: the node key of an untagged device lives 180 days. */
export const NODE_KEY_LIFETIME = 180 * 86_400_000;

/** A device's MagicDNS name. */
export function nameOf(device: Device, settings: TailscaleSettings): string {
  return `${device.label}.${settings.tailnetName}`;
}

/** A hostname as the first label of a MagicDNS name: lower case, only letters, digits and inner hyphens, at most 63. */
export function sanitizeHostname(hostname: string): string {
  const label = hostname
    .toLowerCase()
    .replace(/\.(local|localdomain|lan)$/, '')
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  return label === '' ? 'device' : label;
}

/** The label itself, or with -1, -2, … where devices have it already. */
export function uniqueLabel(label: string, devices: { label: string }[]): string {
  const taken = new Set(devices.map((device) => device.label));
  if (!taken.has(label)) return label;
  for (let serial = 1; ; serial += 1) {
    const suffix = `-${serial}`;
    const candidate = label.slice(0, 63 - suffix.length) + suffix;
    if (!taken.has(candidate)) return candidate;
  }
}
