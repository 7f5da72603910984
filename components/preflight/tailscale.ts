import { z } from 'zod';
import type { TailscaleCredentials } from './tailscale-credentials';
import { requestJson, type Caller } from './http';

const errorMessage = (body: unknown): string | undefined =>
  z.object({ message: z.string() }).safeParse(body).data?.message ??
  z.object({ error_description: z.string() }).safeParse(body).data?.error_description;

/** Header that authorises calls; for an OAuth client a token of one hour is fetched first. @throws VendorError */
export async function authorise(
  credentials: TailscaleCredentials,
  caller?: Caller,
): Promise<Record<string, string>> {
  const { url, oauthClientId, oauthClientSecret, apiKey } = credentials;
  if (apiKey !== undefined) return { authorization: `Bearer ${apiKey}` };
  const { access_token: token } = await requestJson(
    {
      vendor: 'Tailscale',
      url: `${url}/api/v2/oauth/token`,
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: oauthClientId ?? '',
        client_secret: oauthClientSecret ?? '',
      }),
      // A token that nobody received does no harm.
      repeatable: true,
      schema: z.object({ access_token: z.string() }),
      errorMessage,
    },
    caller,
  );
  return { authorization: `Bearer ${token}` };
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
  const keys = keysUrl(credentials);
  const { id } = await requestJson({
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
    schema: z.object({ id: z.string() }),
    errorMessage,
  });
  await requestJson({
    vendor: 'Tailscale',
    url: `${keys}/${id}`,
    method: 'DELETE',
    headers,
    schema: z.unknown(),
    errorMessage,
  });
}

/** Whether the tailnet's keys can be read. @throws VendorError */
export async function readKeys(
  credentials: TailscaleCredentials,
  headers: Record<string, string>,
): Promise<void> {
  await requestJson({
    vendor: 'Tailscale',
    url: keysUrl(credentials),
    headers,
    schema: z.object({ keys: z.array(z.unknown()) }),
    errorMessage,
  });
}

function keysUrl({ url, tailnet }: TailscaleCredentials): string {
  return `${url}/api/v2/tailnet/${encodeURIComponent(tailnet)}/keys`;
}
