import assert from 'node:assert/strict';
import { plainServer, startCloud, type TestCloud } from './support';

interface Row {
  what: string;
  /** Added to a server that would be taken. */
  body: object;
  status: number;
  code: string;
  message?: RegExp;
  /** What `details.fields[0].name` says. */
  field?: string;
}

const ROWS: Row[] = [
  { what: 'a missing name', body: { name: undefined }, status: 422, code: 'invalid_input', field: 'name' },
  {
    what: 'an underscore in the name',
    body: { name: 'web_1' },
    status: 422,
    code: 'invalid_input',
    field: 'name',
  },
  {
    what: 'a name that ends in a dash',
    body: { name: 'web-' },
    status: 422,
    code: 'invalid_input',
    field: 'name',
  },
  {
    what: 'a name part of 64',
    body: { name: 'a'.repeat(64) },
    status: 422,
    code: 'invalid_input',
    field: 'name',
  },
  {
    what: 'a type that is gone',
    body: { server_type: 'cx22' },
    status: 422,
    code: 'invalid_input',
    message: /server type 'cx22' not found/,
  },
  {
    what: 'an unknown image',
    body: { image: 'debian-99' },
    status: 422,
    code: 'invalid_input',
    message: /image 'debian-99' not found/,
  },
  {
    what: 'an image of the other architecture',
    body: { image: 114690389 },
    status: 422,
    code: 'invalid_input',
    field: 'image',
  },
  {
    what: 'an unknown location',
    body: { location: 'mars1' },
    status: 422,
    code: 'invalid_input',
    message: /^location 'mars1' not found$/,
  },
  {
    what: 'a type that is not sold there',
    body: { location: 'ash' },
    status: 422,
    code: 'invalid_input',
    message: /^unsupported location for server type$/,
  },
  {
    what: 'user data of 32769 bytes',
    body: { user_data: 'é'.repeat(16384) + 'x' },
    status: 422,
    code: 'invalid_input',
    message: /^invalid input in field 'user_data': Length must be between 0 and 32768\.$/,
    field: 'user_data',
  },
  {
    what: 'an unknown SSH key',
    body: { ssh_keys: [42] },
    status: 422,
    code: 'invalid_input',
    message: /SSH key '42' not found/,
  },
  { what: 'an unknown network', body: { networks: [42] }, status: 422, code: 'invalid_input' },
  {
    what: 'an unknown firewall',
    body: { firewalls: [{ firewall: 42 }] },
    status: 422,
    code: 'invalid_input',
  },
  { what: 'an unknown placement group', body: { placement_group: 42 }, status: 422, code: 'invalid_input' },
  {
    what: 'a datacenter',
    body: { datacenter: 'fsn1-dc14' },
    status: 422,
    code: 'invalid_input',
    field: 'datacenter',
  },
  {
    what: 'a label with a space',
    body: { labels: { pool: 'a b' } },
    status: 422,
    code: 'invalid_input',
    field: 'labels',
  },
  {
    what: 'a reserved label',
    body: { labels: { 'hetzner.cloud/x': 'y' } },
    status: 422,
    code: 'invalid_input',
    field: 'labels',
  },
  {
    what: 'a name that is taken',
    body: { name: 'taken' },
    status: 409,
    code: 'uniqueness_error',
    field: 'name',
  },
  {
    what: 'no net at all and a start',
    body: { public_net: { enable_ipv4: false, enable_ipv6: false } },
    status: 422,
    code: 'invalid_input',
    field: 'public_net',
  },
];

describe('hetzner refuses a new server', () => {
  let cloud: TestCloud;
  before(async () => {
    cloud = await startCloud();
    await cloud.make('/servers', plainServer('taken'));
  });
  after(() => cloud.close());

  for (const row of ROWS) {
    it(`with ${row.what}: ${row.status} ${row.code}`, async () => {
      const reply = await cloud.call('POST', '/servers', plainServer('web-1', row.body));
      assert.deepEqual([reply.status, reply.code], [row.status, row.code]);
      assert.ok(Array.isArray(reply.get('error.details.fields')));
      if (row.message) assert.match(String(reply.get('error.message')), row.message);
      if (row.field) assert.equal(reply.get('error.details.fields.0.name'), row.field);
      const servers = (await cloud.call('GET', '/servers')).get('meta.pagination.total_entries');
      const ips = (await cloud.call('GET', '/primary_ips')).get('meta.pagination.total_entries');
      assert.deepEqual([servers, ips], [1, 2], 'nothing may be left behind');
    });
  }

  it('but takes user data of 32768 bytes', async () => {
    await cloud.make('/servers', plainServer('big', { user_data: 'é'.repeat(16384) }));
  });
});

describe('hetzner capacity and quotas', () => {
  const withCloud =
    (settings: object, run: (cloud: TestCloud) => Promise<void>) => async (): Promise<void> => {
      const cloud = await startCloud(settings);
      try {
        await run(cloud);
      } finally {
        await cloud.close();
      }
    };

  it(
    'sells out a type in one location with 412, shows it, and restocks',
    withCloud({}, async (cloud) => {
      cloud.hetzner.catalogue.setAvailable('cx23', false, 'fsn1');
      const shown = await cloud.call('GET', '/server_types?name=cx23');
      assert.deepEqual(
        [0, 1].map((index) => shown.get(`server_types.0.locations.${index}.available`)),
        [false, true],
      );
      const refused = await cloud.call('POST', '/servers', plainServer('web-1'));
      assert.deepEqual([refused.status, refused.code], [412, 'resource_unavailable']);
      assert.equal(refused.get('error.message'), 'error during placement');
      await cloud.make('/servers', plainServer('web-1', { location: 'nbg1' }));
      cloud.hetzner.catalogue.setAvailable('cx23', true);
      await cloud.make('/servers', plainServer('web-2'));
    }),
  );

  it(
    'closes a whole location with 412',
    withCloud({}, async (cloud) => {
      cloud.hetzner.catalogue.setLocationOpen('fsn1', false);
      const refused = await cloud.call('POST', '/servers', plainServer('web-1'));
      assert.deepEqual(
        [refused.status, refused.code, refused.get('error.message')],
        [412, 'resource_unavailable', 'server location disabled'],
      );
      cloud.hetzner.catalogue.setLocationOpen('fsn1', true);
      await cloud.make('/servers', plainServer('web-1'));
    }),
  );

  it(
    'announces the end of a type, then takes it off the list while its servers stay',
    withCloud({}, async (cloud) => {
      const id = await cloud.make('/servers', plainServer('web-1'));
      const now = cloud.kernel.clock.now();
      const end = { announced: now, unavailableAfter: now + 20 * 86_400_000 };
      cloud.hetzner.catalogue.deprecateServerType('cx23', end);
      const announced = await cloud.call('GET', '/server_types?name=cx23');
      assert.equal(announced.get('server_types.0.deprecated'), true);
      assert.deepEqual(announced.get('server_types.0.locations.0.deprecation'), {
        announced: '2026-10-05T10:00:00Z',
        unavailable_after: '2026-10-25T10:00:00Z',
      });
      cloud.advance(20 * 86_400);
      assert.deepEqual((await cloud.call('GET', '/server_types?name=cx23')).get('server_types'), []);
      assert.equal((await cloud.call('POST', '/servers', plainServer('web-2'))).code, 'invalid_input');
      assert.equal((await cloud.call('GET', `/servers/${id}`)).get('server.server_type.name'), 'cx23');
    }),
  );

  it(
    'ends a type in one location only',
    withCloud({}, async (cloud) => {
      const now = cloud.kernel.clock.now();
      cloud.hetzner.catalogue.deprecateServerType('cx23', { announced: now, unavailableAfter: now }, 'fsn1');
      const shown = await cloud.call('GET', '/server_types?name=cx23');
      assert.equal(shown.get('server_types.0.deprecated'), false);
      assert.equal((shown.get('server_types.0.locations') as unknown[]).length, 2);
      const refused = await cloud.call('POST', '/servers', plainServer('web-1'));
      assert.equal(refused.get('error.message'), 'unsupported location for server type');
    }),
  );

  it(
    'hides a deprecated image unless it is asked for',
    withCloud({}, async (cloud) => {
      cloud.hetzner.catalogue.deprecateImage('debian-11', cloud.kernel.clock.now());
      const plain = await cloud.call('GET', '/images?name=debian-11&architecture=x86');
      assert.deepEqual(plain.get('images'), []);
      const all = await cloud.call('GET', '/images?name=debian-11&architecture=x86&include_deprecated=true');
      assert.equal(all.get('images.0.deprecated'), '2026-10-05T10:00:00Z');
    }),
  );

  const quotas: [string, object, string, [string, object][], string][] = [
    [
      'servers',
      { servers: 1 },
      'server_limit',
      [
        ['/servers', plainServer('a')],
        ['/servers', plainServer('b')],
      ],
      'server limit exceeded',
    ],
    [
      'primary IPv4 addresses',
      { primaryIps: 1 },
      'primary_ip_limit',
      [
        ['/servers', plainServer('a')],
        ['/servers', plainServer('b')],
      ],
      'Primary IP limit exceeded',
    ],
    [
      'placement groups',
      { placementGroups: 1 },
      'placement_group_limit',
      [
        ['/placement_groups', { name: 'a', type: 'spread' }],
        ['/placement_groups', { name: 'b', type: 'spread' }],
      ],
      'placement group limit exceeded',
    ],
    [
      'firewalls',
      { firewalls: 1 },
      'firewall_limit',
      [
        ['/firewalls', { name: 'a' }],
        ['/firewalls', { name: 'b' }],
      ],
      'firewall limit exceeded',
    ],
    [
      'networks',
      { networks: 1 },
      'network_limit',
      [
        ['/networks', { name: 'a', ip_range: '10.0.0.0/16' }],
        ['/networks', { name: 'b', ip_range: '10.0.0.0/16' }],
      ],
      'network limit exceeded',
    ],
  ];
  for (const [what, limits, name, [first, second], message] of quotas) {
    it(
      `limits ${what} with 403 and ${name}`,
      withCloud({ limits }, async (cloud) => {
        await cloud.make(...(first as [string, object]));
        const refused = await cloud.call('POST', ...(second as [string, object]));
        assert.deepEqual([refused.status, refused.code], [403, 'resource_limit_exceeded']);
        assert.equal(refused.get('error.message'), message);
        assert.deepEqual(refused.get('error.details.limits'), [{ name }]);
      }),
    );
  }

  it(
    'puts ten servers into a placement group and no more',
    withCloud({ limits: { servers: 20, primaryIps: 20 } }, async (cloud) => {
      const group = await cloud.make('/placement_groups', { name: 'g', type: 'spread' });
      for (let n = 1; n <= 10; n += 1) {
        await cloud.make('/servers', plainServer(`w${n}`, { placement_group: group }));
      }
      const refused = await cloud.call('POST', '/servers', plainServer('w11', { placement_group: group }));
      assert.deepEqual([refused.status, refused.code], [422, 'placement_error']);
      const shown = await cloud.call('GET', `/placement_groups/${group}`);
      assert.equal((shown.get('placement_group.servers') as unknown[]).length, 10);
    }),
  );
});
