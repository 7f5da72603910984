import * as pulumi from '@pulumi/pulumi';

/** One vendor's end point and what opens it. Values are secrets: never logged, never in an error. */
export interface HetznerCredentials {
  /** Base URL with version, e.g. `https://api.hetzner.cloud/v1`. */
  url: string;
  token: string | undefined;
}

export interface TailscaleCredentials {
  /** Base URL without path, e.g. `https://api.tailscale.com`. */
  url: string;
  tailnet: string;
  oauthClientId: string | undefined;
  oauthClientSecret: string | undefined;
  apiKey: string | undefined;
}

export interface CloudflareCredentials {
  /** Base URL with version, e.g. `https://api.cloudflare.com/client/v4`. */
  url: string;
  token: string | undefined;
}

export interface Credentials {
  hetzner: HetznerCredentials;
  tailscale: TailscaleCredentials;
  cloudflare: CloudflareCredentials;
}

/** Reads what the providers will use, from where they read it: the stack's configuration, else the environment. */
export function readCredentials(environment: NodeJS.ProcessEnv = process.env): Credentials {
  const from = (provider: string, key: string, variable: string): string | undefined =>
    new pulumi.Config(provider).get(key) ?? (environment[variable] || undefined);
  const url = (provider: string, key: string, variable: string, fallback: string): string =>
    (from(provider, key, variable) ?? fallback).replace(/\/+$/, '');
  return {
    hetzner: {
      url: url('hcloud', 'endpoint', 'HCLOUD_ENDPOINT', 'https://api.hetzner.cloud/v1'),
      token: from('hcloud', 'token', 'HCLOUD_TOKEN'),
    },
    tailscale: {
      url: url('tailscale', 'baseUrl', 'TAILSCALE_BASE_URL', 'https://api.tailscale.com'),
      tailnet: from('tailscale', 'tailnet', 'TAILSCALE_TAILNET') ?? '-',
      oauthClientId: from('tailscale', 'oauthClientId', 'TAILSCALE_OAUTH_CLIENT_ID'),
      oauthClientSecret: from('tailscale', 'oauthClientSecret', 'TAILSCALE_OAUTH_CLIENT_SECRET'),
      apiKey: from('tailscale', 'apiKey', 'TAILSCALE_API_KEY'),
    },
    cloudflare: {
      url: url('cloudflare', 'baseUrl', 'CLOUDFLARE_BASE_URL', 'https://api.cloudflare.com/client/v4'),
      token: from('cloudflare', 'apiToken', 'CLOUDFLARE_API_TOKEN'),
    },
  };
}
