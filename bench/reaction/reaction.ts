import { hostname } from 'node:os';
import { openStack } from '../../automation/apply/stack-runner';
import type { MembershipChange } from '../../automation/apply/types';
import { createCensor } from '../../automation/censor';
import type { Intent, IntentBook } from '../../automation/registry/types';
import type { Cloud } from '../cloud';
import { STACK, type BenchPlace } from '../engine/stack';
import { POOL } from '../engine/workers';
import { processorTime, type ProcessorTime } from './processor-time';

/** Milliseconds of every measurement of one size, in order; all from the decision, which is the call of `update()`. */
export interface Reaction {
  size: number;
  /** Until the engine holds the stack's lock and the program asks what to change. */
  asked: number[];
  /** Until Hetzner is asked for the server. */
  firstPost: number[];
  /** Until `update()` returns, with one worker more and with one less. */
  added: number[];
  removed: number[];
  /** Processor time of an update that adds one: of the service, and of the engine with its plugins. */
  service: number[];
  engine: number[];
}

const PLACEMENT = { pool: POOL, serverType: 'cx33', location: 'fsn1' };

/** Brings a stack to `size` workers, then adds one and takes the oldest away, `runs` times. */
export async function measureReactions(
  place: BenchPlace,
  cloud: Cloud,
  { size, runs, progress }: { size: number; runs: number; progress: (line: string) => void },
): Promise<Reaction> {
  const runner = await openStack({
    ...place,
    stack: STACK,
    intents: new MemoryIntents(),
    holder: { host: hostname(), pid: process.pid, startedAt: Date.now() / 1000 - process.uptime() },
    now: () => Date.now() / 1000,
    censor: createCensor(),
  });
  let asked = 0;
  let members: string[] = [];
  const update = async (change: MembershipChange): Promise<void> => {
    const report = await runner.update(async () => {
      asked = Date.now();
      return change;
    });
    if (report.outcome !== 'succeeded') throw new Error(`an update failed: ${report.problems.join('; ')}`);
    members = report.outputs.membership[POOL]!.members.map(({ id }) => id);
  };
  await update({ launches: Array.from({ length: size }, () => PLACEMENT), removals: [] });
  progress(`${size} workers are there`);

  const result: Reaction = {
    ...{ size, asked: [], firstPost: [], added: [], removed: [] },
    ...{ service: [], engine: [] },
  };
  for (let run = 1; run <= runs; run += 1) {
    await cloud.clearRequests();
    const before = processorTime();
    const started = Date.now();
    await update({ launches: [PLACEMENT], removals: [] });
    const took = Date.now() - started;
    const used = since(before);
    result.asked.push(asked - started);
    result.firstPost.push((await firstServer(cloud)) - started);
    result.added.push(took);
    result.service.push(used.own);
    result.engine.push(used.children);
    const removing = Date.now();
    await update({ launches: [], removals: members.slice(0, 1) });
    result.removed.push(Date.now() - removing);
    progress(
      `${size} workers, run ${run} of ${runs}: asked after ${result.firstPost.at(-1)} ms, done after ${took} ms`,
    );
  }
  await runner.close();
  return result;
}

function since(before: ProcessorTime): ProcessorTime {
  const after = processorTime();
  return { own: after.own - before.own, children: after.children - before.children };
}

/** Milliseconds since the epoch. */
async function firstServer(cloud: Cloud): Promise<number> {
  const request = (await cloud.requests()).find(
    ({ method, path }) => method === 'POST' && path === '/v1/servers',
  );
  if (!request) throw new Error('nobody asked Hetzner for a server');
  return Date.parse(request.wallTime);
}

/** The service keeps its intent in a database; that costs it two round trips, and is no part of this. */
class MemoryIntents implements IntentBook {
  private intent: Intent | undefined;

  async write(intent: Intent): Promise<void> {
    this.intent = intent;
  }

  async open(): Promise<Intent | undefined> {
    return this.intent;
  }

  async clear(): Promise<void> {
    this.intent = undefined;
  }
}
