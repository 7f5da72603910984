import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { createRandom } from '../sandbox/kernel/random';
import { CloudClock, RATE } from './cloud-clock';
import { done, failed, say, step } from './console';
import { readCost } from './control';
import { type Engine, onStack, prepareEngine, STACK } from './engine';
import { cloudEnvironment, type Endpoints, type LocalCloud, startLocalCloud } from './local-cloud';
import { type Outcome, play, POOL } from './play';
import { freePort, type ScalingService, startScalingService } from './scaling-service';
import { openScreen } from './screen';
import { tellStory } from './story';
import { summaryTable } from './summary';
import { awaitDepartures, awaitMachines } from './tailnet';
import { readInventory, readLeftovers } from './vendors';
import { workerTable } from './worker-table';

const ROOT = dirname(__dirname);
const JOBS = 300;
/** The same jobs every time. */
const SEED = 7;

const options = new Command('demo')
  .description(
    'Brings the sandbox stack up on a local cloud with the real Pulumi engine, lets jobs arrive, watches the scaling service follow them, and takes everything down.',
  )
  .option('--jobs <n>', 'so many jobs arrive; with 0 nothing is to be scaled', wholeNumber, JOBS)
  .option(
    '--rate <n>',
    'time runs so many times as fast as real while the service watches',
    rate,
    RATE.watching,
  )
  .option('--keep', 'leave the local cloud, the service and the stack up, and say how to look around')
  .parse()
  .opts<{ jobs: number; rate: number; keep?: boolean }>();

/** Everything that the demo has started, in order; what ends it waits for what still needs it. */
interface Started {
  cloud?: LocalCloud;
  service?: ScalingService;
}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interruption.abort());
// A terminal that was closed takes no more words; what was started has to end all the same.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => interruption.abort());

void main();

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'worker-pools-demo-'));
  const started: Started = {};
  try {
    await demonstrate(folder, started);
    if (options.keep) return;
    await end(started);
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    const { aborted } = interruption.signal;
    process.exitCode = aborted ? 130 : 1;
    failed(aborted ? 'Interrupted.' : `The demo failed: ${messageOf(error)}`);
    await end(started);
    if (aborted) rmSync(folder, { recursive: true, force: true });
    else failed(`What the service and the local cloud said is in ${keepLogs(folder)}`);
  }
}

async function demonstrate(folder: string, started: Started): Promise<void> {
  step('Start the local cloud');
  const cloud = await startLocalCloud(ROOT, folder);
  started.cloud = cloud;
  const { endpoints } = cloud;
  done(`Hetzner, Tailscale and Cloudflare answer at ${new URL(endpoints.control.url).host}`);
  const port = await freePort();
  const engine = await prepareEngine(ROOT, folder, cloudEnvironment(endpoints));
  engine.edit([
    [['worker-pools:service', 'url'], `http://127.0.0.1:${port}`],
    [['worker-pools:pools', POOL, 'queue', 'url'], `${endpoints.control.url}/jobs/${POOL}`],
  ]);

  step('pulumi up: a network with its NAT gateway, keys, DNS, two web workers, and pool ci, still empty');
  await run(engine, 'up', '--yes', '--skip-preview', ...onStack(engine.configFile));

  step('Start the scaling service');
  const service = await startScalingService(ROOT, engine, {
    port,
    control: endpoints.control.url,
    rate: options.rate,
  });
  started.service = service;
  done(`Its status page is at ${service.adminUrl}`);
  await awaitMachines(endpoints, interruption.signal);
  process.stdout.write(`\n${workerTable(await readInventory(endpoints))}\n`);
  await previewEdit(engine);
  const outcome = options.jobs > 0 ? await showStory(endpoints, service) : undefined;

  if (options.keep) {
    if (outcome) tellHowItWent(outcome);
    tellHowToLookAround(folder, engine, cloud, service);
    service.leave();
    cloud.leave();
    return;
  }
  const left = await takeDown(engine, endpoints, service);
  if (outcome) tellHowItWent(outcome, left);
}

async function previewEdit(engine: Engine): Promise<void> {
  step('Preview an edit: another image for pool ci, one worker more in pool web');
  const edited = engine.draft('edited.yaml', [
    [['worker-pools:pools', POOL, 'image'], 'debian-13'],
    [['worker-pools:pools', 'web', 'size', 'fixed'], 3],
  ]);
  await run(engine, 'preview', ...onStack(edited));
  done('One worker would come. Running ones stay as they are: a rollout replaces drifted workers one by one');
}

async function showStory({ control }: Endpoints, { client }: ScalingService): Promise<Outcome> {
  step(`${options.jobs} jobs of 20 s to 10 min arrive in three bursts`);
  say(`Time runs ${options.rate} times as fast as real, and ${RATE.updating} times while the engine works`);
  const random = createRandom(SEED);
  const screen = openScreen(process.stdout);
  try {
    return await play(
      tellStory(options.jobs, () => random.next()),
      {
        control: control.url,
        client,
        readClock: () => CloudClock.read(control.url),
        show: (scene) => screen.show(scene),
        signal: interruption.signal,
      },
    );
  } finally {
    screen.close();
  }
}

function tellHowItWent(outcome: Outcome, left?: readonly string[]): void {
  step('How it went');
  process.stdout.write(`${summaryTable(outcome, left)}\n`);
}

/** @returns what is left: nothing. @throws Error naming what is */
async function takeDown(engine: Engine, endpoints: Endpoints, service: ScalingService): Promise<string[]> {
  await awaitDepartures(endpoints, interruption.signal);
  step('Stop the service, and pulumi destroy');
  await service.stop();
  const clock = await CloudClock.read(endpoints.control.url);
  await clock.setRate(RATE.booting);
  await run(engine, 'destroy', '--yes', '--skip-preview', ...onStack(engine.configFile));

  step('Look for what is left');
  const left = await readLeftovers(endpoints);
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
  done('Nothing is left: no server, key, network, firewall, address, device or record');
  const cost = await readCost(endpoints.control.url);
  done(`The local cloud billed EUR ${cost.toFixed(4)} for everything, by started hours`);
  return left;
}

/** One step of the engine's. An interruption lets it finish, and goes no further. */
async function run(engine: Engine, ...args: string[]): Promise<void> {
  interruption.signal.throwIfAborted();
  await engine.run(...args);
  interruption.signal.throwIfAborted();
}

/** The service first: the update that it may be in the middle of needs the cloud. */
async function end({ service, cloud }: Started): Promise<void> {
  await service?.stop();
  await cloud?.stop();
}

/** Takes everything else away. @returns the folder */
function keepLogs(folder: string): string {
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.log')) rmSync(join(folder, name), { recursive: true, force: true });
  }
  return folder;
}

function tellHowToLookAround(
  folder: string,
  engine: Engine,
  { endpoints, pid }: LocalCloud,
  service: ScalingService,
): void {
  const file = join(folder, 'environment.sh');
  const variables = {
    PATH: process.env['PATH'] ?? '',
    ...engine.environment,
  };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`);
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  step('Everything is left up. Look around:');
  for (const line of [
    `source ${file}`,
    `${service.adminUrl}    # the status page; it asks for the token in ${service.tokenFile}`,
    `npx worker-pools status --service ${service.adminUrl} --data ${engine.data}    # the same in the terminal`,
    `tail -f ${service.log}    # what the service says`,
    `curl -s -X POST -H 'content-type: application/json' ${endpoints.control.url}/jobs -d '{"pool":"${POOL}","jobs":[{"seconds":300}]}'    # a job`,
    `pulumi stack --stack ${STACK} --show-urns    # what the engine knows`,
    `pulumi up --stack ${STACK} --config-file ${engine.configFile}    # edit the file before`,
    `curl -s -H "Authorization: Bearer $HCLOUD_TOKEN" ${endpoints.hetzner.url}/servers`,
    `curl -s ${endpoints.control.url}/machines    # what the machines did`,
    `kill ${service.pid}; while kill -0 ${service.pid} 2>/dev/null; do sleep 1; done; kill ${pid} && rm -r ${folder}    # when you have seen enough`,
  ]) {
    say(line);
  }
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('must be a whole number up to 9999');
  return number;
}

function rate(text: string): number {
  const number = wholeNumber(text);
  if (number === 0) throw new InvalidArgumentError('must be at least 1');
  return number;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
