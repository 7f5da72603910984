import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../kernel/command';
import { systemPath } from '../kernel/programs';
import { type Archive, debianSources } from './apt';
import type { Recipe } from './recipes';

/** The files that a guest starts from. */
export interface ImageFiles {
  /** Raw disk, one ext4 file system; never written to. */
  disk: string;
  kernel: string;
  initrd: string;
}

export const filesIn = (folder: string): ImageFiles => ({
  disk: join(folder, 'disk.raw'),
  kernel: join(folder, 'vmlinuz'),
  initrd: join(folder, 'initrd'),
});

/** Programs that packages would start while they are installed are not: this is not their machine. */
const NO_SERVICES = '#!/bin/sh\nexit 101\n';

/**
 * Makes an image of Debian's packages in `folder`, which appears when it is complete. Needs root: a new system is
 * installed by programs of its own, in a folder that is the root to them.
 */
export async function buildImage(
  recipe: Recipe,
  archive: Archive,
  folder: string,
  log: (line: string) => void,
): Promise<void> {
  const unfinished = `${folder}.${process.pid}`;
  const root = join(unfinished, 'root');
  const env = { ...process.env, PATH: systemPath, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  mkdirSync(root, { recursive: true });
  try {
    log(`Installing Debian ${recipe.suite} from ${recipe.base.length} packages and what they need …`);
    await runCommand(
      'debootstrap',
      ['--variant=minbase', `--include=${recipe.base.join(',')}`, recipe.suite, root, archive.main],
      { env, onLine: everyTenSeconds(log) },
    );
    writeFileSync(join(root, 'etc/apt/sources.list'), '');
    writeFileSync(join(root, 'etc/apt/sources.list.d/debian.sources'), debianSources(archive, recipe.suite));
    writeFileSync(join(root, 'etc/apt/apt.conf.d/90-mirror'), archive.settings);
    writeFileSync(join(root, 'usr/sbin/policy-rc.d'), NO_SERVICES, { mode: 0o755 });
    log(`Installing ${recipe.packages.join(', ')} …`);
    await inside(root, `set -e\n${install(recipe.packages)}${recipe.setUp}`, env, log);
    rmSync(join(root, 'usr/sbin/policy-rc.d'));
    rmSync(join(root, 'etc/resolv.conf'), { force: true });
    log('Writing the disk …');
    const files = filesIn(unfinished);
    copyFileSync(newest(root, 'vmlinuz-'), files.kernel);
    copyFileSync(newest(root, 'initrd.img-'), files.initrd);
    await runCommand('mkfs.ext4', ['-q', '-d', root, '-L', 'root', files.disk, `${recipe.megabytes}M`], {
      env,
    });
    rmSync(root, { recursive: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

const install = (packages: readonly string[]): string =>
  `apt-get -q update\napt-get -qy --no-install-recommends install ${packages.join(' ')}\n`;

/** Runs shell with `root` as its root. What it mounts is seen by nobody else and goes away with it. */
async function inside(
  root: string,
  script: string,
  env: NodeJS.ProcessEnv,
  log: (line: string) => void,
): Promise<void> {
  const enter =
    'mount -t proc proc "$0/proc" && mount -t devpts devpts "$0/dev/pts" && exec chroot "$0" sh -s';
  await runCommand('unshare', ['--mount', 'sh', '-c', enter, root], {
    input: script,
    env,
    onLine: everyTenSeconds(log),
  });
}

function newest(root: string, prefix: string): string {
  const [name] = readdirSync(join(root, 'boot'))
    .filter((file) => file.startsWith(prefix))
    .sort()
    .reverse();
  if (name === undefined) throw new Error(`the new system has no /boot/${prefix}*`);
  return join(root, 'boot', name);
}

/** Passes on the line that is being worked on, not every one. */
function everyTenSeconds(log: (line: string) => void): (line: string) => void {
  let last = Date.now();
  return (line) => {
    if (Date.now() - last < 10_000) return;
    last = Date.now();
    log(`  ${line.replace(/^[IE]: /, '').slice(0, 100)}`);
  };
}
