import type { ConnectionOptions } from 'node:tls';
import { AuditTable } from './audit';
import { Database, type Endpoint } from './database';
import { RegistryError } from './database-errors';
import { FileLockLeadership, openEmbedded } from './embedded';
import { IntentTable } from './intents';
import { AdvisoryLockLeadership } from './leadership';
import { LedgerTable } from './ledger';
import { MemoryTable } from './memory';
import { migrate } from './migrations';
import { OrderTable } from './orders';
import { SlotTable } from './slots';
import type { Leadership, Registry } from './types';
import { WorkerTable } from './workers';

export { RegistryError } from './database-errors';

/** A PostgreSQL that several processes may share, or a folder that one process has for itself. */
export type RegistryLocation =
  | { readonly url: string; readonly tls?: Pick<ConnectionOptions, 'ca' | 'cert' | 'key'> }
  | { readonly directory: string };

export interface RegistryOptions {
  /** Seconds without a word after which a worker gets no slots. */
  readonly silence: number;
}

/** Enough for what a process asks at once; PostgreSQL has 100 connections for all its clients unless told otherwise. */
const CONNECTIONS = 8;

/**
 * Opens the registry and brings its schema up to date.
 * @throws RegistryError with what to do, and without a password
 */
export async function openRegistry(location: RegistryLocation, options: RegistryOptions): Promise<Registry> {
  if ('directory' in location) {
    const embedded = await openEmbedded(location.directory);
    const leadership = new FileLockLeadership(embedded.lock);
    return serve(embedded.endpoint, options, leadership, async () => {
      leadership.close();
      await embedded.close();
    });
  }
  const endpoint = remoteEndpoint(location);
  const leadership = new AdvisoryLockLeadership(endpoint);
  return serve(endpoint, options, leadership, () => leadership.close());
}

async function serve(
  endpoint: Endpoint,
  { silence }: RegistryOptions,
  leadership: Leadership,
  closeBehind: () => Promise<void>,
): Promise<Registry> {
  const database = new Database(endpoint);
  const closeAll = async () => {
    await database.close();
    await closeBehind();
  };
  try {
    await migrate(database);
  } catch (error) {
    await closeAll();
    throw error;
  }
  let closed: Promise<void> | undefined;
  return {
    workers: new WorkerTable(database),
    audit: new AuditTable(database),
    intents: new IntentTable(database),
    orders: new OrderTable(database),
    memory: new MemoryTable(database),
    ledger: new LedgerTable(database),
    slots: new SlotTable(database, silence),
    leadership,
    ping: () => database.run('select'),
    close: () => (closed ??= closeAll()),
  };
}

/** @throws RegistryError when the URL cannot be read */
export function remoteEndpoint({ url, tls }: Extract<RegistryLocation, { url: string }>): Endpoint {
  const parsed = readUrl(url);
  const host = parsed.hostname || parsed.searchParams.get('host') || 'this machine';
  const database = decodeURIComponent(parsed.pathname.slice(1)) || 'of the user’s name';
  return {
    config: { connectionString: url, ...(tls ? { ssl: tls } : {}) },
    where: `the database ${database} at ${host}:${parsed.port || '5432'}`,
    connections: CONNECTIONS,
  };
}

/** What Node says of a URL that it cannot read holds the whole of it, so that is not passed on. */
function readUrl(url: string): URL {
  try {
    decodeURIComponent(url);
    const parsed = new URL(url);
    if (/^postgres(ql)?:$/.test(parsed.protocol)) return parsed;
  } catch {
    // Told below.
  }
  throw new RegistryError(
    'the database URL cannot be read: it looks like postgres://user:password@host:5432/database, with signs like @, /, # and % in the password written as %40, %2F, %23 and %25',
  );
}
