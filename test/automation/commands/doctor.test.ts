import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bounded, type Finding } from '../../../automation/doctor/finding';
import { checkClock, checkFiles, checkNode } from '../../../automation/doctor/machine';
import { checkQueues } from '../../../automation/doctor/queues';
import type { Question } from '../../../automation/doctor/question';
import { readRegistry } from '../../../automation/doctor/registry';
import { checkService, checkWorkerUrl, isPublicPlain } from '../../../automation/doctor/service';
import { lockFinding } from '../../../automation/doctor/stack';
import { checkVendors, type VendorFindings } from '../../../automation/doctor/vendors';
import { openRegistry } from '../../../automation/registry';
import { parseStackConfig } from '../../../components/model/config';
import type { Credentials } from '../../../components/preflight/credentials';
import { type Sandbox, startSandbox } from '../../../sandbox/sandbox';
import type { Raw } from '../../engine/configs';
import { ADMIN_TOKEN, type AdminListener, adminListener } from '../http/admin-listener';
import { NOW } from '../http/status';
import { emptyDatabase, sql } from '../registry/databases';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPcJ0pWCJhHbGaBbdlfBeWbmYAqQ0P2ZmyyYX6fGYmR1 tests';
const NOWHERE = 'http://127.0.0.1:9';

const line = ({ check, level, seen, next }: Finding): string =>
  `${level} ${check}: ${seen}${next === undefined ? '' : ` → ${next}`}`;

describe('the doctor', function () {
  this.timeout(60_000);
  let folder: string;
  let question: Question;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'worker-pools-doctor-'));
    question = {
      stack: 'staging',
      project: folder,
      data: join(folder, 'data'),
      environment: {},
      secretFaults: [],
      service: NOWHERE,
      adminToken: ADMIN_TOKEN,
      tryTags: false,
      patienceMs: 5_000,
      now: () => NOW,
    };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  describe('of this machine', () => {
    for (const [version, level] of [
      ['20.18.3', 'failed'],
      ['18.20.0', 'failed'],
      ['20.19.0', 'ok'],
      ['22.1.0', 'ok'],
    ] as const) {
      it(`takes Node.js ${version} as ${level}`, () => assert.equal(checkNode(version).level, level));
    }

    for (const { off, text } of [
      { off: 5, text: 'ok clock: agrees with Hetzner’s within 5 s' },
      { off: -5, text: 'ok clock: agrees with Hetzner’s within 5 s' },
      { off: 6, text: 'warning clock: this machine is 6 s ahead of Hetzner’s clock' },
      { off: -90, text: 'warning clock: this machine is 90 s behind Hetzner’s clock' },
    ]) {
      it(`holds a clock that is ${off} s off against the vendor’s`, () => {
        const date = new Date(NOW * 1000).toUTCString();
        const [finding] = checkClock(date, NOW + off);
        assert.equal(line(finding!).split(' → ')[0], text);
      });
    }

    it('concludes nothing from an answer without a date', () => {
      assert.deepEqual(checkClock(null, NOW), []);
    });

    it('finds what others can open, and the secret files that were refused', () => {
      mkdirSync(question.data, { mode: 0o700 });
      writeFileSync(join(question.data, 'admin-token'), 'x');
      chmodSync(join(question.data, 'admin-token'), 0o644);
      const secretFaults = [{ path: 'HCLOUD_TOKEN_FILE', message: '/t can be read by others; make it so' }];
      assert.deepEqual(checkFiles({ ...question, secretFaults }).map(line), [
        'failed files: HCLOUD_TOKEN_FILE: /t can be read by others → make it so',
        `failed files: others can open ${question.data}/admin-token (mode 644) → chmod go= ${question.data}/admin-token`,
      ]);
      chmodSync(join(question.data, 'admin-token'), 0o600);
      assert.deepEqual(checkFiles(question).map(line), [
        `ok files: ${question.data} is open to its owner only`,
      ]);
    });
  });

  describe('of a stack’s lock', () => {
    const lock = { user: 'anna', host: 'desk', pid: 4711, since: 1_790_000_000, path: '/x' };
    const who = 'held by anna@desk (process 4711) since 2026-09-21T14:13:20.000Z';
    for (const { ours, dead, text } of [
      { ours: false, dead: false, text: `warning lock: ${who} → wait for it to end; updates wait as well` },
      { ours: true, dead: false, text: `warning lock: ${who} → wait for it to end; updates wait as well` },
      {
        ours: true,
        dead: true,
        text: `warning lock: ${who}, which was the service and runs no more → start the service: it takes the lock away by itself`,
      },
      {
        ours: false,
        dead: true,
        text: `failed lock: ${who}, which runs no more → if nothing of it runs anywhere, \`pulumi cancel --stack staging\` takes the lock away`,
      },
    ]) {
      it(`tells who has it: ${ours ? 'ours' : 'somebody’s'}, ${dead ? 'dead' : 'alive'}`, () => {
        assert.equal(line(lockFinding('staging', lock, { ours, dead })), text);
      });
    }
  });

  describe('of the vendors', () => {
    let sandbox: Sandbox;
    before(async () => (sandbox = await startSandbox({ hetzner: { durationFactor: 0 } })));
    after(() => sandbox.close());
    afterEach(() => sandbox.faults.clear());

    const pool: Raw = {
      size: { min: 0, max: 7 },
      image: 'debian-12',
      placements: [{ serverType: 'cx33', location: 'fsn1' }],
    };
    const ask = ({
      config = {},
      credentials = {},
      ...changes
    }: {
      config?: Raw;
      credentials?: Partial<Credentials>;
    } & Partial<Question> = {}): Promise<VendorFindings> => {
      const { hetzner, tailscale, cloudflare } = sandbox.endpoints;
      return checkVendors({
        question: { ...question, now: () => Date.now() / 1000, ...changes },
        environment: 'staging',
        config: parseStackConfig('staging', {
          access: { connectivity: 'tailscale', sshKeys: [KEY], tags: ['tag:worker'] },
          registrationSecret: 'r'.repeat(32),
          pools: { ci: pool },
          ...config,
        }),
        credentials: {
          hetzner,
          tailscale: { ...tailscale, tailnet: '-', apiKey: undefined },
          cloudflare,
          ...credentials,
        },
        knownPools: ['ci'],
      });
    };

    it('finds all well where all is well, and makes nothing', async () => {
      const { hetzner, tailscale, cloudflare } = await ask();
      assert.deepEqual(hetzner.filter(({ check }) => check !== 'requests').map(line), [
        'ok token: may read and write',
        'note project limit: the API does not tell it; there are 0 servers now, and this stack may want up to 7 with 7 public IPv4 addresses (every pool at max, the gateway); ask for as many in the console under Limits',
        'ok clock: agrees with Hetzner’s within 5 s',
        'ok SSH keys: 1 found',
        'ok offers: every placement and image can be ordered',
      ]);
      assert.match(
        line(hetzner.find(({ check }) => check === 'requests')!),
        /^ok requests: \d+ of 3600 an hour left$/,
      );
      assert.deepEqual(tailscale.map(line), [
        'ok client: taken, and may read auth keys',
        'ok devices: can be read; 0 of this stack',
        'note tags: whether the client may give tag:worker is known only by making a key: --try-tags makes one and deletes it',
      ]);
      assert.deepEqual(cloudflare, []);
      assert.equal(
        sandbox.requests.list().filter(({ status, method }) => method !== 'GET' && status === 201).length,
        0,
      );
    });

    it('finds a wrong token, and asks nothing more with it', async () => {
      const { url } = sandbox.endpoints.hetzner;
      const { hetzner, tailscale } = await ask({ credentials: { hetzner: { url, token: 'x'.repeat(64) } } });
      assert.deepEqual(hetzner.map(line), [
        'failed token: hcloud:token: Hetzner refuses it (the token you have provided is invalid) → make a new one for this environment and set it with `pulumi config set --secret hcloud:token`',
        'ok SSH keys: 1 found',
      ]);
      assert.equal(tailscale[0]!.level, 'ok');
    });

    it('finds a token that may only read', async () => {
      const { url } = sandbox.endpoints.hetzner;
      const token = sandbox.hetzner.projects[0]!.readOnlyToken;
      const { hetzner } = await ask({ credentials: { hetzner: { url, token } } });
      assert.equal(
        line(hetzner[0]!),
        'failed token: may read only → make one with read and write access in the project, under Security',
      );
    });

    it('finds a token that is missing, and an end point that does not answer', async () => {
      const { url, token } = sandbox.endpoints.hetzner;
      const missing = await ask({ credentials: { hetzner: { url, token: undefined } } });
      assert.match(line(missing.hetzner[0]!), /^failed token: hcloud:token: is missing: set it with/);
      const silent = await ask({ credentials: { hetzner: { url: NOWHERE, token } } });
      assert.match(
        line(silent.hetzner[0]!),
        /^failed token: hcloud:endpoint: .*does not answer.* → is the end point right/,
      );
    });

    it('finds a key file that is missing', async () => {
      const access = { connectivity: 'tailscale', sshKeys: ['/nowhere/id.pub'], tags: ['tag:worker'] };
      const { hetzner } = await ask({ config: { access } });
      assert.match(
        hetzner.map(line).join('\n'),
        /failed SSH keys: worker-pools:access\.sshKeys\[0\]: there is no file \/nowhere\/id\.pub → give the path of a public key/,
      );
    });

    it('finds what cannot be ordered', async () => {
      const placements = [{ serverType: 'cx34', location: 'fsn1' }];
      const { hetzner } = await ask({ config: { pools: { ci: { ...pool, placements } } } });
      assert.match(
        hetzner.map(line).join('\n'),
        /failed offers: .*Hetzner has no server type "cx34"\. Did you mean "cx33"/,
      );
    });

    it('finds an OAuth client that is wrong', async () => {
      const { url, oauthClientId } = sandbox.endpoints.tailscale;
      const tailscale = {
        url,
        oauthClientId,
        oauthClientSecret: 'tskey-wrong',
        tailnet: '-',
        apiKey: undefined,
      };
      const found = (await ask({ credentials: { tailscale } })).tailscale.map(line);
      assert.equal(found.length, 1);
      assert.match(
        found[0]!,
        /^failed client: tailscale:oauthClientSecret: Tailscale refuses it .* → make a new one/,
      );
    });

    it('finds that devices may not be read', async () => {
      sandbox.faults.add({
        vendor: 'tailscale',
        method: 'GET',
        path: '/api/v2/tailnet/-/devices',
        status: 403,
        message: 'calling actor does not have enough permissions',
      });
      const { tailscale } = await ask();
      assert.match(
        line(tailscale[1]!),
        /^failed devices: cannot be read: .* → give the OAuth client the scope devices:core$/,
      );
    });

    it('tries the tags only when told to, and leaves no key', async () => {
      assert.equal(
        line((await ask({ tryTags: true })).tailscale[2]!),
        'ok tags: the client may give tag:worker',
      );
      const access = { connectivity: 'tailscale', sshKeys: [KEY], tags: ['tag:strange'] };
      const refused = line((await ask({ tryTags: true, config: { access } })).tailscale[2]!);
      assert.match(refused, /^failed tags: Tailscale refuses tag:strange: /);
    });

    it('tells of each vendor by itself, and of all that answers, where others are out of order', async () => {
      const broken = { status: 503, message: 'out of order', times: null };
      sandbox.faults.add({ ...broken, vendor: 'hetzner', method: 'GET', path: '^/v1/servers\\?per_page=1' });
      sandbox.faults.add({
        ...broken,
        vendor: 'tailscale',
        method: 'GET',
        path: '/api/v2/tailnet/-/devices',
      });
      const { hetzner, tailscale, cloudflare } = await ask({ config: { dns: { zone: 'sandbox.example' } } });
      const next = 'try again; if it stays, look at the vendor’s status page';
      assert.deepEqual(hetzner.map(line), [
        `failed project: could not be looked at: out of order → ${next}`,
        'ok SSH keys: 1 found',
        'ok offers: every placement and image can be ordered',
      ]);
      assert.deepEqual(tailscale.slice(0, 2).map(line), [
        'ok client: taken, and may read auth keys',
        `failed devices: could not be looked at: out of order → ${next}`,
      ]);
      assert.deepEqual(cloudflare.map(line), ['ok token: taken, and sees the zone sandbox.example']);
    });

    it('does not wait with the others for a vendor that never answers', async () => {
      sandbox.faults.add({ vendor: 'hetzner', method: 'GET', path: '/v1/**', mode: 'stall', times: null });
      const { hetzner, tailscale } = await ask({ patienceMs: 2_000 });
      assert.deepEqual(hetzner.map(line), [
        'failed Hetzner: no answer within 2 s → look at the network between here and there',
      ]);
      assert.equal(line(tailscale[0]!), 'ok client: taken, and may read auth keys');
    });

    it('finds a zone that the token does not see', async () => {
      const dns = { zone: 'sandbox.exampel' };
      const { cloudflare } = await ask({ config: { dns } });
      assert.match(
        line(cloudflare[0]!),
        /^failed token: .*sees no zone "sandbox\.exampel"\. Did you mean "sandbox\.example"/,
      );
      const right = await ask({ config: { dns: { zone: 'sandbox.example' } } });
      assert.deepEqual(right.cloudflare.map(line), ['ok token: taken, and sees the zone sandbox.example']);
    });
  });

  describe('of queues', () => {
    const pools = (queue: Raw | undefined) =>
      parseStackConfig('staging', {
        access: { connectivity: 'tailscale', sshKeys: [KEY], tags: ['tag:worker'] },
        registrationSecret: 'r'.repeat(32),
        service: { url: 'https://pools.example.com' },
        pools: {
          ci: {
            size: queue ? { min: 0, max: 2 } : { fixed: 1 },
            image: 'debian-12',
            placements: [{ serverType: 'cx33', location: 'fsn1' }],
            ...(queue ? { queue } : {}),
          },
        },
      });
    const ask = async (queue: Raw | undefined): Promise<string[]> =>
      (await checkQueues(pools(queue), question)).map(line);

    it('reads each, with what waits and for how long', async () => {
      const server = createServer((_, response) => response.end('{"n":3,"busy":2,"age":90}')).listen(
        0,
        '127.0.0.1',
      );
      await new Promise((resolve) => server.once('listening', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/q`;
      const queue = { kind: 'http', url, waiting: 'n', running: 'busy', oldestAge: 'age' };
      try {
        assert.deepEqual(await ask(queue), ['ok ci: http: 3 waiting, 2 running, the oldest for 90 s']);
      } finally {
        server.close();
      }
    });

    it('tells one that cannot be read in the words of its source', async () => {
      const [found] = await ask({ kind: 'http', url: `${NOWHERE}/q`, waiting: 'n' });
      assert.match(found!, /^failed ci: http: .*127\.0\.0\.1:9/);
    });

    it('has nothing to ask for slots and for a fixed size', async () => {
      assert.deepEqual(await ask({ kind: 'slots' }), ['note ci: slots: kept by the service itself']);
      assert.deepEqual(await ask(undefined), ['note ci: of fixed size, without a queue']);
    });
  });

  describe('of the registry', () => {
    it('tells who has the embedded one', async () => {
      const directory = join(question.data, 'registry');
      assert.deepEqual((await readRegistry(question)).findings.map(line), [
        `note registry: embedded, in ${directory}; no process has it open`,
      ]);
      const registry = await openRegistry({ directory }, { silence: 60 });
      try {
        assert.deepEqual((await readRegistry(question)).findings.map(line), [
          `ok registry: embedded, in ${directory}; process ${process.pid} has it open`,
        ]);
      } finally {
        await registry.close();
      }
    });

    it('reads a database’s version and open intent, and changes nothing in an empty one', async () => {
      const place = await emptyDatabase();
      const { location } = place;
      const asked = { ...question, environment: { WORKER_POOLS_DATABASE_URL: location.url } };
      try {
        const empty = await readRegistry(asked);
        assert.match(
          line(empty.findings[0]!),
          /^note registry: .*PostgreSQL [\d.]+.*; empty: the service makes its tables/,
        );
        assert.deepEqual(
          await sql(location.url, `select 1 from pg_namespace where nspname = 'worker_pools'`),
          [],
        );
        const registry = await openRegistry(location, { silence: 60 });
        const intent = {
          environment: 'staging',
          membership: {},
          at: NOW,
          holder: { host: 'desk', pid: 7, startedAt: NOW },
        };
        await registry.intents.write(intent);
        await registry.close();
        const found = await readRegistry(asked);
        assert.match(line(found.findings[0]!), /^ok registry: .*; schema \d+$/);
        assert.equal(found.intent?.holder.pid, 7);
        await sql(location.url, `insert into worker_pools.migrations (number, name) values (999, 'later')`);
        const [newer] = (await readRegistry(asked)).findings;
        assert.match(
          line(newer!),
          /^failed registry: .*its schema 999 is newer.* → run the version that wrote it$/,
        );
      } finally {
        await place.remove();
      }
    });

    it('tells one that does not answer, without its password', async () => {
      const environment = { WORKER_POOLS_DATABASE_URL: 'postgres://pools:hunter22@127.0.0.1:9/pools' };
      const [found] = (await readRegistry({ ...question, environment })).findings;
      assert.match(
        line(found!),
        /^failed registry: the database pools at 127\.0\.0\.1:9 does not answer .* → check that it runs/,
      );
      assert.doesNotMatch(line(found!), /hunter22/);
    });
  });

  describe('of the service', () => {
    let listener: AdminListener;
    before(async () => (listener = await adminListener()));
    after(() => listener.close());
    const ask = async (changes: Partial<Question> = {}): Promise<string[]> =>
      (
        await checkService({ ...question, service: listener.url, ...changes }, AbortSignal.timeout(5_000))
      ).map(line);

    it('finds it running, and how old its status is', async () => {
      assert.deepEqual(await ask(), [
        `ok service: runs at ${listener.url} and is ready`,
        'ok admin token: taken',
        'ok status: published 2 s ago, by pools-1 (4711): All is well: 3 workers in 1 pool, 7 jobs wait.',
      ]);
    });

    it('finds that it does not run', async () => {
      assert.deepEqual(await ask({ service: NOWHERE }), [
        `warning service: nothing answers at ${NOWHERE}: it does not run, or elsewhere → start it with \`worker-pools serve --stack staging\`, or name its admin interface with --service`,
      ]);
    });

    it('tells why it is not ready', async () => {
      listener.checks.push({ name: 'rounds of production', problem: 'the last round is old; see the log' });
      try {
        assert.equal(
          (await ask())[0],
          'failed service: rounds of production: the last round is old → see the log',
        );
      } finally {
        listener.checks.pop();
      }
    });

    it('finds a wrong admin token, none at all, and a stack that is not served', async () => {
      assert.match(
        (await ask({ adminToken: 'wrong' }))[1]!,
        /^failed admin token: .*refuses the admin token/,
      );
      assert.match(
        (await ask({ adminToken: undefined }))[1]!,
        /^warning admin token: none: neither WORKER_POOLS_ADMIN_TOKEN/,
      );
      assert.match(
        (await ask({ stack: 'stagin' }))[1]!,
        /The service has no stack "stagin"\. Did you mean "staging"\?/,
      );
    });

    it('looks whether the workers’ address leads to it', async () => {
      const at = async (url: string | undefined): Promise<string[]> =>
        (await checkWorkerUrl(url, AbortSignal.timeout(5_000))).map(line);
      assert.deepEqual(await at(listener.url), [`ok service.url: ${listener.url} is reached from here`]);
      assert.match((await at(NOWHERE))[0]!, /^warning service\.url: .* does not answer here → /);
      assert.match((await at(`${listener.url}/v1`))[0]!, /is answered by something else \(404\)/);
      assert.match((await at(undefined))[0]!, /^note service\.url: not set/);
    });

    for (const [url, isPublic] of [
      ['https://pools.example.com', false],
      ['http://pools.example.com', true],
      ['http://203.0.113.7:8470', true],
      ['http://[2001:db8::7]:8470', true],
      ['http://pools.tail1234.ts.net:8470', false],
      ['http://100.64.0.7:8470', false],
      ['http://100.128.0.7:8470', true],
      ['http://10.20.0.2:8470', false],
      ['http://172.31.0.2', false],
      ['http://172.32.0.2', true],
      ['http://127.0.0.1:8470', false],
      ['http://[fd7a:115c::1]:8470', false],
      ['http://pools:8470', false],
    ] as const) {
      it(`takes ${url} as ${isPublic ? 'plain and public' : 'safe'}`, () => {
        assert.equal(isPublicPlain(url), isPublic);
      });
    }
  });

  describe('itself', () => {
    it('gives up on a check that does not end', async () => {
      const never = new Promise<never>(() => undefined);
      assert.deepEqual((await bounded('queue', () => never, 20)).map(line), [
        'failed queue: no answer within 0.02 s → look at the network between here and there',
      ]);
    });

    it('tells of a check that breaks', async () => {
      const broken = await bounded('queue', () => Promise.reject(new Error('oh')), 5_000);
      assert.deepEqual(broken.map(line), ['failed queue: oh → this is not expected: please report it']);
    });
  });
});
