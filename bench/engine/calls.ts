import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Cloud } from '../cloud';
import type { Table } from '../report/table';
import { BenchStack } from './stack';
import { difference, list, round, tally, total, writes, type Tally } from './tally';
import { configureWorkers, SHAPES, type Shape } from './workers';

/** The cloud's clock runs this much faster than real, and the provider polls as much faster: the same counts, sooner. */
export const CLOCK_RATE = 4;

/** Calls of each kind of run. */
export interface Calls {
  shape: Shape;
  noOp: Tally;
  preview: Tally;
  /** A run that adds one worker. */
  addOne: Tally;
  /** What one more worker in the same run adds. */
  perWorker: Tally;
  deleteOne: Tally;
}

/** Counts what the vendors are asked, for each shape of worker, with the poll settings of production. */
export async function countCalls(
  folder: string,
  cloud: Cloud,
  progress: (line: string) => void,
): Promise<Calls[]> {
  const results: Calls[] = [];
  for (const shape of SHAPES) results.push(await countShape(folder, cloud, shape, progress));
  return results;
}

/** The poll settings as production has them, and what they become under the fast clock. */
export function pollSettings(): { interval: string; func: string; provider: Record<string, string> } {
  const text = readFileSync(join(__dirname, '..', '..', 'Pulumi.production.yaml'), 'utf8');
  const { config } = z
    .object({
      config: z.object({
        'hcloud:pollInterval': z.string().regex(/^\d+m?s$/),
        'hcloud:pollFunction': z.string(),
      }),
    })
    .parse(parse(text));
  const interval = config['hcloud:pollInterval'];
  const milliseconds = Number.parseInt(interval, 10) * (interval.endsWith('ms') ? 1 : 1000);
  const func = config['hcloud:pollFunction'];
  return {
    interval,
    func,
    provider: {
      'hcloud:pollInterval': `${milliseconds / CLOCK_RATE}ms`,
      'hcloud:pollFunction': func,
    },
  };
}

async function countShape(
  folder: string,
  cloud: Cloud,
  shape: Shape,
  progress: (line: string) => void,
): Promise<Calls> {
  await cloud.reset();
  const stack = await BenchStack.create(folder, cloud);
  const { provider } = pollSettings();
  const callsOf = async (what: string, run: () => Promise<void>): Promise<Tally> => {
    await cloud.clearRequests();
    await run();
    const counts = tally(await cloud.requests());
    progress(`calls, ${shape.name}: ${what}: ${total(counts)}`);
    return counts;
  };
  const upTo = (size: number) => async (): Promise<void> => {
    configureWorkers(stack, shape, size, provider);
    await stack.up();
  };
  await callsOf('first up', upTo(1));
  const noOp = await callsOf('no-op', upTo(1));
  const preview = await callsOf('preview', () => stack.preview());
  const addOne = await callsOf('+1', upTo(2));
  const addThree = await callsOf('+3', upTo(5));
  const deleteOne = await callsOf('−1', upTo(4));
  return { shape, noOp, preview, addOne, perWorker: difference(addThree, addOne, 2), deleteOne };
}

/** Summary by shape, then each shape's calls by name. */
export function callTables(results: readonly Calls[]): Table[] {
  const { interval, func } = pollSettings();
  return [
    {
      title: 'API calls by vendor',
      note: `Hetzner / Tailscale / Cloudflare. Action durations as at the vendor (8 s for a server), polled every ${interval} (${func}), as in Pulumi.production.yaml; clock and polls both run ${CLOCK_RATE} times as fast. "Each worker" is what one more worker adds to a run that adds workers; the other columns are whole runs of the command line with their checks before it.`,
      head: ['worker', 'each worker added', 'run +1', 'run −1', 'no-op', 'preview', 'writes of a no-op'],
      rows: results.map(({ shape, noOp, preview, addOne, perWorker, deleteOne }) => [
        shape.name,
        ...[perWorker, addOne, deleteOne, noOp, preview].map(byVendor),
        String(writes(noOp)),
      ]),
    },
    {
      title: 'API calls by name',
      note: 'Above the run’s checks, which are the no-op row.',
      head: ['worker', 'run', 'Hetzner', 'Tailscale', 'Cloudflare'],
      rows: results.flatMap(({ shape, noOp, perWorker, deleteOne }) => [
        [shape.name, 'no-op', ...byName(noOp)],
        ['', 'each worker added', ...byName(perWorker)],
        ['', 'a worker deleted', ...byName(difference(deleteOne, noOp))],
      ]),
    },
  ];
}

const VENDORS = ['hetzner', 'tailscale', 'cloudflare'];

function byVendor(counts: Tally): string {
  return VENDORS.map((vendor) => round(total(counts, vendor))).join(' / ');
}

function byName(counts: Tally): string[] {
  return VENDORS.map((vendor) => list(counts, vendor) || '–');
}
