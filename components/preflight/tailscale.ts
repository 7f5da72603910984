import { z } from 'zod';
import type { TailscaleCredentials } from './credentials';
import { requestJson } from './http';

const errorMessage = (body: unknown): string | undefined =>
  z.object({ message: z.string() }).safeParse(body).data?.message ??
  z.object({ error_description: z.string() }).safeParse(body).data?.error_description;

/** Header that authorises calls; for an OAuth client a token of one hour is fetched first. @throws VendorError */
export async function authorise(credentials: TailscaleCredentials): Promise<Record<string, string>> {
  const { url, oauthClientId, oauthClientSecret, apiKey } = credentials;
  if (apiKey !== undefined) return { authorization: `Bearer ${apiKey}` };
  const answer = await requestJson({
    vendor: 'Tailscale',
    url: `${url}/api/v2/oauth/token`,
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: oauthClientId ?? '',
      client_secret: oauthClientSecret ?? '',
    }),
    errorMessage,
  });
  return { authorization: `Bearer ${z.object({ access_token: z.string() }).parse(answer).access_token}` };
}

/**
 * Whether keys with these tags can be made. Only asking for one tells: a key of one minute is made and deleted.
 * @throws VendorError with Tailscale's words when a tag is refused
 */
export async function probeTags(
  credentials: TailscaleCredentials,
  headers: Record<string, string>,
  tags: string[],
): Promise<void> {
  const keys = `${credentials.url}/api/v2/tailnet/${encodeURIComponent(credentials.tailnet)}/keys`;
  const answer = await requestJson({
    vendor: 'Tailscale',
    url: keys,
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({
      capabilities: {
        devices: { create: { reusable: false, ephemeral: true, preauthorized: true, tags } },
      },
      expirySeconds: 60,
      description: 'worker-pools check of tags',
    }),
    errorMessage,
  });
  const { id } = z.object({ id: z.string() }).parse(answer);
  await requestJson({ vendor: 'Tailscale', url: `${keys}/${id}`, method: 'DELETE', headers, errorMessage });
}
