import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { utils } from 'ssh2';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox';
import { freePort } from '../automation/commands/stage';
import { copyCheckout } from '../automation/review/scratch-clone';
import { tailnetState } from '../engine/cloud';
import type { Raw } from '../engine/configs';
import { endPlugins, findEngine, type Running, start } from '../engine/engine';
import { Shell } from './shell';

/** The one stack, by the name that get-started gives it. */
export const STACK = 'staging';
const TAG = 'tag:worker-staging';
const SSH_PORT = 2222;

/** The queue of the page's pool is the local cloud's; two further pools are those that other pages speak of. */
const slotsPool: Raw = {
  size: { min: 1, max: 3 },
  image: 'debian-12',
  placements: [{ serverType: 'cx33', location: 'fsn1' }],
  queue: { kind: 'slots' },
};

const startedSchema = z.object({ hetzner: z.object({ url: z.string(), token: z.string() }) });
const boughtSchema = z.object({ server: z.object({ id: z.number() }) });

/** A person's machine with a checkout, an empty home, and a local cloud in place of the vendors. */
export class World {
  readonly checkout: string;
  /** Id of a machine on the local cloud that a page has its reader start. */
  machine = 0;
  private readonly background: Running[] = [];

  private constructor(
    readonly sandbox: Sandbox,
    readonly folder: string,
    readonly ports: { workers: number; admin: number; cloud: number },
    private readonly env: NodeJS.ProcessEnv,
  ) {
    this.checkout = join(folder, 'checkout');
  }

  static async start(): Promise<World> {
    const engine = await findEngine();
    const sandbox = await startSandbox({
      clock: { kind: 'real', rate: 20 },
      hetzner: { durationFactor: 0, limits: { servers: 50, primaryIps: 50 } },
      tailscale: {
        tagOwners: { [TAG]: ['autogroup:admin'] },
        oauthClients: [{ description: 'service', scopes: ['auth_keys', 'devices:core'], tags: [TAG] }],
      },
      machines: { bootSeconds: { min: 5, max: 10 } },
    });
    const folder = mkdtempSync(join(tmpdir(), 'worker-pools-reader-'));
    for (const name of [
      'checkout/keys',
      'home/.ssh',
      'bin',
      'state',
      'data/pulumi',
      'other/pulumi',
      'run/worker-pools/jobs',
    ])
      mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
    const ports = { workers: await freePort(), admin: await freePort(), cloud: await freePort() };
    const { hetzner, tailscale, cloudflare } = sandbox.endpoints;
    for (const data of ['data', 'other']) engine.linkPlugins(join(folder, data, 'pulumi'));
    const world = new World(sandbox, folder, ports, {
      PATH: [join(folder, 'bin'), engine.env['PATH']].join(':'),
      HOME: join(folder, 'home'),
      USER: 'anna',
      STATE_DIRECTORY: join(folder, 'data'),
      WORKER_POOLS_CACHE:
        process.env['WORKER_POOLS_CACHE'] ?? join(process.env['HOME'] ?? '', '.cache/hcloud-worker-pools'),
      NO_COLOR: '1',
      npm_config_update_notifier: 'false',
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: engine.env['PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION'],
      ...engine.linkPlugins(join(folder, 'home', '.pulumi')),
      PULUMI_CONFIG_PASSPHRASE: 'of the reader',
      HCLOUD_ENDPOINT: hetzner.url,
      TAILSCALE_BASE_URL: tailscale.url,
      CLOUDFLARE_BASE_URL: cloudflare.url,
    });
    world.furnish();
    return world;
  }

  open(): Shell {
    return Shell.open(this.checkout, this.env);
  }

  /** A command that runs on. Resolves when it has said the words. @throws Error when it ends before */
  async leaveRunning(command: string, words: string): Promise<Running> {
    const running = start(['bash', '-c', `exec ${command}`], { cwd: this.checkout, env: this.env });
    this.background.push(running);
    let ended = false;
    void running.finished.then(() => (ended = true));
    while (!running.text().includes(words)) {
      if (ended) throw new Error(`it ended before "${words}":\n${running.text()}`);
      await delay(50);
    }
    return running;
  }

  /** Buys a server on the local cloud that a page has its reader start. @param said with its line of JSON */
  async buyMachine(said: string): Promise<void> {
    const line = said.split('\n').find((text) => text.startsWith('{')) ?? '';
    const { hetzner } = startedSchema.parse(JSON.parse(line));
    const answer = await fetch(`${hetzner.url}/servers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hetzner.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'one', server_type: 'cx33', location: 'fsn1', image: 'debian-12' }),
    });
    this.machine = boughtSchema.parse(await answer.json()).server.id;
  }

  /** Takes a page's keys into the stack's file, as its reader does. */
  write(page: string): void {
    const file = join(this.checkout, `Pulumi.${STACK}.yaml`);
    const { config = {}, ...rest } = parse(readFileSync(file, 'utf8')) as { config?: Raw };
    const shown = this.here(parse(page) as Raw);
    const whole = { ...rest, config: { ...config, ...shown } };
    writeFileSync(file, stringify(whole, { aliasDuplicateObjects: false }));
  }

  /** `ssh root@HOST COMMAND` with the reader's key, once the machine is on the tailnet. */
  async ssh(host: string, command: string): Promise<string> {
    const find = () =>
      Object.values(tailnetState(this.sandbox).devices).find(({ hostname }) => hostname === host);
    while (!find()) await delay(50);
    const options =
      '-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -i ~/.ssh/id_ed25519';
    return `ssh ${options} -p ${SSH_PORT} root@${find()!.ipv4} ${JSON.stringify(command)}`;
  }

  async close(): Promise<void> {
    await Promise.all(this.background.map((running) => running.kill()));
    for (const home of ['home/.pulumi', 'data/pulumi', 'other/pulumi']) endPlugins(join(this.folder, home));
    await this.sandbox.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The checkout, a key pair, the wrapper of the command line, and a stack's file with nothing but what polls fast. */
  private furnish(): void {
    copyCheckout(this.checkout);
    const pair = utils.generateKeyPairSync('ed25519');
    writeFileSync(join(this.folder, 'home/.ssh/id_ed25519'), pair.private, { mode: 0o600 });
    writeFileSync(join(this.folder, 'home/.ssh/id_ed25519.pub'), `${pair.public} anna\n`);
    const wrapper = '#!/bin/sh\nexec node automation/worker-pools.js "$@"\n';
    writeFileSync(join(this.folder, 'bin/worker-pools'), wrapper, { mode: 0o755 });
    const config = { 'hcloud:pollInterval': '100ms', 'hcloud:pollFunction': 'constant' };
    writeFileSync(join(this.checkout, `Pulumi.${STACK}.yaml`), stringify({ config }));
  }

  /** A page's configuration with the addresses of this machine. */
  private here(config: Raw): Raw {
    const key = (name: string): string => `worker-pools:${name}`;
    const { [key('access')]: access, [key('service')]: service, [key('pools')]: pools } = config;
    const own = { port: SSH_PORT, privateKeyFile: join(this.folder, 'home/.ssh/id_ed25519') };
    return {
      ...config,
      ...(access ? { [key('access')]: { ...(access as Raw), ssh: own } } : {}),
      ...(service ? { [key('service')]: { url: `http://127.0.0.1:${this.ports.workers}` } } : {}),
      ...(pools && service ? { [key('pools')]: this.followed(pools as Record<string, Raw>) } : {}),
    };
  }

  private followed(pools: Record<string, Raw>): Raw {
    const read = { waiting: 'waiting', running: 'running', oldestAge: 'oldestAge' };
    const queue = { kind: 'http', url: this.jobs, ...read };
    const own = Object.entries(pools).map(([name, pool]) => [name, { ...pool, queue }]);
    return { ...(Object.fromEntries(own) as Raw), agents: slotsPool, dev: slotsPool };
  }

  /** Where the local cloud's queue of the pool `ci` is read. */
  get jobs(): string {
    return `${this.sandbox.endpoints.control.url}/jobs/ci`;
  }
}
