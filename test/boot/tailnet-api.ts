import type { Endpoints } from '../../sandbox/sandbox';
import type { Answer } from '../sandbox/tailscale/tailnet';

/** The tailnet's API as somebody with the OAuth client's secret calls it. */
export type TailnetApi = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** @param access where the API is, and the OAuth client's secret */
export function tailnetApi(access: Endpoints['tailscale']): TailnetApi {
  const form = {
    grant_type: 'client_credentials',
    client_id: access.oauthClientId,
    client_secret: access.oauthClientSecret,
  };
  return async (method, path, body) => {
    const token = await fetch(`${access.url}/api/v2/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    const { access_token } = (await token.json()) as { access_token: string };
    const response = await fetch(`${access.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text.startsWith('{') ? JSON.parse(text) : text,
    };
  };
}
