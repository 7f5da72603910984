// Builds a real tailnet's programs where they are asked for: see docs/toolchain.md.

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { buildMissing, findGo, partFolder } from './build.mjs';
import { cacheFolder } from './ensure.mjs';
import { waitingFor, withLock } from './lock.mjs';
import { tailnet } from './parts.mjs';

const wanted = {
  module: tailnet.id,
  without: (reason, needed) =>
    `A real tailnet's programs are built here, once, and cannot be ${reason}\n` +
    `Install Go, ${needed} or newer: https://go.dev/dl/`,
};

/**
 * The folder with `headscale`, `tailscale`, `tailscaled` and the files of the vendor's package.
 * @throws {ToolchainError} with what to do, when they cannot be built.
 */
export async function ensureTailnet({ log = (line) => console.error(line), env = process.env } = {}) {
  const cache = cacheFolder(env);
  const go = await findGo(env, wanted);
  const folder = partFolder(cache, tailnet, go);
  if (existsSync(folder)) return folder;
  await withLock(join(cache, 'lock'), waitingFor('the tailnet’s programs', log), async () => {
    rmSync(join(cache, 'unfinished'), { recursive: true, force: true });
    await buildMissing({ what: 'a real tailnet', parts: [tailnet], cache, go, env, log });
  });
  return folder;
}
