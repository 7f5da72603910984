import type { TailnetDevice } from '../kernel/lifecycle';
import type { AuthKey, Device } from './state';

/** What of a device can be changed. */
export type DeviceChanges = Partial<
  Pick<Device, 'authorized' | 'enabledRoutes' | 'ipv4' | 'keyExpiresAt' | 'label' | 'tags'>
>;

/** A machine that the sandbox plays asks to join. */
export interface EnrolmentRequest {
  hostname: string;
  os: string;
}

/**
 * The tailnet behind the API: it lets machines in and knows them. What callers may ask, and how they are answered, is
 * the API's own affair, so that it is the same for every kind of tailnet.
 */
export interface Tailnet {
  /** Makes a key with which machines join as it says, and gives its secret. */
  issueKey(key: Omit<AuthKey, 'secret'>): Promise<string>;
  revokeKey(secret: string): Promise<void>;
  /** Secrets of single-use keys with which a machine has joined since. */
  spentKeys(): Promise<string[]>;

  devices(): Promise<Device[]>;
  /** As `devices` gave them last, where they live elsewhere. */
  lastKnownDevices(): Device[];
  removeDevice(device: Device): Promise<void>;
  /** @throws TailscaleError where this kind of tailnet has no such thing */
  changeDevice(device: Device, changes: DeviceChanges): Promise<void>;

  /** @throws TailscaleError 400 where this kind of tailnet cannot follow the policy */
  applyPolicy(policy: Record<string, unknown>): Promise<void>;

  /**
   * Lets a machine in that the sandbox plays, with the key that `spend` takes for it.
   * @throws EnrolmentRefusedError
   */
  enrol(request: EnrolmentRequest, spend: () => AuthKey): TailnetDevice;
  setOnline(nodeId: string, online: boolean): void;
  logout(nodeId: string): void;

  /** No keys, no devices, the first policy. */
  reset(): Promise<void>;
}
