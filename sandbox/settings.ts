import { z } from 'zod';
import { cloudflareSettingsSchema } from './cloudflare';
import { hetznerSettingsSchema } from './hetzner';
import { machineSettingsSchema } from './machines';
import { guestSettingsSchema } from './qemu';
import { tailscaleSettingsSchema } from './tailscale';

/** Clock of the local cloud: wall time times `rate`, or standing still until it is advanced. */
export const clockSettingsSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('real'), rate: z.number().positive().default(1) }),
  z.strictObject({ kind: z.literal('stepped') }),
]);

/** All settings of the local cloud; `parse({})` is a cloud that behaves as the vendors do. */
export const sandboxSettingsSchema = z.strictObject({
  /** The same seed draws the same tokens, ids and boot times. */
  seed: z.int().min(0).default(1),
  clock: clockSettingsSchema.default({ kind: 'real', rate: 1 }),
  hetzner: hetznerSettingsSchema.prefault({}),
  tailscale: tailscaleSettingsSchema.prefault({}),
  /** Remembered by this program, or kept by a real control server that machines join with real clients. */
  tailnetKind: z.enum(['simulated', 'headscale']).default('simulated'),
  cloudflare: cloudflareSettingsSchema.prefault({}),
  /** Played by this program, or real guests of QEMU, which boot real images and live in real time. */
  machineKind: z.enum(['simulated', 'qemu']).default('simulated'),
  machines: machineSettingsSchema.prefault({}),
  guests: guestSettingsSchema.prefault({}),
});

export type SandboxSettings = z.output<typeof sandboxSettingsSchema>;

/** Settings where any field may be left out, at any depth. */
export type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> }
    : T;
