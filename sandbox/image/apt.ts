import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../kernel/command';

/** Where this machine gets Debian's packages from; images and their guests use the same. */
export interface Archive {
  /** Base address of the release itself. */
  main: string;
  /** Base address of its security updates, if this machine has one. */
  security: string | undefined;
  /** apt's own settings about fetching, one per line: a mirror that stands still needs `Check-Valid-Until "false"`. */
  settings: string;
}

/**
 * Reads apt's configuration, in both of its formats.
 * @throws Error when no archive of Debian is configured
 */
export async function archiveOf(folder = '/etc/apt'): Promise<Archive> {
  const entries = sourceFiles(folder).flatMap((file) => entriesOf(file));
  const main = entries.find(({ suite }) => /^[a-z]+$/.test(suite) && !isOthers(suite));
  if (!main) throw new Error(`${folder} names no archive of Debian's packages: images are made of them`);
  const security = entries.find(({ suite }) => suite === `${main.suite}-security`);
  const { stdout } = await runCommand('apt-config', ['dump']);
  const settings = stdout.split('\n').filter((line) => /^Acquire::(Check-|https?::Proxy )/.test(line));
  return { main: main.uri, security: security?.uri, settings: settings.map((line) => `${line}\n`).join('') };
}

/** The same archive for one release, as /etc/apt/sources.list.d/debian.sources. */
export function debianSources({ main, security }: Archive, suite: string): string {
  const stanza = (uri: string, suites: string): string =>
    `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n`;
  const stanzas = [stanza(main, `${suite} ${suite}-updates`)];
  if (security !== undefined) stanzas.push(stanza(security, `${suite}-security`));
  return stanzas.join('\n');
}

interface Entry {
  uri: string;
  suite: string;
}

const isOthers = (suite: string): boolean => ['stable', 'nodistro', 'main'].includes(suite);

function sourceFiles(folder: string): string[] {
  const list = (name: string): string[] => {
    try {
      return readdirSync(join(folder, name)).sort();
    } catch {
      return [];
    }
  };
  const parts = list('sources.list.d').filter((name) => /\.(list|sources)$/.test(name));
  return [
    ...(list('.').includes('sources.list') ? ['sources.list'] : []),
    ...parts.map((name) => join('sources.list.d', name)),
  ].map((name) => join(folder, name));
}

function entriesOf(file: string): Entry[] {
  const text = readFileSync(file, 'utf8');
  return file.endsWith('.sources')
    ? text.split(/\n\s*\n/).flatMap(ofStanza)
    : text.split('\n').flatMap(ofLine);
}

function ofLine(line: string): Entry[] {
  const [, uri, suite] = /^deb\s+(?:\[[^\]]*\]\s+)?(\S*debian\S*)\s+(\S+)/.exec(line) ?? [];
  return uri === undefined || suite === undefined ? [] : [{ uri, suite }];
}

function ofStanza(stanza: string): Entry[] {
  const field = (name: string): string[] =>
    new RegExp(`^${name}:(.*)$`, 'mi').exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
  if (!field('Types').includes('deb') || field('Enabled')[0] === 'no') return [];
  return field('URIs')
    .filter((uri) => uri.includes('debian'))
    .flatMap((uri) => field('Suites').map((suite) => ({ uri, suite })));
}
