import { runCommand } from '../kernel/command';
import { isThere, systemPath } from '../kernel/programs';

/** What images and guests need of this machine, by the Debian package that has it. */
const PROGRAMS: Readonly<Record<string, string>> = {
  debootstrap: 'debootstrap',
  'mkfs.ext4': 'e2fsprogs',
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  setpriv: 'util-linux',
};

/**
 * Installs what is missing, where that is possible.
 * @throws Error that says what to install where it is not
 */
export async function ensurePrograms(log: (line: string) => void): Promise<void> {
  const missing = Object.keys(PROGRAMS).filter((program) => !isThere(program));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => PROGRAMS[program] ?? program))];
  if (process.getuid?.() !== 0 || !isThere('apt-get'))
    throw new Error(
      `machines that are real guests need ${missing.join(', ')}: install ${packages.join(' ')} (as root: apt-get install ${packages.join(' ')})`,
    );
  log(`Installing ${packages.join(', ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', PATH: systemPath };
  await runCommand('apt-get', ['-q', 'update'], { env });
  await runCommand('apt-get', ['-qy', '--no-install-recommends', 'install', ...packages], { env });
}
