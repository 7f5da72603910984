import assert from 'node:assert/strict';
import { startTailnet, type Tailnet } from './tailnet';

const DEVICES = '/api/v2/tailnet/-/devices';

describe('Tailscale state', () => {
  let tailnet: Tailnet;
  beforeEach(async () => {
    tailnet = await startTailnet();
  });
  afterEach(() => tailnet.close());
  const names = async (): Promise<string[]> =>
    ((await tailnet.call('GET', DEVICES)).body as { devices: { name: string }[] }).devices.map(
      ({ name }) => name,
    );

  it('comes back from a snapshot as JSON, and what was planned goes on', async () => {
    const device = tailnet.enrol((await tailnet.newKey({ ephemeral: true })).key, 'worker');
    tailnet.tailscale.setOnline(device.nodeId, false);
    const state: unknown = JSON.parse(JSON.stringify(tailnet.tailscale.snapshot()));
    const events = tailnet.kernel.schedule.snapshot();
    await tailnet.tailscale.reset();
    assert.deepEqual(await names(), []);
    tailnet.tailscale.restore(state);
    tailnet.kernel.schedule.restore(events);
    assert.deepEqual(JSON.parse(JSON.stringify(tailnet.tailscale.snapshot())), state);
    assert.deepEqual(await names(), ['worker.sandbox.ts.net']);
    tailnet.kernel.schedule.advance(2_700_000);
    assert.deepEqual(await names(), []);
  });

  it('brings its credentials along into a sandbox that drew others', async () => {
    const other = await startTailnet({ enableApiKey: true });
    const { oauthClient } = tailnet.tailscale;
    assert.notDeepEqual(other.tailscale.oauthClient, undefined);
    other.tailscale.restore(tailnet.tailscale.snapshot());
    assert.deepEqual(other.tailscale.oauthClient, oauthClient);
    assert.equal((await other.call('GET', DEVICES)).status, 200);
    await other.close();
  });

  it('keeps its credentials over a reset, and nothing else', async () => {
    const { oauthClient } = tailnet.tailscale;
    tailnet.enrol((await tailnet.newKey()).key);
    await tailnet.newKey();
    await tailnet.call('POST', '/api/v2/tailnet/-/acl', '{}');
    await tailnet.tailscale.reset();
    assert.deepEqual(tailnet.tailscale.oauthClient, oauthClient);
    assert.deepEqual(await names(), []);
    assert.deepEqual((await tailnet.call('GET', '/api/v2/tailnet/-/keys')).body, { keys: [] });
    assert.equal((await tailnet.newKey()).id.length > 0, true);
    assert.deepEqual([...tailnet.takenAddresses], []);
    assert.equal(tailnet.kernel.schedule.snapshot().length, 1);
  });

  it('refuses what is not a snapshot', () => {
    assert.throws(() => tailnet.tailscale.restore({}), /not a snapshot of the local tailnet/);
  });

  it('gives the vendor’s error body to scripted faults', () => {
    assert.deepEqual(tailnet.tailscale.errorBody(500, 'internal', 'try again'), { message: 'try again' });
  });
});
