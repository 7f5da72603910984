import { z } from 'zod';

const tag = z.string().regex(/^tag:[a-zA-Z][a-zA-Z0-9-]*$/, 'a tag is "tag:" and letters, digits or hyphens');

const oauthClient = z.strictObject({
  description: z.string().default(''),
  /** As in the admin console: `auth_keys`, `devices:core`, `policy_file`, each also with `:read`; or `all`. */
  scopes: z.array(z.string()).default(['auth_keys', 'devices:core', 'policy_file']),
  tags: z.array(tag).default(['tag:worker']),
});

/** How the local tailnet is set up; `parse({})` gives a tailnet that suits worker pools. */
export const tailscaleSettingsSchema = z
  .strictObject({
    /** What MagicDNS names end in; also accepted as the tailnet's name in URLs, beside `-`. */
    tailnetName: z.string().default('sandbox.ts.net'),
    /** The first is the one that `Tailscale.oauthClient` shows. */
    oauthClients: z
      .array(oauthClient)
      .min(1)
      .default(() => [oauthClient.parse({ description: 'workers' })]),
    /** Who may use which tag; an OAuth client counts as its tags. Written into the first policy file. */
    tagOwners: z.record(tag, z.array(z.string())).default({ 'tag:worker': ['autogroup:admin'] }),
    /** The first policy file as HuJSON; replaces what is made from `tagOwners`. */
    policy: z.string().optional(),
    /** Whether an API key of an admin exists beside the OAuth clients. */
    enableApiKey: z.boolean().default(false),
    /** Whether devices need approval unless their key is pre-authorised. On, so that a forgotten `preauthorized` shows. */
    deviceApproval: z.boolean().default(true),
    /** Seconds from going offline until an ephemeral device is removed; the vendor takes 30 to 60 minutes. */
    ephemeralRemovalAfter: z.number().nonnegative().default(2700),
    /** Seconds that a used or expired key can still be read, as `invalid: true`, before it answers 404. */
    deadKeysReadableFor: z
      .number()
      .nonnegative()
      .default(7 * 86_400),
  })
  .superRefine(({ oauthClients, tagOwners, policy }, context) => {
    if (policy !== undefined) return;
    oauthClients.forEach((client, index) => {
      for (const unowned of client.tags.filter((name) => !(name in tagOwners))) {
        context.addIssue({
          code: 'custom',
          path: ['oauthClients', index, 'tags'],
          message: `${unowned} is not in tagOwners: add it there or take it from the client`,
        });
      }
    });
  });

export type TailscaleSettings = z.infer<typeof tailscaleSettingsSchema>;
