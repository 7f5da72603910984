import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { utils } from 'ssh2';
import { hostKeyFromSeed } from '../../cloud-init';
import { inFolder, run } from './programs';

const seed = Buffer.from(Array.from({ length: 32 }, (_, index) => index));

describe('a host key from a seed', function () {
  this.timeout(60_000);
  it('is the key of RFC 8032 for that seed', () => {
    // RFC 8032, 7.1, test 1.
    const known = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
    const point = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
    const [type, blob, comment] = hostKeyFromSeed(known, 'a comment').publicKey.split(/ (.*?) /);
    assert.equal(type, 'ssh-ed25519');
    assert.equal(comment, 'a comment');
    assert.equal(
      Buffer.from(blob ?? '', 'base64')
        .subarray(-32)
        .toString('hex'),
      point,
    );
  });

  it('is read by OpenSSH', () =>
    inFolder((folder) => {
      for (const comment of ['', 'ci-000a', 'seven 7', 'with a longer comment @ host']) {
        const { privateKey, publicKey } = hostKeyFromSeed(seed, comment);
        const path = join(folder, 'key');
        writeFileSync(path, privateKey, { mode: 0o600 });
        assert.equal(run('ssh-keygen', ['-y', '-f', path]).trim(), publicKey);
      }
    }));

  it('is the same for the same seed, another for another, and read by ssh2', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.stringMatching(/^[\w.@-]{0,40}$/),
        (bytes, comment) => {
          const key = hostKeyFromSeed(Buffer.from(bytes), comment);
          assert.deepEqual(hostKeyFromSeed(Buffer.from(bytes), comment), key);
          assert.notEqual(
            hostKeyFromSeed(Buffer.from(bytes.map((byte) => byte ^ 1)), comment).publicKey,
            key.publicKey,
          );
          const parsed = utils.parseKey(key.privateKey);
          if (parsed instanceof Error || Array.isArray(parsed)) throw new Error('ssh2 does not read the key');
          assert.equal(parsed.type, 'ssh-ed25519');
          assert.equal(parsed.comment, comment);
          assert.equal(
            `ssh-ed25519 ${parsed.getPublicSSH().toString('base64')} ${comment}`.trimEnd(),
            key.publicKey,
          );
          const signature = parsed.sign('message');
          const check = utils.parseKey(key.publicKey);
          if (check instanceof Error || Array.isArray(check) || signature instanceof Error)
            throw new Error('no signature');
          assert.equal(check.verify('message', signature), true);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('needs a seed of 32 bytes', () => {
    assert.throws(() => hostKeyFromSeed(seed.subarray(1), ''), {
      name: 'RangeError',
      message: "a host key's seed is 32 bytes long, not 31",
    });
  });
});
