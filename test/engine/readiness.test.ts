import assert from 'node:assert/strict';
import { inventory, NOTHING, project, serverIds } from './cloud';
import { ciPool, directAccess, type Raw, tailnetAccess } from './configs';
import { Environment } from './harness';
import { Secrets } from './secrets';

/** One worker of a kind, whose readiness `pulumi up` waits for. */
function oneWorker(changes: Raw = {}): Raw {
  return { ci: { ...ciPool, size: { min: 1, max: 5 }, waitForReady: true, ...changes } };
}

const PRIVATE_ONLY = {
  network: {
    cidr: '10.20.0.0/16',
    zone: 'eu-central',
    natGateway: { serverType: 'cx23', location: 'fsn1', image: 'debian-12' },
  },
  pools: oneWorker({ publicNetwork: { ipv4: false, ipv6: false } }),
};

describe('Waiting for readiness', function () {
  this.timeout(60_000);
  let environment: Environment;
  afterEach(() => environment?.close());

  for (const { mode, access } of [
    { mode: 'tailnet', access: tailnetAccess },
    { mode: 'direct', access: directAccess },
  ]) {
    it(`in ${mode} mode, a worker without a public address is ready behind the NAT gateway`, async () => {
      environment = await Environment.start();
      const secrets = new Secrets(environment);
      const { HCLOUD_TOKEN, TAILSCALE_OAUTH_CLIENT_SECRET, ...rest } = environment.credentials;
      const [hetzner, tailscale] = await environment.seal(HCLOUD_TOKEN!, TAILSCALE_OAUTH_CLIENT_SECRET!);
      environment.configure(
        { access: access(environment), ...PRIVATE_ONLY },
        { 'hcloud:token': hetzner, 'tailscale:oauthClientSecret': tailscale },
      );
      const { code, text } = await environment.cli(['up', '--yes', '--skip-preview'], rest);
      assert.equal(code, 0, text);
      assert.match(text, /nat-ready .*sandbox-nat answers SSH; waiting for cloud-init/);
      assert.match(text, /nat-ready .*sandbox-nat forwards and translates addresses/);
      assert.match(text, /ci-0001-ready .*sandbox-ci-0001: status: done/);
      assert.doesNotMatch(text, /use `getSecret`/);
      const ready = environment.sandbox.machines.list().map(({ name, state }) => `${name} ${state}`);
      assert.deepEqual(ready.sort(), ['sandbox-ci-0001 ready', 'sandbox-nat ready']);
      assert.deepEqual(inventory(environment.sandbox).routes, ['0.0.0.0/0']);

      secrets.observe();
      const destroyed = await environment.cli(['destroy', '--yes', '--skip-preview'], rest);
      assert.equal(destroyed.code, 0, destroyed.text);
      assert.deepEqual(inventory(environment.sandbox), NOTHING);
      assert.deepEqual(secrets.leaks(), []);
    });
  }

  for (const { mode, access, replaced } of [
    { mode: 'tailnet', access: tailnetAccess, replaced: 'nat-key' },
    { mode: 'direct', access: directAccess, replaced: 'nat-server' },
  ]) {
    it(`in ${mode} mode, the NAT machine is made anew when ${replaced} is to be replaced`, async () => {
      environment = await Environment.start();
      environment.configure({ access: access(environment), ...PRIVATE_ONLY });
      assert.equal((await environment.up()).code, 0);
      const before = serverIds(environment.sandbox);
      const { urn } = environment.resources().find(({ urn }) => urn.endsWith(`::${replaced}`))!;
      const { code, text } = await environment.cli(['up', '--yes', '--skip-preview', '--replace', urn]);
      assert.equal(code, 0, text);
      assert.match(text, /nat-ready .*sandbox-nat forwards and translates addresses/);
      const { 'sandbox-nat': nat, ...workers } = serverIds(environment.sandbox);
      assert.deepEqual({ ...workers, 'sandbox-nat': before['sandbox-nat'] }, before);
      assert.ok(nat !== undefined && nat !== before['sandbox-nat']);
      assert.deepEqual(inventory(environment.sandbox).routes, ['0.0.0.0/0']);
      assert.deepEqual((await environment.preview()).changes, {});
    });
  }

  it('in direct mode opens SSH to the given networks, and to no other', async () => {
    environment = await Environment.start();
    const access = directAccess(environment);
    environment.configure({ access, pools: oneWorker() });
    const { code, text } = await environment.up();
    assert.equal(code, 0, text);
    const [firewall] = Object.values(project(environment.sandbox).firewalls);
    assert.deepEqual(
      firewall?.rules.map(({ direction, protocol, port, source_ips }) => ({
        direction,
        protocol,
        port,
        source_ips,
      })),
      [{ direction: 'in', protocol: 'tcp', port: '2222', source_ips: ['127.0.0.0/8'] }],
    );
    const [server] = Object.keys(project(environment.sandbox).servers).map(Number);
    assert.ok(environment.sandbox.hetzner.acceptsInbound(server!, 2222, '127.0.0.1'));
    assert.ok(!environment.sandbox.hetzner.acceptsInbound(server!, 2222, '203.0.113.7'));
    assert.ok(!environment.sandbox.hetzner.acceptsInbound(server!, 80, '127.0.0.1'));
  });

  for (const { what, access, machines, told } of [
    {
      what: 'never joins the tailnet',
      access: tailnetAccess,
      machines: { bootSeconds: { min: 600, max: 600 } },
      told: /sandbox-ci-0001 did not show up on the tailnet within \d s\. .*WORKER_POOLS_READY_TIMEOUT/,
    },
    {
      what: 'never becomes ready',
      access: directAccess,
      machines: { bootSeconds: { min: 0.5, max: 1 }, neverReadyShare: 1 },
      told: /sandbox-ci-0001: cloud-init did not end within 6 s\. Look at `cloud-init status --long`/,
    },
  ]) {
    it(`ends with what to look at when a machine ${what}`, async () => {
      environment = await Environment.start({ machines });
      environment.configure({ access: access(environment), pools: oneWorker() });
      const { code, text } = await environment.up({ WORKER_POOLS_READY_TIMEOUT: '6' });
      assert.notEqual(code, 0);
      assert.match(text, told);
      assert.doesNotMatch(text, /\bat \S+ \(?\S+:\d+:\d+/);
    });
  }

  it('refuses a machine that shows another host key than the expected one', async () => {
    environment = await Environment.start();
    const access = directAccess(environment);
    environment.configure({ access, pools: oneWorker({ waitForReady: false }) });
    assert.equal((await environment.up()).code, 0);
    // Host keys are derived from the secret: with another one, another key is expected.
    const [otherSecret] = await environment.seal('another-registration-secret-0123456789');
    environment.configure({ access, pools: oneWorker() }, { 'worker-pools:registrationSecret': otherSecret });
    const { code, text } = await environment.up();
    assert.notEqual(code, 0);
    assert.match(text, /shows another SSH host key than the one it was made with/);
  });
});
