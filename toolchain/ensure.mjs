// Finds, downloads or builds the Pulumi engine: see docs/toolchain.md. Plain Node, because it runs straight after
// `git clone`. As a command it prints the folder of the engine's programs.

import {
  existsSync,
  linkSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';

import { buildMissing, findGo, partFolder } from './build.mjs';
import { downloadCli, downloadFolder, officialDownloads } from './download.mjs';
import { run } from './errors.mjs';
import { waitingFor, withLock } from './lock.mjs';
import { cliVersion, oldestCli, parts } from './parts.mjs';
import { execute, which } from './process.mjs';

const goForEngine = {
  module: 'pulumi',
  without: (reason, needed) =>
    `There is no Pulumi engine on PATH, its download (${cliVersion}) cannot be had from here, and it cannot be built ${reason}\n` +
    `Two ways out:\n` +
    `  - install the Pulumi CLI, ${oldestCli} or newer: https://www.pulumi.com/docs/install/\n` +
    `  - install Go, ${needed} or newer: https://go.dev/dl/ (the engine is then built here, once)\n` +
    `and run the command again.`,
};

/** The user's cache folder for this project. */
export function cacheFolder(env = process.env) {
  return resolve(
    env.WORKER_POOLS_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hcloud-worker-pools'),
  );
}

/**
 * A usable engine: the one on PATH, else the official download of the pinned version, else one built from Go modules.
 * `env` in the result is the whole environment for a process that runs the engine.
 * @throws {ToolchainError} with what to do, when there is no way to one.
 */
export async function ensureEngine({
  log = (line) => console.error(line),
  env = process.env,
  downloads = officialDownloads,
} = {}) {
  const cache = cacheFolder(env);
  const installed = await onPath(env, cache, log);
  if (installed !== undefined) return engine('path', installed, env);

  return (
    (await fromCache(cache, env)) ??
    (await withLock(join(cache, 'lock'), waitingFor('the engine', log), async () => {
      // Whoever held the lock until now may have done it all.
      const ready = await fromCache(cache, env);
      if (ready !== undefined) return ready;
      rmSync(join(cache, 'unfinished'), { recursive: true, force: true });
      if (await downloadCli({ cache, base: downloads, log }))
        return engine('download', downloadFolder(cache), env);
      log(`The official download at ${downloads} does not answer: the engine is built from Go modules.`);
      const go = await findGo(env, goForEngine);
      await buildMissing({ what: 'the engine', parts, cache, go, env, log });
      return engine('build', assemble(cache, go), env);
    }))
  );
}

/**
 * Puts a built engine's plugins where a Pulumi home keeps installed ones, and tells the engine to look there: then it
 * does not warn at each start that it uses plugins from PATH. Returns the variables to add. Official engines install
 * their plugins themselves.
 */
export function linkPlugins({ source, binDir }, pulumiHome) {
  if (source !== 'build') return { PULUMI_HOME: pulumiHome };
  for (const [binary, { name, version }] of parts.flatMap((part) => Object.entries(part.plugins ?? {}))) {
    const folder = join(pulumiHome, 'plugins', `resource-${name}-v${version}`);
    mkdirSync(folder, { recursive: true });
    rmSync(join(folder, binary), { force: true });
    symlinkSync(join(binDir, binary), join(folder, binary));
  }
  return { PULUMI_HOME: pulumiHome, PULUMI_IGNORE_AMBIENT_PLUGINS: 'true' };
}

async function onPath(env, cache, log) {
  const program = which('pulumi', env);
  // Our own engine is on PATH too, within a command that setup.mjs started.
  if (program === undefined || realpathSync(program).startsWith(cache)) return undefined;
  const { stdout } = await execute(program, ['version'], {
    env: { ...env, PULUMI_SKIP_UPDATE_CHECK: 'true' },
    timeout: 20_000,
  });
  const version = stdout.trim().replace(/^v/, '');
  if (isAtLeast(version, oldestCli)) return dirname(program);
  log(
    `The Pulumi CLI at ${program} is ${version || 'of unknown version'}; ${oldestCli} or newer is needed, so it is left alone.`,
  );
  return undefined;
}

function isAtLeast(version, oldest) {
  const [have, need] = [version, oldest].map((text) => text.split(/[.+-]/, 3).map(Number));
  for (const [index, part] of need.entries()) {
    if (have[index] !== part) return have[index] > part;
  }
  return true;
}

async function fromCache(cache, env) {
  if (existsSync(downloadFolder(cache))) return engine('download', downloadFolder(cache), env);
  if (!existsSync(join(cache, 'parts'))) return undefined;
  // Without Go nothing here can be told to be up to date; the official download may still be had.
  const go = await findGo(env, goForEngine).catch(() => undefined);
  if (go === undefined) return undefined;
  const complete = parts.every((part) => existsSync(partFolder(cache, part, go)));
  return complete ? engine('build', assemble(cache, go), env) : undefined;
}

/** One folder with all programs of the parts: the engine finds its language host beside itself. */
function assemble(cache, go) {
  const folders = parts.map((part) => partFolder(cache, part, go));
  const name = createHash('sha256').update(folders.join('\0')).digest('hex').slice(0, 16);
  const bin = join(cache, 'engines', name, 'bin');
  if (existsSync(bin)) return bin;
  const unfinished = join(cache, 'engines', `${name}.${process.pid}`);
  mkdirSync(join(unfinished, 'bin'), { recursive: true });
  for (const folder of folders) {
    for (const file of readdirSync(folder)) link(join(folder, file), join(unfinished, 'bin', file));
  }
  try {
    renameSync(unfinished, dirname(bin));
  } catch (error) {
    // Another process was faster, with the same programs.
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(bin)) throw error;
  }
  return bin;
}

function link(from, to) {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

function engine(source, binDir, env) {
  const variables = {
    ...env,
    PATH: [binDir, env.PATH ?? ''].join(delimiter),
    PULUMI_SKIP_UPDATE_CHECK: 'true',
  };
  if (source === 'build') variables.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION = 'true';
  return { binDir, source, env: variables };
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === import.meta.filename) {
  await run(async () => console.log((await ensureEngine()).binDir));
}
