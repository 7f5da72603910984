import type { ResourceValidationPolicy, StackValidationPolicy } from '@pulumi/policy';
import { stackOf, type ReadStackFile } from '../stack-file';

/** Text that is a secret by its look: private keys, keys of Tailscale, URLs with a password, Hetzner's and bearer tokens. */
const SECRET_LOOK = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\btskey-[a-z]+-\w{8,}/,
  /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]+:[^\s/@]{3,}@/i,
  /\bBearer [\w.~+/-]{20,}/,
  /(?<!sha256:)\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{64}\b/,
];
/**
 * Inputs that the program gives as secrets: the engine encrypts them, though a policy sees them in the clear. And a public
 * key, whose letters may fall as a token's.
 */
const MARKED = new Set([
  'publicKey',
  'userData',
  'key',
  'connection',
  'environment',
  'create',
  'delete',
  'update',
  'stdin',
]);
const PROVIDER = 'pulumi:providers:';
/** Configuration that opens something, by full key. */
const CREDENTIALS = [
  'hcloud:token',
  'tailscale:oauthClientSecret',
  'tailscale:apiKey',
  'cloudflare:apiToken',
  'worker-pools:registrationSecret',
  'worker-pools:previousRegistrationSecret',
];
const SECRET_NAME = /(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIALS?)$/i;

/** Names, labels, records and outputs are shown to everybody. */
export function noPlainSecrets(): ResourceValidationPolicy {
  return {
    name: 'no-plain-secrets',
    description: 'No name, label, record or other public property holds a secret.',
    severity: 'critical',
    validateResource: ({ type, props }, report) => {
      // The engine keeps a provider's credentials encrypted, though a policy sees them in the clear.
      if (type.startsWith(PROVIDER)) return;
      for (const key of Object.keys(props)) {
        if (MARKED.has(key) || key.startsWith('__')) continue;
        if (textsAt(props, key).some((text) => SECRET_LOOK.some((look) => look.test(text)))) {
          report(`property ${key} looks like a secret`);
        }
      }
    },
  };
}

export function secretsMarked(read: ReadStackFile): StackValidationPolicy {
  return {
    name: 'secrets-marked',
    description: 'Every secret in the stack’s file is encrypted.',
    severity: 'critical',
    validateStack: ({ resources }, report) => {
      const file = resources[0] && read(stackOf(resources[0].urn));
      for (const path of file ? plainSecrets(file.config) : []) {
        report(
          `${file!.name}: ${path} is a secret in plain text; set it with \`pulumi config set --secret --path ${path}\`, and make a new one: this one is in the history`,
        );
      }
    },
  };
}

/** Paths of values that ought to be `secure:` and are not. */
export function plainSecrets(config: Record<string, unknown>): string[] {
  return Object.entries(config).flatMap(([key, value]) => {
    if (CREDENTIALS.includes(key)) return isEncrypted(value) ? [] : [key];
    return within(key, key, value);
  });
}

function within(path: string, name: string, value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap((inner, index) => within(`${path}[${index}]`, name, inner));
  if (typeof value === 'string') {
    return SECRET_NAME.test(name) || SECRET_LOOK.some((look) => look.test(value)) ? [path] : [];
  }
  if (value === null || typeof value !== 'object' || isEncrypted(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => within(`${path}.${key}`, key, inner));
}

/** Every text within a property. What only the update will know is passed over: reading it throws. */
function textsAt(container: object, key: string): string[] {
  let value: unknown;
  try {
    value = (container as Record<string, unknown>)[key];
  } catch {
    return [];
  }
  if (typeof value === 'string') return [value];
  if (value === null || typeof value !== 'object') return [];
  const inner = value;
  return Object.keys(inner).flatMap((name) => textsAt(inner, name));
}

function isEncrypted(value: unknown): boolean {
  return value !== null && typeof value === 'object' && 'secure' in value;
}
