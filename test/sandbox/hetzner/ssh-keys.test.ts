import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { utils } from 'ssh2';
import { plainServer, startCloud, type TestCloud } from './support';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOdaW9n75dkxEutoRya1nb/dFmomzltM/19eblAQJ4Xn a@example';
const FINGERPRINT = '66:16:89:6e:c9:39:03:e1:6c:73:b5:43:65:f0:7b:9b';

describe('hetzner ssh keys', () => {
  let cloud: TestCloud;
  beforeEach(async () => {
    cloud = await startCloud();
  });
  afterEach(() => cloud.close());

  it('carry the MD5 fingerprint, by which they are found', async () => {
    const id = await cloud.make('/ssh_keys', { name: 'k', public_key: KEY });
    const found = await cloud.call('GET', `/ssh_keys?fingerprint=${FINGERPRINT}`);
    assert.equal(found.get('ssh_keys.0.id'), id);
    assert.equal(found.get('ssh_keys.0.public_key'), KEY);
  });

  it('are unique by name and by fingerprint', async () => {
    await cloud.make('/ssh_keys', { name: 'k', public_key: KEY });
    const sameKey = await cloud.call('POST', '/ssh_keys', { name: 'l', public_key: KEY.replace('a@', 'b@') });
    assert.deepEqual([sameKey.status, sameKey.code], [409, 'uniqueness_error']);
    assert.equal(sameKey.get('error.message'), 'SSH key with the same fingerprint already exists');
    assert.deepEqual(sameKey.get('error.details.fields'), [{ name: 'public_key' }]);
    const { public: other } = utils.generateKeyPairSync('ed25519');
    const sameName = await cloud.call('POST', '/ssh_keys', { name: 'k', public_key: other });
    assert.deepEqual([sameName.status, sameName.get('error.details.fields')], [409, [{ name: 'name' }]]);
  });

  for (const [type, bits] of [
    ['rsa', 2048],
    ['ecdsa', 256],
    ['ed25519', undefined],
  ] as const) {
    it(`may be of type ${type}`, async () => {
      const options = bits === undefined ? undefined : { bits };
      const { public: key } = utils.generateKeyPairSync(type as 'rsa', options as { bits: number });
      const reply = await cloud.call('POST', '/ssh_keys', { name: 'k', public_key: `${key} a comment` });
      assert.equal(reply.status, 201);
    });
  }

  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  for (const [what, key] of [
    ['nothing', ''],
    ['words', 'my key'],
    ['a cut key', KEY.slice(0, 40)],
    ['a private key', pem],
    ['another type than its blob', KEY.replace('ssh-ed25519', 'ssh-rsa')],
  ] as const) {
    it(`are not ${what}`, async () => {
      const reply = await cloud.call('POST', '/ssh_keys', { name: 'k', public_key: key });
      assert.deepEqual([reply.status, reply.code], [422, 'invalid_input']);
      assert.equal(reply.get('error.details.fields.0.name'), 'public_key');
    });
  }

  it('reach the machine, and spare it a password', async () => {
    const id = await cloud.make('/ssh_keys', { name: 'k', public_key: KEY });
    const reply = await cloud.call('POST', '/servers', plainServer('web', { ssh_keys: [id] }));
    assert.equal(reply.get('root_password'), null);
    cloud.advance(10);
    assert.deepEqual(cloud.starts[0]?.sshPublicKeys, [KEY]);
  });

  it('are renamed, relabelled and deleted', async () => {
    const id = await cloud.make('/ssh_keys', { name: 'k', public_key: KEY });
    const changed = await cloud.call('PUT', `/ssh_keys/${id}`, { name: 'l', labels: { a: 'b' } });
    assert.deepEqual([changed.get('ssh_key.name'), changed.get('ssh_key.labels')], ['l', { a: 'b' }]);
    assert.equal((await cloud.call('DELETE', `/ssh_keys/${id}`)).status, 204);
    assert.equal((await cloud.call('GET', `/ssh_keys/${id}`)).status, 404);
  });
});
