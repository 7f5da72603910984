import * as pulumi from '@pulumi/pulumi';
import {
  tailscaleCredentials,
  type ConfiguredTailscale,
  type TailscaleCredentials,
} from './tailscale-credentials';

/** One vendor's end point and what opens it. Values are secrets: never logged, never in an error. */
export interface HetznerCredentials {
  /** Base URL with version, e.g. `https://api.hetzner.cloud/v1`. */
  url: string;
  token: string | undefined;
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

/** A value of the stack's configuration, e.g. `hcloud` `token`. */
export type Configured = (provider: string, key: string) => string | undefined;

/**
 * Reads what the providers will use, from where they read it: the stack's configuration, else the environment.
 * @param configured the running program's own configuration where absent
 */
export function readCredentials(
  environment: NodeJS.ProcessEnv = process.env,
  configured: Configured = ofThisProgram,
): Credentials {
  const from = (provider: string, key: string, variable: string): string | undefined =>
    configured(provider, key) ?? (environment[variable] || undefined);
  const url = (provider: string, key: string, variable: string, fallback: string): string =>
    (from(provider, key, variable) ?? fallback).replace(/\/+$/, '');
  return {
    hetzner: {
      url: url('hcloud', 'endpoint', 'HCLOUD_ENDPOINT', 'https://api.hetzner.cloud/v1'),
      token: from('hcloud', 'token', 'HCLOUD_TOKEN'),
    },
    tailscale: tailscaleCredentials(configuredTailscale(configured), environment),
    cloudflare: {
      url: url('cloudflare', 'baseUrl', 'CLOUDFLARE_BASE_URL', 'https://api.cloudflare.com/client/v4'),
      token: from('cloudflare', 'apiToken', 'CLOUDFLARE_API_TOKEN'),
    },
  };
}

/** What the stack's configuration says of Tailscale; the rest is the environment's. */
export function configuredTailscale(configured: Configured = ofThisProgram): ConfiguredTailscale {
  return {
    url: configured('tailscale', 'baseUrl'),
    tailnet: configured('tailscale', 'tailnet'),
    oauthClientId: configured('tailscale', 'oauthClientId'),
    oauthClientSecret: configured('tailscale', 'oauthClientSecret'),
    apiKey: configured('tailscale', 'apiKey'),
  };
}

function ofThisProgram(provider: string, key: string): string | undefined {
  return new pulumi.Config(provider).get(key);
}
