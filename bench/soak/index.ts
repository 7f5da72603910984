import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCensor } from '../../automation/censor';
import { createLog } from '../../automation/log';
import { startService } from '../../automation/service';
import { type Cloud, startCloud } from '../cloud';
import { BenchStack, STACK } from '../engine/stack';
import { PROVIDER } from '../engine/times';
import { collectGarbage, type Memory, memoryNow } from './memory';

export interface Soak {
  readonly samples: readonly Sample[];
  /** Updates that were made meanwhile. */
  readonly updates: number;
  readonly rounds: number;
}

export interface Sample extends Memory {
  /** Rounds made before it. */
  readonly round: number;
}

/** Seconds between two rounds. */
const ROUND = 10;
const SAMPLES = 200;
const POOL = 'ci';
const ADMIN_TOKEN = 'admin-token-of-the-soak-0123456789';

/** Jobs that come every three hours, for four workers or so: the pool grows, rests and shrinks to nothing again. */
const BURST = { everyRounds: 1080, jobs: 12, seconds: 600 };

/**
 * The service in this process through so many rounds, in which its pool grows and shrinks; everything else (the cloud with
 * its machines, the engine) runs in processes of its own.
 */
export async function benchmarkSoak({
  rounds,
  progress,
}: {
  rounds: number;
  progress: (line: string) => void;
}): Promise<Soak> {
  const folder = mkdtempSync(join(tmpdir(), 'worker-pools-bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.on('exit', remove);
  const cloud = await startCloud(folder, { durationFactor: 0, clockRate: 'stepped' }, 60);
  try {
    return await soak(folder, cloud, rounds, progress);
  } finally {
    await cloud.stop();
    process.off('exit', remove);
    remove();
  }
}

async function soak(
  folder: string,
  cloud: Cloud,
  rounds: number,
  progress: (line: string) => void,
): Promise<Soak> {
  const stack = await BenchStack.create(folder, cloud);
  const port = await freePort();
  configure(stack, cloud, port);
  await stack.up();
  let now = await cloud.advance(0);
  let updates = 0;
  const censor = createCensor();
  const { place } = stack;
  const data = join(folder, 'data');
  mkdirSync(data);
  // The engine's plugins are there.
  symlinkSync(place.pulumiHome, join(data, 'pulumi'));
  const service = await startService(
    {
      stacks: [STACK],
      project: place.projectDirectory,
      data,
      databaseUrl: undefined,
      workers: { host: '127.0.0.1', port },
      admin: { host: '127.0.0.1', port: 0, token: ADMIN_TOKEN },
      dryRun: false,
      environment: place.environment,
    },
    {
      clock: { now: () => now, sleep: () => Promise.reject(new Error('the rounds are made one by one')) },
      random: () => 0.5,
      log: createLog(
        { write: (line) => void (line.includes('"event":"update-finished"') && (updates += 1)) },
        'info',
        censor,
      ),
      censor,
    },
  );
  const samples: Sample[] = [];
  const every = Math.max(1, Math.round(rounds / SAMPLES));
  for (let round = 0; round <= rounds; round += 1) {
    if (round % every === 0) samples.push({ round, ...(await collectGarbage().then(memoryNow)) });
    if (round % (every * 10) === 0)
      progress(`round ${round}, ${updates} updates, ${toMiB(samples.at(-1)!.heap)} MiB of heap`);
    if (round % BURST.everyRounds === 0)
      await cloud.addJobs(
        POOL,
        Array.from({ length: BURST.jobs }, () => ({ seconds: BURST.seconds })),
      );
    now = await cloud.advance(ROUND);
    await service.round();
  }
  await service.close();
  return { samples, updates, rounds };
}

export function toMiB(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

function configure(stack: BenchStack, { controlUrl }: Cloud, port: number): void {
  stack.configure({
    ...PROVIDER,
    'worker-pools:access': {
      connectivity: 'tailscale',
      sshKeys: [stack.publicKeyFile],
      tags: ['tag:worker'],
    },
    'worker-pools:service': { url: `http://127.0.0.1:${port}` },
    'worker-pools:autoscaling': { enabled: true },
    'worker-pools:pools': {
      [POOL]: {
        size: { min: 0, max: 5 },
        slots: 1,
        image: 'debian-12',
        placements: [{ serverType: 'cx33', location: 'fsn1' }],
        queue: {
          kind: 'http',
          url: `${controlUrl}/jobs/${POOL}`,
          waiting: 'waiting',
          running: 'running',
          oldestAge: 'oldestAge',
        },
      },
    },
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
