import type { LaunchFailure } from '../decide/types';

/**
 * What a failed launch means for the next one, by Hetzner's error code as its provider quotes it: hcloud-go prints an
 * API error as `message (code, correlation id)`. Codes and their meaning: docs.hetzner.cloud, "Errors"; that a type
 * that is not sold in a location answers `invalid_input` or a plain 403 `forbidden` was seen by others at the vendor
 * (karpenter and cluster-autoscaler reports).
 * @param type token of the resource that failed: a 403 means something else for a tailnet key
 */
export function failureKind(message: string, type: string): LaunchFailure['kind'] {
  const code = errorCode(message);
  if (code === 'rate_limit_exceeded' || /\b429\b/.test(message)) return 'rate';
  if (!type.startsWith('hcloud:')) return 'other';
  switch (code) {
    case 'resource_unavailable':
    case 'placement_error':
    case 'forbidden':
      return 'sold-out';
    case 'resource_limit_exceeded':
      return 'limit';
    case 'invalid_input':
      return /unsupported location for server type/i.test(message) ? 'sold-out' : 'other';
    default:
      return 'other';
  }
}

/**
 * Whether a vendor says that it does not know what was to be deleted: Hetzner's code, and Cloudflare's for a DNS record as
 * its provider quotes the body. That of the tailnet takes it for done by itself.
 */
export function isUnknown(message: string): boolean {
  return errorCode(message) === 'not_found' || /"code":\s*81044\b/.test(message);
}

/** `resource_unavailable` in `error during placement (resource_unavailable, 5ea0bbd4e9da492f)`. */
export function errorCode(message: string): string | undefined {
  return /\(([a-z][a-z_]+)(?:, [^()]*)?\)/.exec(message)?.[1];
}

/**
 * A provider's message as one sentence without colours. Bridged providers frame theirs (`1 error occurred:`, a list of
 * one) and say it a second time with the place in their own source; the engine adds its markup for colours.
 */
export function plainMessage(message: string): string {
  return message
    .replaceAll(ANSI, '')
    .replaceAll(/<\{%[^%]*%\}>/g, '')
    .split('\n')
    .filter((line) => !/^\s*sdk-v2\//.test(line))
    .map((line) =>
      line
        .replace(/^\s*\* /, '')
        .replace(/^deleting urn:\S+: /, '')
        .replace(/^\d+ errors? occurred:/, '')
        .trim(),
    )
    .filter(Boolean)
    .join(' ')
    .replace(/: \[\]$/, '');
}

// eslint-disable-next-line no-control-regex
const ANSI = /\u001b\[[0-9;]*[A-Za-z]/g;
