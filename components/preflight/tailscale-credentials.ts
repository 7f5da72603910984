/** How Tailscale's API is reached. Values are secrets: never logged, never in an error. */
export interface TailscaleCredentials {
  /** Base URL without path, e.g. `https://api.tailscale.com`. */
  url: string;
  tailnet: string;
  oauthClientId: string | undefined;
  oauthClientSecret: string | undefined;
  apiKey: string | undefined;
}

/** What a stack's configuration says; the environment fills in the rest. */
export type ConfiguredTailscale = Partial<TailscaleCredentials>;

/** Fills in from the environment what the configuration leaves open, as the provider does. */
export function tailscaleCredentials(
  config: ConfiguredTailscale,
  environment: NodeJS.ProcessEnv,
): TailscaleCredentials {
  const variable = (name: string): string | undefined => environment[name] || undefined;
  const url = config.url ?? variable('TAILSCALE_BASE_URL') ?? 'https://api.tailscale.com';
  return {
    url: url.replace(/\/+$/, ''),
    tailnet: config.tailnet ?? variable('TAILSCALE_TAILNET') ?? '-',
    oauthClientId: config.oauthClientId ?? variable('TAILSCALE_OAUTH_CLIENT_ID'),
    oauthClientSecret: config.oauthClientSecret ?? variable('TAILSCALE_OAUTH_CLIENT_SECRET'),
    apiKey: config.apiKey ?? variable('TAILSCALE_API_KEY'),
  };
}
