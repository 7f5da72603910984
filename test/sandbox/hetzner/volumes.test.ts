import assert from 'node:assert/strict';
import { plainServer, startCloud } from './support';

describe('hetzner volumes', () => {
  it('are made, attached to a server of their location, detached when it goes, and deleted', async () => {
    const cloud = await startCloud();
    try {
      const server = await cloud.make('/servers', plainServer('web'));
      cloud.advance(10);
      const far = await cloud.make('/volumes', { name: 'far', size: 10, location: 'nbg1' });
      const id = await cloud.make('/volumes', { name: 'data', size: 10, location: 'fsn1' });
      const attach = (volume: number) => cloud.call('POST', `/volumes/${volume}/actions/attach`, { server });
      assert.equal((await attach(far)).code, 'invalid_input');
      assert.equal((await attach(id)).status, 201);
      assert.equal((await attach(id)).code, 'volume_already_attached');
      cloud.advance(2);
      assert.deepEqual((await cloud.call('GET', `/servers/${server}`)).get('server.volumes'), [id]);
      assert.equal((await cloud.call('DELETE', `/volumes/${id}`)).code, 'invalid_input');
      await cloud.call('DELETE', `/servers/${server}`);
      cloud.advance(1);
      assert.equal((await cloud.call('GET', `/volumes/${id}`)).get('volume.server'), null);
      assert.equal((await cloud.call('DELETE', `/volumes/${id}`)).status, 204);
      const small = await cloud.call('POST', '/volumes', { name: 's', size: 9, location: 'fsn1' });
      assert.equal(small.get('error.details.fields.0.name'), 'size');
    } finally {
      await cloud.close();
    }
  });
});
