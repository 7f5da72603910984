import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { WORKLOAD_SECRET } from './configs';
import { project, tailnetState } from './cloud';
import { type Environment, REGISTRATION_SECRET } from './harness';

/** The values that nobody may read in a state, a log or a preview, with what they are. */
export class Secrets {
  private readonly found = new Map<string, string>();

  constructor(private readonly environment: Environment) {
    const { hetzner, tailscale, cloudflare } = environment.sandbox.endpoints;
    this.add('the Hetzner token', hetzner.token);
    this.add('the OAuth secret', tailscale.oauthClientSecret);
    this.add('the Cloudflare token', cloudflare.token);
    this.add('the registration secret', REGISTRATION_SECRET);
    this.add('the workload’s secret', WORKLOAD_SECRET);
  }

  /** Takes in what exists now: the tailnet's keys, and what is in the machines' user data. */
  observe(): void {
    for (const { id, secret } of Object.values(tailnetState(this.environment.sandbox).keys)) {
      this.add(`auth key ${id}`, secret);
    }
    for (const { name, userData } of Object.values(project(this.environment.sandbox).servers)) {
      if (userData === null) continue;
      this.add(`user data of ${name}`, userData);
      const plain = gunzipSync(Buffer.from(userData, 'base64')).toString();
      this.add(`decoded user data of ${name}`, plain);
      const [hostKey] = /-----BEGIN OPENSSH PRIVATE KEY-----[^-]+/.exec(plain) ?? [];
      // The first lines of a key are the same for all keys.
      const body = (hostKey ?? '').split('\n').map((line) => line.trim());
      this.add(`host key of ${name}`, body.filter((line) => line.length > 0).at(-2) ?? '');
      for (const [token] of plain.matchAll(/\b[0-9a-f]{64}\b/g)) this.add(`token of ${name}`, token);
    }
  }

  /** What the values are of, so that a test can tell that it looks for something. */
  kinds(): string[] {
    const kinds = [...this.found.values()].map((what) => what.replace(/( of| key)? \S+\d\S*$/, '$1'));
    return [...new Set(kinds)].sort();
  }

  /** `what in where` for every secret that stands in plain text, base64 or JSON somewhere. */
  leaks(): string[] {
    const texts = [
      ...files(this.environment.backend).map((file) => ({ where: file, text: readFileSync(file, 'latin1') })),
      ...this.environment.transcripts.map((text, index) => ({ where: `output ${index}`, text })),
    ];
    return [...this.found].flatMap(([value, what]) =>
      texts
        .filter(({ text }) => spellings(value).some((spelling) => text.includes(spelling)))
        .map(({ where }) => `${what} in ${where}`),
    );
  }

  private add(what: string, value: string): void {
    if (value.length < 12) throw new Error(`${what} is too short to be looked for: "${value}"`);
    this.found.set(value, what);
  }
}

/** How a value is written: as it is, within JSON (once or twice), and in base64 at each of three offsets. */
function spellings(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const twice = JSON.stringify(json).slice(1, -1);
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.from(' '.repeat(offset) + value)
      .toString('base64')
      .slice(4, -4),
  );
  return [value, json, twice, ...base64];
}

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
