import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox';
import type { TailnetEndpoints } from '../../sandbox/headscale';
import { keepsTheContract } from '../sandbox/tailscale/contract';
import { keyRequest } from '../sandbox/tailscale/tailnet';
import { tailnetApi, type TailnetApi } from './tailnet-api';
import { TailscaleClient } from './tailscale-client';

describe('A real tailnet', function () {
  this.timeout(120_000);
  let sandbox: Sandbox;
  let tailnet: TailnetEndpoints;
  const clients: TailscaleClient[] = [];

  before(async function () {
    // Where nothing is cached yet, this is where its programs are built.
    this.timeout(20 * 60_000);
    sandbox = await startSandbox({ tailnetKind: 'headscale' }, { log: (line) => console.error(line) });
    assert.ok(sandbox.endpoints.tailnet);
    tailnet = sandbox.endpoints.tailnet;
  });
  after(() => sandbox.close());
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
  });

  const call: TailnetApi = (...request) => tailnetApi(sandbox.endpoints.tailscale)(...request);
  const newKey = async (create: object = {}): Promise<string> =>
    ((await call('POST', '/api/v2/tailnet/-/keys', keyRequest(create))).body as { key: string }).key;
  const connect = async (
    authKey: string,
    hostname: string,
    options: Parameters<typeof TailscaleClient.start>[1] = {},
  ): Promise<TailscaleClient> => {
    const client = await TailscaleClient.start(tailnet.programs, options);
    clients.push(client);
    await client.up(tailnet.hostLoginServer, authKey, hostname);
    return client;
  };

  describe('keeps the contract of the API', () => {
    keepsTheContract(() => ({
      call,
      join: async (authKey, hostname) => {
        const client = await connect(authKey, hostname);
        return { logout: async () => void (await client.tailscale('logout')) };
      },
      pass: (seconds) => sleep(seconds * 1000),
    }));
  });

  it('logs a machine out whose device the API deletes', async () => {
    const client = await connect(await newKey({ ephemeral: true }), 'logged-out');
    assert.equal((await client.status()).state, 'Running');
    const listed = await call('GET', '/api/v2/tailnet/-/devices?hostname=logged-out');
    const [device] = (listed.body as { devices: { nodeId: string; addresses: string[] }[] }).devices;
    assert.deepEqual(device?.addresses, (await client.status()).addresses);

    await call('DELETE', `/api/v2/device/${device.nodeId}`);
    while ((await client.status()).state === 'Running') await sleep(500);
    assert.match((await client.status()).state, /^NeedsLogin$/);
  });

  it('ends with the process that started it, and leaves nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tailnet-'));
    const child = spawn(
      process.execPath,
      ['--require', 'tsx/cjs', 'sandbox/main.ts', '--tailnet', 'headscale'],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, TMPDIR: folder },
      },
    );
    const ours = (): string[] => readdirSync(folder).filter((name) => name.startsWith('sandbox-'));
    try {
      const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
      const { hostLoginServer } = (JSON.parse(line) as { tailnet: TailnetEndpoints }).tailnet;
      assert.equal((await fetch(`${hostLoginServer}/health`)).status, 200);
      assert.equal(ours().length, 1);
      child.kill('SIGKILL');
      while (await fetch(`${hostLoginServer}/health`).then(Boolean, () => false)) await sleep(100);
      while (ours().length > 0) await sleep(100);
    } finally {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  });

  describe('between two machines that only the relay connects', () => {
    let service: Server;
    before(async () => {
      service = createServer((_request, response) => response.end('jobs'));
      await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    });
    after(() => service.close());

    it('carries connections by name', async () => {
      const { port } = service.address() as AddressInfo;
      await connect(await newKey({ ephemeral: true }), 'worker', { relayedOnly: true });
      const host = await connect(await newKey({ ephemeral: true }), 'operator', { relayedOnly: true });
      assert.match(
        await host.tailscale('ping', '--c=1', '--until-direct=false', 'worker'),
        /via DERP\(sandbox\)/,
      );
      assert.match(
        await host.ask('worker', port, 'GET / HTTP/1.0\r\n\r\n'),
        /^HTTP\/1\.1 200 OK[^]*\r\n\r\njobs$/,
      );
    });

    it('carries any program’s connections by address, for a machine with an interface of its own', async () => {
      const { port } = service.address() as AddressInfo;
      const worker = await connect(await newKey({ ephemeral: true }), 'worker', { relayedOnly: true });
      const [address] = (await worker.status()).addresses;
      const networkInterface = 'sandbox-tailnet';
      await connect(await newKey({ ephemeral: true }), 'operator', { networkInterface });
      const answer = await fetch(`http://${address}:${port}/`, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(60_000),
      });
      assert.equal(await answer.text(), 'jobs');
    });
  });
});
