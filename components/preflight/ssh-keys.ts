import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { MANAGED_BY } from '../model/labels';
import type { ConfigFault } from '../model/errors';
import { CONFIG_NAMESPACE } from '../model/schema-faults';
import type { ExistingSshKey } from './hetzner';

/** A public key as configured. */
export interface PublicKey {
  /** `type base64 comment`, as in authorized_keys. */
  line: string;
  /** MD5 of the key blob with colons: how Hetzner tells keys apart. */
  fingerprint: string;
}

/** What is done about a key: the project's own is used and left alone, a missing one is made and owned by the stack. */
export type SshKeyPlan =
  | { kind: 'reuse'; key: PublicKey; id: number; name: string }
  | { kind: 'own'; key: PublicKey; exists: boolean };

const KEY_LINE =
  /^(ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp(?:256|384|521)|sk-[a-z0-9@.-]+) ([A-Za-z0-9+/]+=*)( .*)?$/;

/**
 * Reads the configured keys; an entry is the key itself or a path (relative to `directory`, or with `~`).
 * Faults name the file that is missing or is not a public key.
 */
export function readPublicKeys(
  entries: string[],
  directory: string,
): { keys: PublicKey[]; faults: ConfigFault[] } {
  const keys: PublicKey[] = [];
  const faults: ConfigFault[] = [];
  entries.forEach((entry, index) => {
    const path = `${CONFIG_NAMESPACE}:access.sshKeys[${index}]`;
    const text = KEY_LINE.test(entry.trim()) ? entry.trim() : readKeyFile(entry, directory);
    if (text === undefined && !isPrintable(entry)) {
      faults.push({
        path,
        message:
          'this is neither a public key nor the path of one; give one of them, or make a key with `ssh-keygen -t ed25519`',
      });
      return;
    }
    if (text === undefined) {
      faults.push({
        path,
        message: `there is no file ${entry}; give the path of a public key, or make one with \`ssh-keygen -t ed25519\``,
      });
      return;
    }
    const match = KEY_LINE.exec(text);
    if (!match) {
      faults.push({
        path,
        message: `${entry} is not an OpenSSH public key ("ssh-ed25519 AAAA… comment")`,
      });
      return;
    }
    const fingerprint = createHash('md5').update(Buffer.from(match[2]!, 'base64')).digest('hex');
    keys.push({ line: text, fingerprint: fingerprint.match(/../g)!.join(':') });
  });
  return {
    keys: keys.filter(
      (key, index) => keys.findIndex((other) => other.fingerprint === key.fingerprint) === index,
    ),
    faults,
  };
}

/** A key that carries this stack's labels is the stack's own; any other one with the same fingerprint is reused. */
export function planSshKeys(
  keys: PublicKey[],
  existing: ExistingSshKey[],
  environment: string,
): SshKeyPlan[] {
  return keys.map((key) => {
    const found = existing.find(({ fingerprint }) => fingerprint === key.fingerprint);
    const ours = found?.labels['managed-by'] === MANAGED_BY && found.labels['stack'] === environment;
    return found && !ours
      ? { kind: 'reuse', key, id: found.id, name: found.name }
      : { kind: 'own', key, exists: ours };
  });
}

function readKeyFile(entry: string, directory: string): string | undefined {
  try {
    return readFileSync(resolve(directory, entry.replace(/^~(?=\/)/, homedir())), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** A private key given by mistake, or a part of one, must not be printed. */
function isPrintable(entry: string): boolean {
  return entry.length <= 120 && !entry.includes('PRIVATE KEY') && !/^[A-Za-z0-9+/=\s]{40,}$/.test(entry);
}
