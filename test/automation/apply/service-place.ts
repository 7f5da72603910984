import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { membershipSchema } from '../../../components/model/membership';
import type { StackRunnerOptions } from '../../../automation/apply/stack-runner';
import { createCensor } from '../../../automation/censor';
import type { Intent, IntentBook } from '../../../automation/registry/types';
import { findEngine } from '../../engine/engine';
import { ROOT, type Environment } from '../../engine/harness';

const intentSchema = z.object({
  environment: z.string(),
  membership: membershipSchema,
  at: z.number(),
  holder: z.object({ host: z.string(), pid: z.number(), startedAt: z.number() }),
});

/** The intent in a file, so that it outlives a process that a test kills. */
export class FileIntents implements IntentBook {
  constructor(private readonly path: string) {}

  async write(intent: Intent): Promise<void> {
    writeFileSync(this.path, JSON.stringify(intent));
  }

  async open(): Promise<Intent | undefined> {
    try {
      return intentSchema.parse(JSON.parse(readFileSync(this.path, 'utf8')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async clear(): Promise<void> {
    rmSync(this.path, { force: true });
  }
}

/** What another process needs to be the service of a test's environment. */
export interface ServicePlace {
  stack: string;
  projectDirectory: string;
  pulumiHome: string;
  intentFile: string;
  environment: Record<string, string>;
}

/** A Pulumi home of the service's own, within the test's folder. */
export async function servicePlace(environment: Environment): Promise<ServicePlace> {
  const pulumiHome = join(environment.folder, 'home', 'service');
  mkdirSync(pulumiHome, { recursive: true });
  const variables = {
    ...environment['variables'],
    ...(await findEngine()).linkPlugins(pulumiHome),
    ...environment.credentials,
    WORKER_POOLS_ROOT: ROOT,
  };
  return {
    stack: 'sandbox',
    projectDirectory: join(environment.folder, 'project'),
    pulumiHome,
    intentFile: join(environment.folder, 'intent.json'),
    environment: Object.fromEntries(
      Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
  };
}

export function runnerOptions({ intentFile, environment, ...place }: ServicePlace): StackRunnerOptions {
  return {
    ...place,
    environment,
    intents: new FileIntents(intentFile),
    holder: { host: hostname(), pid: process.pid, startedAt: Date.now() / 1000 - process.uptime() },
    now: () => Date.now() / 1000,
    censor: createCensor(),
  };
}
