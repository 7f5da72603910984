import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../kernel/command';

const USER = 'Packages of the local cloud <sandbox@sandbox.example>';

/** Texts signed with a key of their own that nobody keeps. */
export interface Signatures {
  /** The public key as apt's `signed-by` reads it. */
  publicKey: Buffer;
  /** Each text with its signature within it. */
  clearsigned: Buffer[];
}

/**
 * Makes a key, signs the texts and forgets the key.
 * @throws CommandError where gpg is missing or refuses
 */
export async function signAll(texts: readonly Buffer[]): Promise<Signatures> {
  const home = mkdtempSync(join(tmpdir(), 'sandbox-key-'));
  const gpg = (...args: string[]): Promise<unknown> =>
    runCommand('gpg', ['--homedir', home, '--batch', '--quiet', ...args]);
  const text = join(home, 'text');
  const signed = join(home, 'signed');
  try {
    await gpg('--passphrase', '', '--quick-generate-key', USER, 'ed25519', 'sign', 'never');
    const clearsigned: Buffer[] = [];
    for (const content of texts) {
      writeFileSync(text, content);
      await gpg('--yes', '--digest-algo', 'SHA512', '--output', signed, '--clearsign', text);
      clearsigned.push(readFileSync(signed));
    }
    await gpg('--yes', '--output', signed, '--export');
    return { publicKey: readFileSync(signed), clearsigned };
  } finally {
    // Its agent would go on without it.
    await runCommand('gpgconf', ['--homedir', home, '--kill', 'all']).catch(() => undefined);
    rmSync(home, { recursive: true, force: true });
  }
}
