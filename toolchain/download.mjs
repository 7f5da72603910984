import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { ToolchainError } from './errors.mjs';
import { cliVersion } from './parts.mjs';
import { execute } from './process.mjs';
import { reporting } from './progress.mjs';

export const officialDownloads = 'https://get.pulumi.com/releases/sdk';

/** How long (ms) the vendor's host may take to answer before the engine is built instead. */
const probeTimeout = 4_000;
const downloadTimeout = 10 * 60_000;

/** Where the official CLI of the pinned version is or will be in the cache. */
export function downloadFolder(cache) {
  return join(cache, 'downloads', `pulumi-v${cliVersion}-${platform()}-${arch()}`, 'bin');
}

/**
 * Puts the official CLI into the cache. False when there is none to be had: no answer, or not for this machine.
 * @throws {ToolchainError} when what was downloaded is not what the vendor's checksum file says.
 */
export async function downloadCli({ cache, base, log }) {
  const checksums = await probe(`${base}/pulumi-${cliVersion}-checksums.txt`);
  const name = `pulumi-v${cliVersion}-${platform()}-${arch()}.tar.gz`;
  const expected = checksums
    ?.split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, file]) => file === name)?.[0];
  if (expected === undefined) return false;

  const unfinished = join(cache, 'unfinished', `download-${process.pid}`);
  mkdirSync(unfinished, { recursive: true });
  try {
    const archive = join(unfinished, name);
    await reporting(log, `Downloading ${base}/${name} …`, () => save(`${base}/${name}`, archive));
    const actual = createHash('sha256').update(readFileSync(archive)).digest('hex');
    if (actual !== expected) {
      throw new ToolchainError(
        `${base}/${name} does not have the checksum that the vendor publishes, and was thrown away.\n` +
          `  published: ${expected}\n  received:  ${actual}\nRun the command again; if it stays so, something between here and there changes downloads.`,
      );
    }
    const { code, stderr } = await execute('tar', ['-xzf', archive, '-C', unfinished]);
    const unpacked = join(unfinished, 'pulumi');
    if (code !== 0 || !existsSync(join(unpacked, 'pulumi'))) {
      throw new ToolchainError(`${base}/${name} cannot be unpacked: ${stderr.trim()}`);
    }
    mkdirSync(dirname(downloadFolder(cache)), { recursive: true });
    renameSync(unpacked, downloadFolder(cache));
    return true;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

async function probe(url) {
  try {
    const response = await globalThis.fetch(url, { signal: globalThis.AbortSignal.timeout(probeTimeout) });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}

async function save(url, path) {
  try {
    const response = await globalThis.fetch(url, { signal: globalThis.AbortSignal.timeout(downloadTimeout) });
    if (!response.ok) throw new Error(`the host answers ${response.status}`);
    await pipeline(Readable.fromWeb(response.body), createWriteStream(path));
  } catch (error) {
    throw new ToolchainError(
      `${url} cannot be downloaded: ${error.cause?.message ?? error.message}. Run the command again.`,
    );
  }
}
