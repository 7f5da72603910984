import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { done, failed, say, step } from './console';
import { onStack, prepareEngine, type Engine } from './engine';
import {
  cloudEnvironment,
  startLocalCloud,
  TIME_FACTOR,
  type Endpoints,
  type LocalCloud,
} from './local-cloud';
import { readCost, readInventory, readLeftovers } from './vendors';
import { workerTable } from './worker-table';

const ROOT = dirname(__dirname);
const JOIN_TIMEOUT_MS = 180_000;

const options = new Command('demo')
  .description(
    'Brings the sandbox stack up on a local cloud with the real Pulumi engine, looks at it, previews an edit and takes it down.',
  )
  .option('--keep', 'leave the local cloud and the stack up, and say how to look around')
  .parse()
  .opts<{ keep?: boolean }>();

let interrupted = false;
process.on('SIGINT', () => (interrupted = true));
process.on('SIGTERM', () => (interrupted = true));

void main();

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'worker-pools-demo-'));
  let cloud: LocalCloud | undefined;
  try {
    step('Start the local cloud');
    cloud = await startLocalCloud(ROOT, folder);
    done(
      `Hetzner, Tailscale and Cloudflare answer at ${new URL(cloud.endpoints.control.url).host}; time runs ${TIME_FACTOR} times as fast`,
    );
    const engine = await prepareEngine(ROOT, folder, cloudEnvironment(cloud.endpoints));

    await bringUp(engine, cloud.endpoints);
    await previewEdit(engine);
    if (options.keep) {
      tellHowToLookAround(folder, engine, cloud);
      cloud.leave();
      return;
    }
    await takeDown(engine, cloud.endpoints);
  } catch (error) {
    failed(
      interrupted
        ? 'Interrupted.'
        : `The demo failed: ${error instanceof Error ? error.message : String(error)}`,
    );
    process.exitCode = interrupted ? 130 : 1;
  }
  await cloud?.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function bringUp(engine: Engine, endpoints: Endpoints): Promise<void> {
  step('pulumi up: a network with its NAT gateway, keys, DNS, and two pools of workers');
  await engine.run('up', '--yes', '--skip-preview', ...onStack(engine));

  step('Wait until every machine has booted and joined the tailnet');
  await awaitMachines(endpoints);
  process.stdout.write(`\n${workerTable(await readInventory(endpoints))}\n`);
}

async function previewEdit(engine: Engine): Promise<void> {
  step('Preview an edit: another image for pool ci, one worker more in pool web');
  engine.edit(['worker-pools:pools', 'ci', 'image'], 'debian-13');
  engine.edit(['worker-pools:pools', 'web', 'size', 'fixed'], 3);
  await engine.run('preview', ...onStack(engine));
  done('One worker would come. Running ones stay as they are: a rollout replaces drifted workers one by one');
}

async function takeDown(engine: Engine, endpoints: Endpoints): Promise<void> {
  step('pulumi destroy');
  await engine.run('destroy', '--yes', '--skip-preview', ...onStack(engine));

  step('Look for what is left');
  const left = await readLeftovers(endpoints);
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
  done('Nothing is left: no server, key, network, firewall, address, device or record');
  done(`The local cloud billed EUR ${await readCost(endpoints)} (every started hour)`);
}

/** @throws Error naming the machines that did not join in time */
async function awaitMachines(endpoints: Endpoints): Promise<void> {
  const deadline = Date.now() + JOIN_TIMEOUT_MS;
  for (let before = -1; ;) {
    if (interrupted) throw new Error('interrupted');
    const { servers, devices } = await readInventory(endpoints);
    const missing = servers
      .map(({ name }) => name)
      .filter((name) => !devices.some((device) => device.hostname === name && device.connectedToControl));
    const joined = servers.length - missing.length;
    if (joined !== before) say(`${joined} of ${servers.length} machines are on the tailnet`);
    before = joined;
    if (missing.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(`not on the tailnet after three minutes: ${missing.join(', ')}`);
    await sleep(500);
  }
}

function tellHowToLookAround(folder: string, engine: Engine, cloud: LocalCloud): void {
  const file = join(folder, 'environment.sh');
  const path = `export PATH='${process.env['PATH'] ?? ''}'`;
  const variables = Object.entries(engine.environment).map(([name, value]) => `export ${name}='${value}'`);
  writeFileSync(file, `${[path, ...variables].join('\n')}\n`, { mode: 0o600 });
  step('Everything is left up. Look around:');
  const { endpoints, pid } = cloud;
  for (const line of [
    `source ${file}`,
    'pulumi stack --stack sandbox --show-urns           # what the engine knows',
    `pulumi up --stack sandbox --config-file ${engine.configFile}`,
    `curl -s -H "Authorization: Bearer $HCLOUD_TOKEN" ${endpoints.hetzner.url}/servers`,
    `curl -s ${endpoints.control.url}/machines                   # what the machines did`,
    `kill ${pid} && rm -r ${folder}    # when you have seen enough`,
  ]) {
    say(line);
  }
}
