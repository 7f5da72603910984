import type * as pulumi from '@pulumi/pulumi';
import * as tailscale from '@pulumi/tailscale';

/** Seconds that a key can be used: a machine joins in its first minutes, or never. */
const KEY_LIFETIME = 3600;
/** Tailscale's limit for a key's description. */
const DESCRIPTION_LIMIT = 50;

/**
 * The key that one machine joins the tailnet with. Single use, so that what the state holds is worthless once the
 * machine is there; it is never made anew, because a machine that has joined needs none.
 */
export function tailnetKey(
  name: string,
  { description, tags }: { description: string; tags: string[] },
  parent: pulumi.Resource,
): tailscale.TailnetKey {
  return new tailscale.TailnetKey(
    name,
    {
      reusable: false,
      ephemeral: true,
      preauthorized: true,
      tags,
      expiry: KEY_LIFETIME,
      description: description.slice(0, DESCRIPTION_LIMIT),
      recreateIfInvalid: 'never',
    },
    {
      parent,
      ignoreChanges: ['reusable', 'ephemeral', 'preauthorized', 'tags', 'expiry', 'description'],
    },
  );
}
