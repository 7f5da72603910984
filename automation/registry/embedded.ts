import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Endpoint } from './database';
import { RegistryError } from './database-errors';
import { lockDirectory, type DirectoryLock } from './directory-lock';
import type { Leadership } from './types';

/** A path of a Unix socket is shorter than this (unix(7): `sun_path` has 108 bytes, macOS has 104). */
const SOCKET_PATH_LIMIT = 100;
/** What PostgreSQL's clients call the socket of the default port. */
const SOCKET = '.s.PGSQL.5432';

/** PostgreSQL within this process, for one process alone. */
export interface EmbeddedDatabase {
  readonly endpoint: Endpoint;
  readonly lock: DirectoryLock;
  close(): Promise<void>;
}

/**
 * Opens the database in a folder, which is made where there is none: folder, files and socket are for the owner only.
 * It is spoken to through a Unix socket in the folder, because a port would be open to every user of the machine.
 * @throws RegistryError when another process has the folder, or what is in it cannot be opened
 */
export async function openEmbedded(folder: string): Promise<EmbeddedDatabase> {
  const directory = resolve(folder);
  const lock = lockDirectory(directory);
  const sockets = socketFolder(directory);
  const path = join(sockets, SOCKET);
  // A process that was killed leaves its socket behind.
  rmSync(path, { force: true });
  const data = join(directory, 'data');
  let database: PGlite | undefined;
  const leave = () => {
    rmSync(sockets === directory ? path : sockets, { recursive: true, force: true });
    lock.release();
  };
  try {
    database = await PGlite.create(data);
    closeToOthers(data);
    const served = database;
    // One connection at a time; the second place is for the one that follows it before its end was noticed.
    const server = new PGLiteSocketServer({ db: served, path, maxConnections: 2 });
    await server.start();
    chmodSync(path, 0o600);
    return {
      endpoint: {
        config: { host: sockets, database: 'postgres', user: 'postgres' },
        where: `the embedded database in ${directory}`,
        connections: 1,
      },
      lock,
      close: async () => {
        await server.stop();
        await served.close();
        closeToOthers(data);
        leave();
      },
    };
  } catch (error) {
    await database?.close().catch(() => undefined);
    leave();
    const reason = error instanceof Error ? error.message : String(error);
    throw new RegistryError(
      `the embedded database in ${directory} cannot be opened (${reason}): restore the folder from a backup, or move it away to begin with an empty one`,
    );
  }
}

/** Leads as long as it has the folder: no other process can even read the registry. */
export class FileLockLeadership implements Leadership {
  readonly kind = 'file-lock';
  private readonly led = new Set<string>();

  constructor(private readonly lock: DirectoryLock) {}

  async acquire(environment: string): Promise<boolean> {
    this.led.add(environment);
    return this.holds(environment);
  }

  holds(environment: string): boolean {
    return this.led.has(environment) && this.lock.holds();
  }

  async release(environment: string): Promise<void> {
    this.led.delete(environment);
  }

  close(): void {
    this.led.clear();
  }
}

function socketFolder(directory: string): string {
  const fits = Buffer.byteLength(join(directory, SOCKET)) < SOCKET_PATH_LIMIT;
  return fits ? directory : mkdtempSync(join(tmpdir(), 'worker-pools-'));
}

/** The database makes its files with everyone's rights. What it makes later is within a folder that is closed. */
function closeToOthers(folder: string): void {
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600);
  }
}
