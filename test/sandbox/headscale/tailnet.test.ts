import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HeadscaleClient } from '../../../sandbox/headscale/client';
import { HeadscaleTailnet } from '../../../sandbox/headscale/tailnet';
import { EnrolmentRefusedError } from '../../../sandbox/kernel/lifecycle';
import { TailscaleError } from '../../../sandbox/tailscale/errors';
import type { Device } from '../../../sandbox/tailscale/state';

const NODE = {
  id: '7',
  name: 'ci-0007',
  givenName: 'ci-0007',
  machineKey: 'mkey:a',
  nodeKey: 'nodekey:b',
  ipAddresses: ['100.64.0.7', 'fd7a:115c:a1e0::7'],
  createdAt: '2026-10-01T00:00:00Z',
  lastSeen: '2026-10-01T00:01:00Z',
  expiry: '0001-01-01T00:00:00Z',
  online: false,
  preAuthKey: { ephemeral: true },
  forcedTags: ['tag:worker'],
  validTags: ['tag:worker'],
  availableRoutes: [],
  approvedRoutes: [],
};

describe('A tailnet that headscale keeps', () => {
  let headscale: Server;
  let nodes: unknown[];
  let tailnet: HeadscaleTailnet;
  let device: Device;

  beforeEach(async () => {
    nodes = [NODE];
    // Lists, and fails at everything else.
    headscale = createServer((request, response) => {
      const listing = request.method === 'GET' && request.url === '/api/v1/node';
      response.writeHead(listing ? 200 : 500).end(JSON.stringify(listing ? { nodes } : { message: 'no' }));
    });
    await new Promise<void>((resolve) => headscale.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(headscale.address() as AddressInfo).port}`;
    tailnet = new HeadscaleTailnet(new HeadscaleClient(url, 'key'), '1', {});
    const [first] = await tailnet.devices();
    assert.ok(first);
    device = first;
  });
  afterEach(async () => {
    headscale.closeAllConnections();
    await new Promise((resolve) => headscale.close(resolve));
  });

  it('shows its nodes as devices', () => {
    assert.deepEqual(device, {
      nodeId: 'n00000000007CNTRL',
      id: '7',
      hostname: 'ci-0007',
      label: 'ci-0007',
      ipv4: '100.64.0.7',
      ipv6: 'fd7a:115c:a1e0::7',
      os: 'linux',
      tags: ['tag:worker'],
      authorized: true,
      ephemeral: true,
      online: false,
      createdAt: Date.parse('2026-10-01T00:00:00Z'),
      lastSeenAt: Date.parse('2026-10-01T00:01:00Z'),
      keyExpiresAt: undefined,
      machineKey: 'mkey:a',
      nodeKey: 'nodekey:b',
      advertisedRoutes: [],
      enabledRoutes: [],
    });
    assert.deepEqual(tailnet.lastKnownDevices(), [device]);
  });

  it('takes a device for removed that went by itself meanwhile', async () => {
    nodes = [];
    await tailnet.removeDevice(device);
  });

  it('does not take a device for removed that is still there', async () => {
    await assert.rejects(tailnet.removeDevice(device), TailscaleError);
  });

  for (const [what, changes] of Object.entries({
    'another address': { ipv4: '100.64.0.9' },
    'no approval': { authorized: false },
    'an expiry of the node key': { keyExpiresAt: 1 },
  }))
    it(`refuses ${what}, which headscale has not`, async () => {
      await assert.rejects(tailnet.changeDevice(device, changes), /not part of the sandbox's real tailnet/);
    });

  it('lets no machine in that is only played', () => {
    assert.throws(() => tailnet.enrol(), EnrolmentRefusedError);
  });
});
