import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MachineDocument } from '../../cloud-init';

/** Every shell program in a document, by a name for messages. Steps are checked together with what they source. */
export function shellPrograms({ config }: MachineDocument): Record<string, string> {
  const found: Record<string, string> = {};
  (config.bootcmd ?? []).forEach((program, index) => (found[`bootcmd ${index}`] = `#!/bin/sh\n${program}`));
  for (const { path, content } of config.write_files ?? []) {
    if (content.startsWith('#!/bin/sh')) found[path] = content;
    if (path.endsWith('/step')) found[path] = `#!/bin/sh\n${content}`;
  }
  return found;
}

/** The text of a file that a document writes. */
export function contentOf({ config }: MachineDocument, path: string): string {
  const found = config.write_files?.find((file) => file.path === path);
  if (!found) throw new Error(`the document writes no ${path}`);
  return found.encoding === 'b64' ? Buffer.from(found.content, 'base64').toString() : found.content;
}

/** Runs `use` in a folder of its own, removed afterwards. */
export async function inFolder<T>(use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'cloud-init-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Puts a program in place of one of the machine's. */
export function stub(folder: string, name: string, body: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

/** Fails with how to get a Debian package's program when it is missing. */
export function need(program: string, debianPackage: string, versionFlag = '--version'): void {
  if (spawnSync(program, [versionFlag]).error)
    throw new Error(
      `${program} is not installed. As root: mkdir -p /etc/cloud && touch /etc/cloud/cloud-init.disabled && ` +
        `apt-get install --no-install-recommends ${debianPackage}`,
    );
}

/** Standard output of a program; throws with its error output when it fails. */
export function run(program: string, args: string[], input?: string): string {
  return execFileSync(program, args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}
