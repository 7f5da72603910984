import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostKeyFromSeed } from '../../../cloud-init';
import { checkTags } from '../../../components/preflight';
import { readPublicKeys } from '../../../components/preflight/ssh-keys';
import { access, least, type Raw } from '../configs';
import { Stand, faultsIn } from './stand';

const key = (name: string) =>
  hostKeyFromSeed(createHash('sha256').update(name).digest(), `${name}@example.com`);
const withKeys = (...sshKeys: string[]): Raw => ({ ...least, access: { ...access, sshKeys } });

describe('preflight: SSH keys', () => {
  const stand = new Stand({ hetzner: { limits: { sshKeys: 100 } } });
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'keys-'));
    writeFileSync(join(folder, 'anna.pub'), `${key('anna').publicKey}\n`);
    writeFileSync(join(folder, 'anna'), key('anna').privateKey);
  });
  after(() => rmSync(folder, { recursive: true }));

  const fingerprint = (name: string): string =>
    createHash('md5')
      .update(Buffer.from(key(name).publicKey.split(' ')[1]!, 'base64'))
      .digest('hex')
      .match(/../g)!
      .join(':');
  const plans = async (...keys: string[]) =>
    (await stand.ask(withKeys(...keys), { directory: folder })).sshKeys;
  const register = async (name: string, labels: Record<string, string> = {}): Promise<number> => {
    const answer = await stand.hetzner('POST', '/ssh_keys', {
      name,
      public_key: key(name).publicKey,
      labels,
    });
    return (answer as { ssh_key: { id: number } }).ssh_key.id;
  };

  it('are read from files and from the configuration itself, each once', async () => {
    assert.deepEqual(await plans('anna.pub', key('ben').publicKey, key('anna').publicKey), [
      { kind: 'own', key: { line: key('anna').publicKey, fingerprint: fingerprint('anna') }, exists: false },
      { kind: 'own', key: { line: key('ben').publicKey, fingerprint: fingerprint('ben') }, exists: false },
    ]);
  });

  it('that the project has are reused by fingerprint, whatever their name and page', async () => {
    for (let other = 0; other < 55; other += 1) await register(`other-${other}`);
    const id = await register('ben');
    assert.deepEqual(await plans(key('ben').publicKey), [
      {
        kind: 'reuse',
        id,
        name: 'ben',
        key: { line: key('ben').publicKey, fingerprint: fingerprint('ben') },
      },
    ]);
  });

  it('that carry this stack’s labels stay the stack’s own; another stack’s are reused', async () => {
    const labels = { 'managed-by': 'hcloud-worker-pools', stack: 'production' };
    await register('anna', labels);
    await register('ben', { ...labels, stack: 'staging' });
    await register('cleo', { stack: 'production' });
    const kinds = (await plans(...['anna', 'ben', 'cleo'].map((name) => key(name).publicKey))).map(
      ({ kind }) => kind,
    );
    assert.deepEqual(kinds, ['own', 'reuse', 'reuse']);
  });

  it('a file that is missing is a fault', async () => {
    assert.deepEqual(await stand.faults(withKeys('anna.pub', 'ben.pub'), { directory: folder }), [
      'worker-pools:access.sshKeys[1]: there is no file ben.pub; give the path of a public key, or make one with `ssh-keygen -t ed25519`',
    ]);
  });

  it('a private key’s file is a fault, and nothing of it is shown', async () => {
    assert.deepEqual(await stand.faults(withKeys('anna'), { directory: folder }), [
      'worker-pools:access.sshKeys[0]: anna is not an OpenSSH public key ("ssh-ed25519 AAAA… comment")',
    ]);
  });

  const pasted: [string, string][] = [
    ['a private key', key('anna').privateKey],
    ['a private key in one line', key('anna').privateKey.replaceAll('\n', ' ')],
    ['a private key without its frame', key('anna').privateKey.split('\n')[1]!],
  ];
  for (const [what, text] of pasted) {
    it(`${what} in place of a path is a fault, and nothing of it is shown`, async () => {
      const faults = await stand.faults(withKeys(text), { directory: folder });
      assert.deepEqual(faults, [
        'worker-pools:access.sshKeys[0]: this is neither a public key nor the path of one; give one of them, or make a key with `ssh-keygen -t ed25519`',
      ]);
    });
  }

  it('of every kind that OpenSSH makes are taken, others are not', () => {
    const blob = randomBytes(51).toString('base64');
    const kinds = {
      'ssh-ed25519': true,
      'ssh-rsa': true,
      'ecdsa-sha2-nistp256': true,
      'sk-ssh-ed25519@openssh.com': true,
      'ssh-dss': false,
    };
    for (const [kind, taken] of Object.entries(kinds)) {
      const { keys } = readPublicKeys([`${kind} ${blob} me@example.com`], folder);
      assert.equal(keys.length === 1, taken, kind);
    }
  });
});

describe('preflight: zone and tags', () => {
  const stand = new Stand({
    cloudflare: { zones: ['sandbox.example', 'example.org'] },
    tailscale: {
      tagOwners: { 'tag:worker': ['autogroup:admin'], 'tag:other': ['autogroup:admin'] },
      oauthClients: [{ description: '', scopes: ['auth_keys', 'devices:core'], tags: ['tag:worker'] }],
    },
  });

  it('a zone of the account is found', async () => {
    const { zoneId } = await stand.ask({ ...least, dns: { zone: 'example.org' } });
    assert.match(zoneId!, /^[0-9a-f]{32}$/);
  });

  it('a zone that is not in the account is a fault, with what is', async () => {
    assert.deepEqual(await stand.faults({ ...least, dns: { zone: 'example.com' } }), [
      'worker-pools:dns.zone: the Cloudflare token sees no zone "example.com". Did you mean "example.org"? It sees: sandbox.example, example.org.',
    ]);
  });

  it('tags that the OAuth client may give pass, and no key is left of the question', async () => {
    const question = stand.question(least);
    assert.deepEqual(await faultsIn(checkTags(question), question.credentials), []);
    assert.deepEqual(
      stand.writes().map((line) => line.replace(/keys\/.*/, 'keys/…')),
      ['POST /api/v2/tailnet/-/keys', 'DELETE /api/v2/tailnet/-/keys/…'],
    );
  });

  it('a tag that it may not give is a fault', async () => {
    const question = stand.question({ ...least, access: { ...access, tags: ['tag:other'] } });
    const faults = await faultsIn(checkTags(question), question.credentials);
    assert.equal(faults.length, 1);
    assert.match(
      faults[0]!,
      /^worker-pools:access\.tags: Tailscale refuses tag:other: .*tag.*\. Give the OAuth client these tags \(a client with several must be asked for all of them, or for one that its tag owns\), or change the list$/,
    );
  });

  it('the check before a plan leaves the tags alone: asking for a key is no read', async () => {
    await stand.ask({ ...least, access: { ...access, tags: ['tag:other'] } });
    assert.deepEqual(stand.writes(), []);
  });
});
