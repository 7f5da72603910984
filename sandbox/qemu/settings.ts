import { z } from 'zod';

/** How guests are made; every field has a default. */
export const guestSettingsSchema = z.strictObject({
  /** Images that are made when the sandbox starts; others when a server of theirs first starts. */
  images: z.array(z.string()).default(['debian-12']),
  processors: z.int().min(1).default(2),
  memoryMegabytes: z.int().min(256).default(1024),
  /** Guests of these names start with a clock that is wrong by so many seconds: a hypervisor with a wrong clock. */
  clockOffsetSeconds: z.record(z.string(), z.int()).default({}),
});

export type GuestSettings = z.output<typeof guestSettingsSchema>;
