import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from '../kernel/command';

/** Where the vendor's package has its files; `program` or `file` of the folder that the toolchain built. */
const LAYOUT: readonly { from: string; to: string; mode: number }[] = [
  { from: 'tailscale', to: 'usr/bin/tailscale', mode: 0o755 },
  { from: 'tailscaled', to: 'usr/sbin/tailscaled', mode: 0o755 },
  { from: 'tailscaled.service', to: 'lib/systemd/system/tailscaled.service', mode: 0o644 },
  { from: 'tailscaled.defaults', to: 'etc/default/tailscaled', mode: 0o644 },
  { from: 'debian.postinst.sh', to: 'DEBIAN/postinst', mode: 0o755 },
  { from: 'debian.prerm.sh', to: 'DEBIAN/prerm', mode: 0o755 },
  { from: 'debian.postrm.sh', to: 'DEBIAN/postrm', mode: 0o755 },
];

/** Goes into the name of what is kept: another way of making a package makes another package. */
const MADE_AS = 1;

/**
 * The path of a package `tailscale`, laid out as the vendor's, of what the toolchain built into `programs`. It is kept
 * in `cache` by what goes into it.
 * @throws CommandError where dpkg-deb is missing or refuses
 */
export async function tailscalePackage({
  programs,
  cache,
}: {
  programs: string;
  cache: string;
}): Promise<string> {
  const architecture = debianArchitecture(process.arch);
  const hash = createHash('sha256').update(JSON.stringify([MADE_AS, architecture, LAYOUT]));
  for (const { from } of LAYOUT) hash.update(readFileSync(join(programs, from)));
  const kept = join(cache, 'packages', `${hash.digest('hex').slice(0, 16)}.deb`);
  if (existsSync(kept)) return kept;

  mkdirSync(dirname(kept), { recursive: true });
  const work = mkdtempSync(join(dirname(kept), 'unfinished-'));
  try {
    const root = join(work, 'root');
    chmodSync(work, 0o755);
    for (const { from, to, mode } of LAYOUT) {
      mkdirSync(join(root, dirname(to)), { recursive: true });
      copyFileSync(join(programs, from), join(root, to));
      chmodSync(join(root, to), mode);
    }
    const { stdout } = await runCommand(join(programs, 'tailscale'), ['version']);
    writeFileSync(join(root, 'DEBIAN/control'), control(stdout.split('\n', 1)[0] ?? '', architecture));
    writeFileSync(join(root, 'DEBIAN/conffiles'), '/etc/default/tailscaled\n');
    const unfinished = join(work, 'package.deb');
    // Fast to pack and to unpack: it only travels within one computer.
    await runCommand('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z1', '--build', root, unfinished]);
    renameSync(unfinished, kept);
    return kept;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function control(version: string, architecture: string): string {
  return `Package: tailscale
Version: ${version}
Section: net
Priority: extra
Architecture: ${architecture}
Maintainer: the local cloud <sandbox@sandbox.example>
Depends: iptables
Conflicts: tailscale-relay
Replaces: tailscale-relay
Homepage: https://www.tailscale.com
Description: Tailscale's client, built from its Go module
`;
}

function debianArchitecture(arch: string): string {
  const known: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
  return known[arch] ?? arch;
}
