import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { runCommand } from '../kernel/command';

/** A package that a repository has. */
export interface IndexedPackage {
  file: string;
  /** Its path below the repository's address. */
  path: string;
  architecture: string;
  /** Its paragraph of the index. */
  entry: string;
}

/** What apt wants to know of a package: its own control file, where it is, and its checksum. */
export async function indexPackage(file: string): Promise<IndexedPackage> {
  const control = (await runCommand('dpkg-deb', ['--field', file])).stdout.trimEnd();
  const field = (name: string): string =>
    new RegExp(`^${name}: (.+)$`, 'm').exec(control)?.[1] ?? basename(file);
  const architecture = field('Architecture');
  const path = `pool/${field('Package')}_${field('Version')}_${architecture}.deb`;
  const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
  return {
    file,
    path,
    architecture,
    entry: `${control}\nFilename: ${path}\nSize: ${statSync(file).size}\nSHA256: ${sum}\n`,
  };
}

/** The index files of one suite with one component, `main`, by their path below `dists/<suite>`; `Release` unsigned. */
export function suiteFiles(
  { distribution, suite }: { distribution: string; suite: string },
  packages: readonly IndexedPackage[],
  at: Date,
): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const architectures = [...new Set(packages.map(({ architecture }) => architecture))];
  for (const architecture of architectures) {
    const index = packages
      .filter((one) => one.architecture === architecture)
      .map(({ entry }) => entry)
      .join('\n');
    files.set(`main/binary-${architecture}/Packages`, Buffer.from(index));
    files.set(`main/binary-${architecture}/Packages.gz`, gzipSync(index));
  }
  const sums = [...files].map(
    ([path, content]) => ` ${createHash('sha256').update(content).digest('hex')} ${content.length} ${path}\n`,
  );
  const release = `Origin: sandbox
Label: sandbox ${distribution}
Suite: ${suite}
Codename: ${suite}
Date: ${at.toUTCString().replace('GMT', 'UTC')}
Architectures: ${architectures.join(' ')}
Components: main
SHA256:
${sums.join('')}`;
  files.set('Release', Buffer.from(release));
  return files;
}
