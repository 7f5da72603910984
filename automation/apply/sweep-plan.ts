import type { Membership } from '../../components/model/membership';
import { physicalName } from '../../components/model/names';
import type { CloudServer, Dated, TailnetDevice } from '../observe/types';
import type { RegisteredWorker } from '../registry/types';

/** What the stack's backend says; seconds since 1970. */
export interface StackState {
  /** When it was read. */
  readonly at: number;
  readonly membership: Membership;
  /** Ids of the resources that the state holds: the engine deletes those itself, and fails where they are gone. */
  readonly ids: ReadonlySet<string>;
  /** Neither does an update run nor did one leave anything half done. */
  readonly settled: boolean;
}

export interface SweepInput {
  readonly now: number;
  readonly environment: string;
  /** The latest complete list; undefined where none could be read. */
  readonly servers: Dated<CloudServer> | undefined;
  /** As this process knows it. */
  readonly membership: Membership;
  /** Undefined where it was not read; see `needsState`. */
  readonly state: StackState | undefined;
  /** What an open intent declares. */
  readonly intent: Membership | undefined;
  readonly registered: readonly RegisteredWorker[];
  readonly devices: Dated<TailnetDevice> | undefined;
  readonly memory: SweepMemory;
}

/** Plain JSON, for the next plan. */
export interface SweepMemory {
  /** The list that was counted last. */
  readonly listedAt?: number;
  /** By server id: the first of the lists in a row that had it as a stranger. */
  readonly strangers: Readonly<Record<string, number>>;
}

export const NO_SWEEP_MEMORY: SweepMemory = { strangers: {} };

export interface SweepPlan {
  readonly deletions: readonly SweptServer[];
  /** Orphans that registered once: they end their jobs first. */
  readonly drains: readonly { readonly worker: string; readonly pool: string; readonly reason: string }[];
  readonly devices: readonly { readonly id: string; readonly hostname: string; readonly reason: string }[];
  /** Workers whose server the stack's state still has though no record knows them: an update deletes it. */
  readonly undeleted: readonly string[];
  /** What was found and why it stays or goes, one sentence each. */
  readonly reasons: readonly string[];
  /** There is something that only a fresh reading of the stack's state can judge. */
  readonly needsState: boolean;
  readonly memory: SweepMemory;
}

export interface SweptServer {
  readonly id: number;
  readonly name: string;
  readonly worker: string;
  readonly reason: string;
}

const MINUTE = 60;
/** A younger server may belong to an update that has not recorded it yet. */
const GRACE = 15 * MINUTE;
/** Two complete lists at least this far apart have to have it. */
const SIGHTING_GAP = MINUTE;
/** Two idle lists. */
const LIST_AGE = 2.5 * MINUTE;
/** A reading of the stack's state holds for this long. */
const STATE_AGE = 2 * MINUTE;
/** A member is looked for in a list once it is this old. */
const LAUNCH_GRACE = 2 * MINUTE;
/** An orphan that said it was busy and then nothing for so long has no job any more. */
export const BUSY_SILENCE = 60 * MINUTE;
const MOST_SERVERS = 3;
const MOST_DEVICES = 5;

/**
 * What is left over and may go: servers with the stack's labels and devices with its host names that no record knows.
 * Sceptical: whatever could not be read, is young, or looks wrong as a whole stays.
 */
export function planSweep(input: SweepInput): SweepPlan {
  const { now, servers, membership, state, intent, memory } = input;
  const known = knownMembers([membership, intent, state?.membership]);
  const hold = whyNothing(servers, known, now);
  if (servers === undefined || hold !== undefined) {
    const reasons = [`${hold}; nothing is swept`];
    return { deletions: [], drains: [], devices: [], undeleted: [], reasons, needsState: false, memory };
  }

  const listed = new Set(servers.items.map(({ worker }) => worker));
  const strangers = servers.items.filter(({ worker, status }) => !known.has(worker) && status !== 'deleting');
  const seen = remember(memory, servers.at, strangers);
  const pools = new Set([membership, intent, state?.membership].flatMap((part) => Object.keys(part ?? {})));
  const verdicts = strangers
    .toSorted((a, b) => a.created - b.created)
    .map((server) => ({ server, ...judge(server, seen.strangers[server.id]!, pools, input) }));
  const orphans = verdicts.filter(({ verdict }) => verdict === 'delete').map(({ server }) => server);
  const drains = verdicts.filter(({ verdict }) => verdict === 'drain');
  const going = orphans.length + drains.length;
  const most = going > MOST_SERVERS && 2 * going > servers.items.length;
  const leftDevices = most ? [] : orphanedDevices(input, known, listed, pools);
  return {
    deletions: (most ? [] : orphans.slice(0, MOST_SERVERS)).map(({ id, name, worker }) => ({
      id,
      name,
      worker,
      reason: orphanReason(name, now, seen.strangers[id]!),
    })),
    drains: (most ? [] : drains.slice(0, MOST_SERVERS)).map(({ server: { worker, pool }, reason }) => ({
      worker,
      pool,
      reason,
    })),
    devices: leftDevices
      .filter(({ judged }) => judged)
      .slice(0, MOST_DEVICES)
      .map(({ id, hostname, reason }) => ({ id, hostname, reason })),
    undeleted: verdicts.filter(({ verdict }) => verdict === 'update').map(({ server }) => server.worker),
    reasons: [
      ...(most
        ? [
            `${going} of ${servers.items.length} servers would go, which is most of the fleet; nothing is swept. Look at the record, and delete by hand what is left over`,
          ]
        : []),
      ...verdicts.map(({ reason }) => reason),
      ...leftDevices.map(({ reason }) => reason),
    ],
    needsState:
      verdicts.some(({ verdict }) => verdict === 'ask') || leftDevices.some(({ judged }) => !judged),
    memory: seen,
  };
}

/** Why the list of servers is nothing to go by, if so. */
function whyNothing(
  servers: Dated<CloudServer> | undefined,
  known: ReadonlyMap<string, number>,
  now: number,
): string | undefined {
  if (servers === undefined) return 'the servers could not be listed';
  const { at, items } = servers;
  if (now - at > LIST_AGE) return `the latest list of servers is ${minutes(now - at)} old`;
  const expected = [...known].filter(([, launchedAt]) => launchedAt + LAUNCH_GRACE <= at);
  const has = (id: string): boolean => items.some(({ worker }) => worker === id);
  if (expected.length === 0 || expected.some(([id]) => has(id))) return undefined;
  const found = items.length === 0 ? 'is empty' : 'has none of them';
  return `${expected.length} members are recorded, and the list of servers ${found}`;
}

type Verdict = { verdict: 'keep' | 'ask' | 'update' | 'drain' | 'delete'; reason: string };

/** What is to become of a stranger, and why. */
function judge(
  server: CloudServer,
  firstSeenAt: number,
  pools: ReadonlySet<string>,
  { now, environment, servers, state, registered }: SweepInput,
): Verdict {
  const { id, name, pool, worker, created } = server;
  const keep = (why: string): Verdict => ({ verdict: 'keep', reason: `${name} stays: ${why}` });
  if (!pools.has(pool)) return keep(`no pool ${pool} was ever recorded in this stack`);
  if (!isWorkerOf(worker, pool) || name !== physicalName(environment, worker)) {
    return keep(`its name and its labels (pool ${pool}, worker ${worker}) do not belong together`);
  }
  if (now - created < GRACE)
    return keep(`it is ${minutes(now - created)} old, and an update may still record it`);
  if (servers!.at - firstSeenAt < SIGHTING_GAP) return keep('only one look has found it to be left over');
  if (state === undefined || state.at <= firstSeenAt || now - state.at > STATE_AGE) {
    return { verdict: 'ask', reason: `${name} stays until the stack’s state is read anew` };
  }
  if (!state.settled) return keep('an update runs, or left something half done');
  const row = registered.find((candidate) => candidate.worker === worker);
  const verdict: Verdict = row
    ? judgeRegistered(row, name, now, firstSeenAt)
    : { verdict: 'delete', reason: orphanReason(name, now, firstSeenAt) };
  if (verdict.verdict !== 'delete' || !state.ids.has(String(id))) return verdict;
  const { reason } = keep('the stack’s state still has it, and its next update deletes it');
  return { verdict: 'update', reason };
}

function judgeRegistered(row: RegisteredWorker, name: string, now: number, firstSeenAt: number): Verdict {
  const silence = now - row.seenAt;
  const reason = orphanReason(name, now, firstSeenAt);
  if (row.busy > 0 && silence < BUSY_SILENCE) {
    const why = `${name} stays until its ${row.busy} running jobs have ended`;
    return { verdict: row.drain ? 'keep' : 'drain', reason: why };
  }
  if (silence >= GRACE) return { verdict: 'delete', reason };
  if (!row.drain)
    return { verdict: 'drain', reason: `${name} is told to take no further job: no record knows it` };
  const { toldAt } = row.drain;
  const hasAnswered = toldAt !== undefined && row.beatAt !== undefined && row.beatAt > toldAt;
  if (!hasAnswered) {
    return { verdict: 'keep', reason: `${name} stays until it has heard that it is to take no further job` };
  }
  return { verdict: 'delete', reason };
}

/** Offline devices of workers that no record, no server and no heartbeat knows. `judged` is false without a fresh state. */
function orphanedDevices(
  { now, environment, devices, state, registered }: SweepInput,
  known: ReadonlyMap<string, number>,
  listed: ReadonlySet<string>,
  pools: ReadonlySet<string>,
): { id: string; hostname: string; reason: string; judged: boolean }[] {
  if (devices === undefined) return [];
  const alive = new Set(registered.filter(({ seenAt }) => now - seenAt <= GRACE).map(({ worker }) => worker));
  return devices.items.flatMap(({ id, hostname, lastSeen }) => {
    const worker = hostname.slice(physicalName(environment, '').length);
    const isOurs =
      hostname === physicalName(environment, worker) && [...pools].some((pool) => isWorkerOf(worker, pool));
    const offline = devices.at - lastSeen;
    if (!isOurs || known.has(worker) || listed.has(worker) || alive.has(worker) || offline <= GRACE)
      return [];
    const judged = state !== undefined && state.at > lastSeen && now - state.at <= STATE_AGE;
    if (judged && !state.settled) return [];
    const what = `tailnet device ${hostname} is offline for ${minutes(offline)} and has no server`;
    return [
      {
        id,
        hostname,
        judged,
        reason: judged ? what : `${what}; it stays until the stack’s state is read anew`,
      },
    ];
  });
}

/** The lists in a row that had each stranger; one that a list lacks starts afresh. The same list twice is one list. */
function remember(memory: SweepMemory, listedAt: number, strangers: readonly CloudServer[]): SweepMemory {
  const entries = strangers.map(({ id }) => [id, memory.strangers[id] ?? listedAt] as const);
  return { listedAt, strangers: Object.fromEntries(entries) };
}

/** Ids of members with the time of their launch. */
function knownMembers(parts: readonly (Membership | undefined)[]): Map<string, number> {
  const members = parts.flatMap((part) => Object.values(part ?? {}).flatMap((pool) => pool.members));
  return new Map(members.map(({ id, launchedAt }) => [id, Date.parse(launchedAt) / 1000]));
}

/** Whether it is a worker's id as `workerId` makes them. */
export function isWorkerOf(worker: string, pool: string): boolean {
  return worker.startsWith(`${pool}-`) && /^[0-9a-z]{4,}$/.test(worker.slice(pool.length + 1));
}

function orphanReason(name: string, now: number, firstSeenAt: number): string {
  return `${name} goes: no record knows it, over all lists of the last ${minutes(now - firstSeenAt)}`;
}

function minutes(seconds: number): string {
  return `${Math.floor(seconds / MINUTE)} min`;
}
