import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { EngineNote } from './lock';

const noteSchema = z.object({ host: z.string(), pid: z.int() });

/** Which command line this service runs for a stack, noted on disk: after a kill it tells whose lock was left. */
export class EngineNotes {
  private readonly path: string;

  /** @param folder one of the service's own, kept over restarts */
  constructor(folder: string, stack: string) {
    this.path = join(folder, `running-${stack}.json`);
  }

  /** At once: a process cannot take a lock in the instant in which it is started. */
  write(note: EngineNote): void {
    writeFileSync(this.path, JSON.stringify(note), { mode: 0o600 });
  }

  read(): EngineNote | undefined {
    try {
      return noteSchema.parse(JSON.parse(readFileSync(this.path, 'utf8')));
    } catch {
      return undefined;
    }
  }

  /** A process id is used again, and then it may be a person's. */
  clear(): void {
    rmSync(this.path, { force: true });
  }
}
