import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { arch, availableParallelism, platform } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ToolchainError } from './errors.mjs';
import { execute, which } from './process.mjs';
import { duration, reporting } from './progress.mjs';

const modules = import.meta.dirname;

/** The pauses (ms) before another try at fetching modules: proxies drop a request now and then. */
const retries = [2_000, 10_000, 30_000];

/**
 * The Go tool to build with. `wanted.module` says which version is needed; `wanted.without(reason)` is what the user
 * is told where there is no way to it.
 * @throws {ToolchainError} when there is none, or when it is too old for the modules and cannot fetch a newer one.
 */
export async function findGo(env, wanted) {
  const folder = join(modules, wanted.module);
  const needed = /^go (\S+)$/m.exec(readFileSync(join(folder, 'go.mod'), 'utf8'))[1];
  const program = which('go', env);
  if (program === undefined) throw new ToolchainError(wanted.without('because Go is missing.', needed));
  // Within the module, so that Go may switch to the version that go.mod asks for.
  const { code, stdout, stderr } = await execute(program, ['env', 'GOVERSION'], {
    cwd: folder,
    env: goEnv(env),
  });
  if (code !== 0) {
    throw new ToolchainError(
      wanted.without(`because Go at ${program} is too old:\n  ${stderr.trim()}`, needed),
    );
  }
  return { program, version: stdout.trim() };
}

/** Where a part is or will be in the cache. The name changes with everything that goes into its binaries. */
export function partFolder(cache, part, go) {
  const hash = createHash('sha256').update(
    JSON.stringify([part.binaries, part.ldflags, go.version, platform(), arch(), part.files].filter(Boolean)),
  );
  for (const file of sources(join(modules, part.id))) {
    hash.update(`\0${file}\0`).update(readFileSync(join(modules, part.id, file)));
  }
  return join(cache, 'parts', `${part.id}-${hash.digest('hex').slice(0, 16)}`);
}

function sources(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(
      (entry) =>
        entry.isFile() &&
        /(\.go|\.gz|^go\.mod|^go\.sum)$/.test(entry.name) &&
        !entry.name.endsWith('_test.go'),
    )
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** Builds those of `parts` that the cache lacks, in order. Each is in the cache as a whole or not at all. */
export async function buildMissing({ what, parts, cache, go, env, log }) {
  const missing = parts.filter((part) => !existsSync(partFolder(cache, part, go)));
  if (missing.length === 0) return;
  const minutes =
    missing.reduce((sum, part) => sum + part.minutes, 0) * (2 / Math.min(availableParallelism(), 8));
  log(
    `Building ${missing.length} of ${parts.length} parts of ${what} with ${go.version}: about ` +
      `${Math.ceil(minutes)} min on this machine, once (less where Go's own cache is warm).`,
  );
  const start = Date.now();
  for (const [index, part] of missing.entries()) {
    await buildPart({ cache, go, env, log, part, label: `[${index + 1}/${missing.length}] ${part.what}` });
  }
  log(`Built ${what}: ${duration(Date.now() - start)}.`);
}

async function buildPart({ cache, go, env, log, part, label }) {
  const folder = partFolder(cache, part, go);
  const unfinished = join(cache, 'unfinished', `${part.id}-${process.pid}`);
  const options = { cwd: join(modules, part.id), env: goEnv(env) };
  const packages = Object.values(part.binaries);
  mkdirSync(unfinished, { recursive: true });
  try {
    await reporting(log, `${label}: fetching modules …`, () => fetchModules(go, packages, options, log));
    await reporting(
      log,
      `${label}: compiling (cold about ${duration(part.minutes * 60_000)} on 2 cores) …`,
      async () => {
        for (const [name, source] of Object.entries(part.binaries)) {
          await compile(
            go,
            ['build', '-trimpath', '-ldflags', part.ldflags, '-o', join(unfinished, name), source],
            options,
            part,
          );
        }
        if (part.files !== undefined) await copyFiles(go, part.files, unfinished, options);
      },
    );
    mkdirSync(join(cache, 'parts'), { recursive: true });
    renameSync(unfinished, folder);
    utimesSync(folder, new Date(), new Date());
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
}

async function fetchModules(go, packages, options, log) {
  for (const pause of [...retries, undefined]) {
    const { code, stderr } = await execute(go.program, ['list', '-deps', ...packages], options);
    if (code === 0) return;
    if (pause === undefined || /checksum mismatch|SECURITY ERROR/.test(stderr)) {
      throw new ToolchainError(`Go cannot fetch the modules of ${options.cwd}:\n${tail(stderr)}`);
    }
    log(`Fetching modules failed, trying again in ${duration(pause)}: ${tail(stderr, 1)}`);
    await sleep(pause);
  }
}

async function compile(go, args, options, part) {
  const { code, stderr } = await execute(go.program, args, options);
  if (code !== 0)
    throw new ToolchainError(`Building ${part.what} failed in ${options.cwd}:\n${tail(stderr)}`);
}

/** Files of a module that belong to its programs as they are, such as the unit that starts one. */
async function copyFiles(go, { module, paths }, target, options) {
  const { code, stdout, stderr } = await execute(
    go.program,
    ['list', '-m', '-f', '{{.Dir}}', module],
    options,
  );
  if (code !== 0) throw new ToolchainError(`Go does not find the module ${module}:\n${tail(stderr)}`);
  for (const path of paths) {
    // Modules are read-only in Go's cache; a copy would be, too.
    writeFileSync(join(target, basename(path)), readFileSync(join(stdout.trim(), path)));
  }
}

/** go.sum is complete and may not grow: so every module is checked, whatever the user's own settings are. */
function goEnv(env) {
  return { ...env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' };
}

function tail(text, lines = 20) {
  return text.trim().split('\n').slice(-lines).join('\n');
}
