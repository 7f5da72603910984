import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { cacheFolder } from './ensure.mjs';
import { ToolchainError } from './errors.mjs';
import { withLock } from './lock.mjs';
import { execute, which } from './process.mjs';
import { reporting } from './progress.mjs';

const attempts = 3;

/** Runs `npm ci` in `repository` unless node_modules is what package-lock.json says. */
export async function ensureDependencies({ repository, log, env = process.env }) {
  if (isInstalled(repository)) return;
  const lock = join(cacheFolder(env), `npm-${hashOf(repository)}.lock`);
  const waiting = ({ pid }) => log(`Waiting for process ${pid}, which is installing the npm dependencies …`);
  await withLock(lock, waiting, async () => {
    if (isInstalled(repository)) return;
    await reporting(log, 'Installing the npm dependencies (about half a minute) …', () =>
      install(repository, env, log),
    );
    writeFileSync(stampFile(repository), stampOf(repository));
  });
}

/** True when a former run left its stamp for this lock file, or when npm itself recorded the same packages. */
function isInstalled(repository) {
  const stamp = stampFile(repository);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === stampOf(repository)) return true;
  const record = join(repository, 'node_modules/.package-lock.json');
  if (!existsSync(record) || !samePackages(join(repository, 'package-lock.json'), record)) return false;
  writeFileSync(stamp, stampOf(repository));
  return true;
}

function samePackages(lockFile, record) {
  const wanted = packagesOf(lockFile);
  const installed = packagesOf(record);
  return (
    Object.entries(wanted).every(
      ([path, entry]) =>
        path === '' || (installed[path]?.version ?? (entry.optional && entry.version)) === entry.version,
    ) && Object.keys(installed).every((path) => path in wanted)
  );
}

function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

async function install(repository, env, log) {
  // Within `npm run`, the very npm that runs; else the one on PATH.
  const npm = env.npm_execpath?.endsWith('.js') ? [process.execPath, env.npm_execpath] : [which('npm', env)];
  if (npm[0] === undefined) {
    throw new ToolchainError('npm is not on PATH; it comes with Node: https://nodejs.org/en/download');
  }
  const args = [...npm.slice(1), 'ci', '--no-audit', '--no-fund', '--loglevel=error'];
  for (let attempt = 1; ; attempt++) {
    const { code, stdout, stderr } = await execute(npm[0], args, { cwd: repository, env });
    if (code === 0) return;
    if (attempt === attempts) {
      throw new ToolchainError(`npm ci failed in ${repository}:\n${(stderr || stdout).trim()}`);
    }
    log(`npm ci failed (attempt ${attempt} of ${attempts}), trying again.`);
  }
}

function stampFile(repository) {
  return join(repository, 'node_modules/.worker-pools-stamp');
}

/** Native packages differ with Node's major version. */
function stampOf(repository) {
  return hashOf(readFileSync(join(repository, 'package-lock.json'), 'utf8') + process.version.split('.')[0]);
}

function hashOf(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
