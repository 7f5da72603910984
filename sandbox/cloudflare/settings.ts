import { z } from 'zod';

/** How the local Cloudflare account is set up; `parse({})` gives one free zone, `sandbox.example`. */
export const cloudflareSettingsSchema = z.strictObject({
  /** Names of the account's zones. */
  zones: z
    .array(z.string().regex(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/, 'a zone is a lower-case domain'))
    .min(1)
    .default(['sandbox.example']),
  /** Decides on tags, the length of comments, and the limits below where they are left out. */
  plan: z.enum(['free', 'pro']).default('free'),
  /** Records per zone; the vendor has 200 on free zones and 3500 on paid ones. */
  recordsPerZone: z.number().int().positive().optional(),
  /** Requests per user in five minutes; one more blocks the user for five minutes. */
  requestsPerFiveMinutes: z.number().int().positive().default(1200),
});

export type CloudflareSettings = z.infer<typeof cloudflareSettingsSchema>;

/** What a plan allows. Sources: developers.cloudflare.com/dns/manage-dns-records, "record attributes" and "batch". */
export interface PlanLimits {
  recordsPerZone: number;
  batchOperations: number;
  tagsPerRecord: number;
  commentLength: number;
}

const PLANS: Record<CloudflareSettings['plan'], PlanLimits> = {
  free: { recordsPerZone: 200, batchOperations: 200, tagsPerRecord: 0, commentLength: 100 },
  pro: { recordsPerZone: 3500, batchOperations: 3500, tagsPerRecord: 20, commentLength: 500 },
};

export function planLimits(settings: CloudflareSettings): PlanLimits {
  const plan = PLANS[settings.plan];
  return { ...plan, recordsPerZone: settings.recordsPerZone ?? plan.recordsPerZone };
}
