import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { utils } from 'ssh2';
import { generateKeyPair } from '../../../sandbox/machines/host-key';
import type { Sandbox } from '../../../sandbox/sandbox';
import {
  cloudConfig,
  createServer,
  hetzner,
  joiningConfig,
  listens,
  sandboxes,
  ssh,
  tailnetDevices,
  tailnetKey,
} from '../control/support';

const bootSeconds = { min: 60, max: 60 };

describe('a simulated machine', () => {
  const { start, closeAll } = sandboxes();
  afterEach(closeAll);

  const startFast = (machines = {}): Promise<Sandbox> =>
    start({ hetzner: { durationFactor: 0 }, machines: { bootSeconds, ...machines } });
  const state = (sandbox: Sandbox, name: string): string | undefined =>
    sandbox.machines.list().find((machine) => machine.name === name)?.state;
  const log = (sandbox: Sandbox): string => sandbox.machines.list()[0]?.log ?? '';

  it('boots in the drawn time: sshd first, then ready', async () => {
    const sandbox = await startFast();
    const { ip } = await createServer(sandbox, 'one', cloudConfig());
    await sandbox.advance(14);
    assert.equal(state(sandbox, 'one'), 'booting');
    assert.equal(await listens(ip), false);
    await sandbox.advance(1);
    assert.equal(state(sandbox, 'one'), 'cloud-init');
    assert.equal(await listens(ip), true);
    await sandbox.advance(44);
    assert.equal(state(sandbox, 'one'), 'cloud-init');
    await sandbox.advance(1);
    assert.equal(state(sandbox, 'one'), 'ready');
  });

  it('joins the tailnet at the end of its boot, once, with the name and tags that it asks for', async () => {
    const sandbox = await startFast();
    await createServer(sandbox, 'one', joiningConfig(await tailnetKey(sandbox), 'worker-1'));
    await sandbox.advance(59);
    assert.deepEqual(await tailnetDevices(sandbox), []);
    await sandbox.advance(1);
    const [device] = await tailnetDevices(sandbox);
    assert.equal(device?.hostname, 'worker-1');
    assert.equal(device.connectedToControl, true);
    assert.deepEqual(await ssh(device.addresses[0] ?? '', 'hostname'), {
      code: 0,
      out: 'worker-1\n',
      err: '',
    });
  });

  it('fails with the tailnet’s reason when its key is used up', async () => {
    const sandbox = await startFast();
    const key = await tailnetKey(sandbox);
    await createServer(sandbox, 'one', joiningConfig(key, 'one'));
    await sandbox.advance(60);
    const { ip } = await createServer(sandbox, 'two', joiningConfig(key, 'two'));
    await sandbox.advance(60);
    assert.deepEqual([state(sandbox, 'one'), state(sandbox, 'two')], ['ready', 'failed']);
    assert.equal((await tailnetDevices(sandbox)).length, 1);
    const status = await ssh(ip, 'cloud-init status --long');
    assert.equal(status.code, 1);
    assert.match(status.out, /^status: error\n/);
    assert.match(status.out, /tailscale up: backend error/);
  });

  for (const { name, runcmd, says } of [
    {
      name: 'Tailscale was not installed',
      runcmd: ['tailscale up --auth-key=tskey-auth-x'],
      says: /tailscale: not found/,
    },
    {
      name: 'the key file is missing',
      runcmd: ['apt-get install -y tailscale', 'tailscale up --auth-key=file:/run/none'],
      says: /open \/run\/none: no such file or directory/,
    },
    {
      name: 'no key is given and the login times out',
      runcmd: ['apt-get install -y tailscale', 'tailscale up --timeout=60s'],
      says: /no --auth-key was given/,
    },
    {
      name: 'a script is not there',
      runcmd: ['/usr/local/bin/setup'],
      says: /\/usr\/local\/bin\/setup: not found/,
    },
  ])
    it(`fails when ${name}`, async () => {
      const sandbox = await startFast();
      await createServer(sandbox, 'one', cloudConfig({ runcmd }));
      await sandbox.advance(60);
      assert.equal(state(sandbox, 'one'), 'failed');
      assert.match(log(sandbox), says);
    });

  for (const { name, userData, expected } of [
    { name: 'no user data', userData: undefined, expected: 'ready' },
    { name: 'base64 of gzip', userData: gzipSync(cloudConfig()).toString('base64'), expected: 'ready' },
    { name: 'base64', userData: Buffer.from(cloudConfig()).toString('base64'), expected: 'ready' },
    { name: 'a script', userData: '#!/bin/sh\ntrue\n', expected: 'ready' },
    { name: 'text that is no cloud-config', userData: 'packages: [curl]\n', expected: 'failed' },
    { name: 'broken YAML', userData: '#cloud-config\na: [\n', expected: 'failed' },
    { name: 'a YAML list', userData: '#cloud-config\n- a\n', expected: 'failed' },
    {
      name: 'base64 with a line break, which cloud-init does not decode',
      userData: `${Buffer.from(cloudConfig()).toString('base64')}\n`,
      expected: 'failed',
    },
    {
      name: 'a module’s field of the wrong shape',
      userData: '#cloud-config\nwrite_files: yes please\n',
      expected: 'failed',
    },
    {
      name: 'a multipart of cloud-config and script',
      userData: `Content-Type: multipart/mixed; boundary="B"\nMIME-Version: 1.0\n\n--B\nContent-Type: text/cloud-config\n\nhostname: one\n--B\nContent-Type: text/x-shellscript\n\n#!/bin/sh\ntrue\n--B--\n`,
      expected: 'ready',
    },
  ])
    it(`is ${expected} with ${name}`, async () => {
      const sandbox = await startFast();
      await createServer(sandbox, 'one', userData);
      await sandbox.advance(60);
      assert.equal(state(sandbox, 'one'), expected, log(sandbox));
    });

  it('decodes written files in every encoding', async () => {
    const sandbox = await startFast();
    const text = 'content\n';
    const zipped = gzipSync(text);
    const files = [
      { path: '/etc/plain', content: text },
      { path: '/etc/b64', content: Buffer.from(text).toString('base64'), encoding: 'b64' },
      { path: '/etc/gz-b64', content: zipped.toString('base64'), encoding: 'gz+b64' },
      { path: '/etc/gzip-base64', content: zipped.toString('base64'), encoding: 'gzip+base64' },
    ];
    const { ip } = await createServer(sandbox, 'one', cloudConfig({ write_files: files }));
    await sandbox.advance(60);
    for (const { path } of files) assert.equal((await ssh(ip, `cat ${path}`)).out, text, path);
  });

  it('never gets ready by the share that is set, and keeps running', async () => {
    const sandbox = await startFast({ neverReadyShare: 1 });
    const { ip } = await createServer(sandbox, 'one', joiningConfig(await tailnetKey(sandbox), 'one'));
    await sandbox.advance(24 * 3600);
    assert.equal(state(sandbox, 'one'), 'never-ready');
    assert.deepEqual(await tailnetDevices(sandbox), []);
    assert.deepEqual(await ssh(ip, 'cloud-init status'), { code: 0, out: 'status: running\n', err: '' });
  });

  it('boots slowly by the share that is set', async () => {
    const sandbox = await startFast({ slowShare: 1, slowFactor: 3 });
    await createServer(sandbox, 'one', cloudConfig());
    await sandbox.advance(179);
    assert.equal(state(sandbox, 'one'), 'cloud-init');
    await sandbox.advance(1);
    assert.equal(state(sandbox, 'one'), 'ready');
  });

  it('goes offline when powered off, keeps its device over a reboot, and is gone when deleted', async () => {
    const sandbox = await startFast();
    const { id, ip } = await createServer(sandbox, 'one', joiningConfig(await tailnetKey(sandbox), 'one'));
    await sandbox.advance(60);
    const [before] = await tailnetDevices(sandbox);
    await hetzner(sandbox, 'POST', `/servers/${id}/actions/poweroff`);
    await sandbox.advance(1);
    assert.equal(state(sandbox, 'one'), 'off');
    assert.equal((await tailnetDevices(sandbox))[0]?.connectedToControl, false);
    assert.equal(await listens(ip), false);
    await hetzner(sandbox, 'POST', `/servers/${id}/actions/poweron`);
    await sandbox.advance(60);
    assert.equal(state(sandbox, 'one'), 'ready');
    assert.deepEqual(await tailnetDevices(sandbox), [before]);
    await hetzner(sandbox, 'DELETE', `/servers/${id}`);
    await sandbox.advance(1);
    assert.deepEqual(sandbox.machines.list(), []);
    assert.equal(await listens(ip), false);
    await sandbox.advance(3600);
    assert.deepEqual(await tailnetDevices(sandbox), []);
  });

  it('starts with a fresh disk after a rebuild', async () => {
    const sandbox = await startFast();
    const { id, ip } = await createServer(sandbox, 'one', cloudConfig({ runcmd: ['echo made >/etc/made'] }));
    await sandbox.advance(60);
    assert.equal((await ssh(ip, 'test -f /etc/made')).code, 0);
    await hetzner(sandbox, 'POST', `/servers/${id}/actions/rebuild`, { image: 'debian-12' });
    await sandbox.advance(30);
    assert.equal((await ssh(ip, 'test -f /etc/made')).code, 1);
    await sandbox.advance(31);
    assert.equal((await ssh(ip, 'test -f /etc/made')).code, 0);
  });

  it('boots at its own pace on a clock that runs fast', async () => {
    const sandbox = await startFast();
    sandbox.setClockMode({ kind: 'real', rate: 2000 });
    const { ip } = await createServer(sandbox, 'one', cloudConfig());
    while (!(await listens(ip))) await new Promise((resolve) => setTimeout(resolve, 5));
    const { code, out } = await ssh(ip, 'cloud-init status --wait');
    assert.deepEqual([code, out.endsWith('status: done\n')], [0, true]);
  });

  it('goes on after a snapshot was put back, with the same host key', async () => {
    const sandbox = await startFast();
    const { ip } = await createServer(sandbox, 'one', cloudConfig());
    await sandbox.advance(20);
    const seen: string[] = [];
    const look = () => ssh(ip, 'hostname', { hostKeySeen: (key) => seen.push(key.toString('base64')) });
    await look();
    await sandbox.restore(sandbox.snapshot());
    await look();
    assert.equal(seen.length, 2);
    assert.equal(seen[0], seen[1]);
    await sandbox.advance(40);
    assert.equal(state(sandbox, 'one'), 'ready');
  });

  it('shares no address with a sandbox that runs at the same time', async () => {
    const both = [await startFast(), await startFast()];
    const servers = await Promise.all(
      both.map((sandbox) => createServer(sandbox, 'one', cloudConfig({ hostname: 'one' }))),
    );
    for (const sandbox of both) await sandbox.advance(60);
    assert.notEqual(servers[0]?.ip, servers[1]?.ip);
    for (const { ip } of servers) assert.equal((await ssh(ip, 'hostname')).out, 'one\n');
  });
});

describe('a machine’s sshd', () => {
  const { start, closeAll } = sandboxes();
  afterEach(closeAll);

  const boot = async (userData: string, more = {}): Promise<{ sandbox: Sandbox; ip: string }> => {
    const sandbox = await start({ hetzner: { durationFactor: 0 }, machines: { bootSeconds } });
    const { ip } = await createServer(sandbox, 'one', userData, more);
    await sandbox.advance(60);
    return { sandbox, ip };
  };

  it('shows the host key of the cloud-config', async () => {
    const key = generateKeyPair();
    const { ip } = await boot(cloudConfig({ ssh_keys: { ed25519_private: key.private } }));
    const seen: Buffer[] = [];
    await ssh(ip, 'true', { hostKeySeen: (shown) => seen.push(shown) });
    const own = utils.parseKey(key.public);
    assert.ok(!(own instanceof Error));
    assert.deepEqual(seen, [own.getPublicSSH()]);
  });

  it('lets in the keys of the server and of the cloud-config, and no other', async () => {
    const projectKey = generateKeyPair();
    const stranger = generateKeyPair();
    const sandbox = await start({ hetzner: { durationFactor: 0 }, machines: { bootSeconds } });
    await hetzner(sandbox, 'POST', '/ssh_keys', { name: 'operator', public_key: projectKey.public });
    const { ip } = await createServer(sandbox, 'one', cloudConfig(), { ssh_keys: ['operator'] });
    await sandbox.advance(60);
    assert.equal((await ssh(ip, 'true')).code, 0);
    assert.equal((await ssh(ip, 'true', { privateKey: projectKey.private })).code, 0);
    await assert.rejects(ssh(ip, 'true', { privateKey: stranger.private }), /authentication/);
  });

  it('is behind the server’s firewall', async () => {
    const sandbox = await start({ hetzner: { durationFactor: 0 }, machines: { bootSeconds } });
    const made = await hetzner(sandbox, 'POST', '/firewalls', { name: 'closed', rules: [] });
    const firewall = (made.body as { firewall: { id: number } }).firewall.id;
    const { ip } = await createServer(sandbox, 'one', cloudConfig(), { firewalls: [{ firewall }] });
    await sandbox.advance(60);
    await assert.rejects(ssh(ip, 'true'));
    await hetzner(sandbox, 'POST', `/firewalls/${firewall}/actions/set_rules`, {
      rules: [{ direction: 'in', protocol: 'tcp', port: '2222', source_ips: ['127.0.0.0/8'] }],
    });
    await sandbox.advance(5);
    assert.equal((await ssh(ip, 'true')).code, 0);
  });

  it('waits for cloud-init in virtual time and prints as 22.4 does', async () => {
    const sandbox = await start({ hetzner: { durationFactor: 0 }, machines: { bootSeconds } });
    const { ip } = await createServer(sandbox, 'one', cloudConfig());
    await sandbox.advance(30);
    const waiting = ssh(ip, 'cloud-init status --wait --long');
    // Its answer must come from the advance, so the command has to be under way before.
    assert.match((await ssh(ip, 'cloud-init status')).out, /^status: running\n$/);
    await sandbox.advance(30);
    const { code, out } = await waiting;
    assert.equal(code, 0);
    const date = /last_update: (\w{3}, \d{2} \w{3} \d{4} [\d:]{8} \+0000)\n/.exec(out)?.[1];
    assert.equal(
      out.replace(/^\.*/, ''),
      `\nstatus: done\nboot_status_code: enabled-by-generator\nlast_update: ${date}\ndetail:\nDataSourceHetzner\n`,
    );
  });

  it('prints the status as JSON', async () => {
    const { ip } = await boot(cloudConfig());
    const { out } = await ssh(ip, 'cloud-init status --format json');
    const { status, errors, datasource } = JSON.parse(out) as Record<string, unknown>;
    assert.deepEqual({ status, errors, datasource }, { status: 'done', errors: [], datasource: 'hetzner' });
  });

  for (const { command, result } of [
    { command: 'true', result: { code: 0, out: '', err: '' } },
    {
      command: 'bogus --flag',
      result: { code: 127, out: '', err: 'bash: line 1: bogus: command not found\n' },
    },
    { command: 'false && hostname; echo "a  b"', result: { code: 0, out: 'a  b\n', err: '' } },
    { command: 'false || hostname', result: { code: 0, out: 'one\n', err: '' } },
    {
      command: 'cat /etc/none',
      result: { code: 1, out: '', err: 'cat: /etc/none: No such file or directory\n' },
    },
    { command: 'cat /etc/three | tail -n 2', result: { code: 0, out: '2\n3\n', err: '' } },
    { command: 'grep -c x /etc/none 2>/dev/null', result: { code: 1, out: '', err: '' } },
    { command: 'bogus 2>&1 | grep -q found', result: { code: 0, out: '', err: '' } },
    { command: 'hostname >/dev/null 2>&1; true', result: { code: 0, out: '', err: '' } },
    { command: '[ -f /etc/three ] && echo yes', result: { code: 0, out: 'yes\n', err: '' } },
    { command: 'test -f /etc/none', result: { code: 1, out: '', err: '' } },
    { command: "sh -c 'hostname | grep -q one && echo found'", result: { code: 0, out: 'found\n', err: '' } },
    { command: 'sysctl -n net.ipv4.ip_forward', result: { code: 0, out: '0\n', err: '' } },
    {
      command: 'tailscale ip -4',
      result: { code: 127, out: '', err: 'bash: line 1: tailscale: command not found\n' },
    },
    { command: 'nft list ruleset', result: { code: 0, out: '', err: '' } },
    { command: 'systemctl is-active nothing', result: { code: 3, out: 'inactive\n', err: '' } },
  ])
    it(`answers \`${command}\``, async () => {
      const { ip } = await boot(
        cloudConfig({ hostname: 'one', write_files: [{ path: '/etc/three', content: '1\n2\n3\n' }] }),
      );
      assert.deepEqual(await ssh(ip, command), result);
    });

  it('goes on without sshd when its port is none, and the log says so', async () => {
    const sandbox = await start({ hetzner: { durationFactor: 0 }, machines: { bootSeconds } });
    const userData = cloudConfig({
      write_files: [{ path: '/etc/ssh/sshd_config.d/00.conf', content: 'Port 99999' }],
    });
    await createServer(sandbox, 'one', userData.replace('Port 2222', ''));
    await sandbox.advance(60);
    const [machine] = sandbox.machines.list();
    assert.equal(machine?.state, 'ready');
    assert.match(machine.log, /Badly formatted port number "99999"/);
  });

  it('says so in the log when something else has the port, and goes on', async () => {
    const sandbox = await start({ hetzner: { durationFactor: 0 }, machines: { bootSeconds } });
    const { ip } = await createServer(sandbox, 'one', cloudConfig());
    const other = createTcpServer().listen(2222, ip);
    await once(other, 'listening');
    await sandbox.advance(60);
    other.close();
    assert.equal(sandbox.machines.list()[0]?.state, 'ready');
    assert.match(sandbox.machines.list()[0]?.log ?? '', /Bind to port 2222 on .* failed: EADDRINUSE/);
  });
});
