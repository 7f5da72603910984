import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../components/model/errors';
import {
  engineSecrets,
  readOwnAdminToken,
  readSettings,
  type ServeFlags,
  withLogin,
} from '../../automation/settings';

describe('the settings of a service', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'worker-pools-settings-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const flags = (more: Partial<ServeFlags> = {}): ServeFlags => ({
    stack: ['staging'],
    listen: '127.0.0.1:8470',
    admin: '127.0.0.1:8471',
    data: join(folder, 'data'),
    ...more,
  });
  const faultsOf = (more: Partial<ServeFlags>, variables: NodeJS.ProcessEnv = {}): string[] => {
    try {
      readSettings(flags(more), variables, folder);
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.faults.map(({ path, message }) => `${path}: ${message}`);
    }
    return [];
  };

  it('are the embedded database and an admin token of its own unless told otherwise', () => {
    const settings = readSettings(flags(), {}, folder);
    assert.equal(settings.databaseUrl, undefined);
    assert.match(settings.admin.token, /^[0-9a-f]{64}$/);
    assert.equal(readOwnAdminToken(settings.data), settings.admin.token);
    assert.equal(statSync(join(settings.data, 'admin-token')).mode & 0o777, 0o600);
    assert.equal(statSync(settings.data).mode & 0o777, 0o700);
  });

  it('keep the admin token over restarts', () => {
    const { token } = readSettings(flags(), {}, folder).admin;
    assert.equal(readSettings(flags(), {}, folder).admin.token, token);
  });

  it('take a secret from a file that only its owner can read, and refuse one that others can', () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'a-token-of-the-operator\n', { mode: 0o600 });
    const variables = { WORKER_POOLS_ADMIN_TOKEN_FILE: file };
    assert.equal(readSettings(flags(), variables, folder).admin.token, 'a-token-of-the-operator');
    chmodSync(file, 0o640);
    assert.deepEqual(faultsOf({}, variables), [
      `WORKER_POOLS_ADMIN_TOKEN_FILE: ${file} can be read by others (mode 640); make it \`chmod 600\``,
    ]);
    assert.equal(readFileSync(file, 'utf8'), 'a-token-of-the-operator\n');
  });

  it('take a credential of systemd, whose access list looks like a right of the group, and refuse more', () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'a-token-of-the-operator');
    chmodSync(file, 0o440);
    const variables = { WORKER_POOLS_ADMIN_TOKEN_FILE: file, CREDENTIALS_DIRECTORY: folder };
    assert.equal(readSettings(flags(), variables, folder).admin.token, 'a-token-of-the-operator');
    assert.equal(faultsOf({}, { ...variables, CREDENTIALS_DIRECTORY: `${folder}/other` }).length, 1);
    chmodSync(file, 0o444);
    assert.equal(faultsOf({}, variables).length, 1);
  });

  for (const name of [
    'PULUMI_CONFIG_PASSPHRASE',
    'PULUMI_ACCESS_TOKEN',
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'HCLOUD_TOKEN',
    'TAILSCALE_OAUTH_CLIENT_SECRET',
    'CLOUDFLARE_API_TOKEN',
  ]) {
    it(`hand the engine the file of ${name}, and refuse one that others can read`, () => {
      const file = join(folder, 'secret');
      writeFileSync(file, 'open sesame\n', { mode: 0o400 });
      const { environment } = readSettings(flags(), { [`${name}_FILE`]: file }, folder);
      assert.equal(environment[name], 'open sesame');
      chmodSync(file, 0o444);
      assert.match(faultsOf({}, { [`${name}_FILE`]: file })[0]!, /_FILE: .* can be read by others/);
    });
  }

  it('know what must not be shown of what opens state and secrets', () => {
    const variables = { PULUMI_ACCESS_TOKEN: 'pul-1234', AWS_SECRET_ACCESS_KEY: 'aws-5678', HOME: '/root' };
    assert.deepEqual(
      engineSecrets(variables).filter((value) => value !== undefined),
      ['pul-1234', 'aws-5678'],
    );
  });

  it('take further names of the admin interface', () => {
    const adminName = ['pools.your-tailnet.ts.net', 'Pools'];
    assert.deepEqual(readSettings(flags({ adminName }), {}, folder).admin.hostNames, adminName);
    assert.deepEqual(readSettings(flags(), {}, folder).admin.hostNames, []);
  });

  for (const { what, more = {}, variables = {}, fault } of [
    {
      what: 'an admin interface that others could reach',
      more: { admin: '0.0.0.0:8471' },
      fault: /^--admin: 0\.0\.0\.0 is not a loopback address; .*ssh -L/,
    },
    {
      what: 'a listener without a port',
      more: { listen: 'localhost' },
      fault: /^--listen: "localhost" is not HOST:PORT/,
    },
    {
      what: 'a port that there is not',
      more: { listen: '127.0.0.1:99999' },
      fault: /^--listen: "127\.0\.0\.1:99999" is not HOST:PORT/,
    },
    {
      what: 'a database of another kind',
      variables: { WORKER_POOLS_DATABASE_URL: 'mysql://root@localhost/pools' },
      fault: /^WORKER_POOLS_DATABASE_URL: must be a URL that begins with postgres:/,
    },
    {
      what: 'a secret file that is not there',
      variables: { HCLOUD_TOKEN_FILE: '/nowhere/token' },
      fault: /^HCLOUD_TOKEN_FILE: \/nowhere\/token cannot be read/,
    },
  ]) {
    it(`refuse ${what}`, () => {
      const faults = faultsOf(more, variables);
      assert.equal(faults.length, 1);
      assert.match(faults[0]!, fault);
    });
  }

  for (const name of ['https://pools.ts.net', 'pools.ts.net:443', '*.ts.net', '']) {
    it(`refuse "${name}" as a name of the admin interface`, () => {
      const faults = faultsOf({ adminName: [name] });
      assert.equal(faults.length, 1);
      assert.match(faults[0]!, /^--admin-name: ".*" is not a host name without scheme and port/);
    });
  }

  it('tell every fault at once', () => {
    const variables = { WORKER_POOLS_DATABASE_URL: 'x', HCLOUD_TOKEN_FILE: '/nowhere' };
    assert.equal(faultsOf({ listen: '', admin: '' }, variables).length, 4);
  });

  for (const [text, listener] of [
    ['8470', { host: '127.0.0.1', port: 8470 }],
    ['[::1]:1', { host: '::1', port: 1 }],
    ['100.64.0.7:8470', { host: '100.64.0.7', port: 8470 }],
  ] as const) {
    it(`read ${text} as a listener`, () => {
      assert.deepEqual(readSettings(flags({ listen: text }), {}, folder).workers, listener);
    });
  }
});

describe('a person’s login at the backend', () => {
  let home: string;
  beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'worker-pools-login-'))));
  afterEach(() => rmSync(home, { recursive: true }));

  it('is found where it is kept, though the engine’s home is another folder', () => {
    assert.equal(withLogin({ PULUMI_HOME: home })['PULUMI_CREDENTIALS_PATH'], undefined);
    writeFileSync(join(home, 'credentials.json'), '{}');
    assert.equal(withLogin({ PULUMI_HOME: home })['PULUMI_CREDENTIALS_PATH'], home);
  });

  it('is the one that the environment names', () => {
    writeFileSync(join(home, 'credentials.json'), '{}');
    const named = { PULUMI_HOME: home, PULUMI_CREDENTIALS_PATH: '/elsewhere' };
    assert.equal(withLogin(named)['PULUMI_CREDENTIALS_PATH'], '/elsewhere');
  });
});
