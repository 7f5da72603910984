import { z } from 'zod';
import { openStack } from '../../../automation/apply/stack-runner';
import { FileIntents, runnerOptions } from './service-place';

/** Stands for the scaling service in a process of its own, so that a test can kill it. It tells what it has reached. */

const orderSchema = z.object({
  place: z.object({
    stack: z.string(),
    projectDirectory: z.string(),
    pulumiHome: z.string(),
    intentFile: z.string(),
    environment: z.record(z.string(), z.string()),
  }),
  /** Recovers instead of updating. */
  recover: z.boolean().default(false),
  launches: z.array(z.object({ pool: z.string(), serverType: z.string(), location: z.string() })).default([]),
  removals: z.array(z.string()).default([]),
  /** Where it waits for ever. */
  hang: z.enum(['before the intent', 'after the intent', 'before clearing', 'nowhere']).default('nowhere'),
});
export type ServiceOrder = z.input<typeof orderSchema>;

class HangingIntents extends FileIntents {
  override async write(intent: Parameters<FileIntents['write']>[0]): Promise<void> {
    await super.write(intent);
    if (hang === 'after the intent') await forEver(hang);
  }

  override async clear(): Promise<void> {
    if (hang === 'before clearing') await forEver(hang);
    await super.clear();
  }
}

const { place, recover, launches, removals, hang } = orderSchema.parse(JSON.parse(process.argv[2] ?? 'null'));

void main();

async function main(): Promise<void> {
  const intents = new HangingIntents(place.intentFile);
  const runner = await openStack({ ...runnerOptions(place), intents });
  // As the service does: the update that runs is finished first.
  process.on('SIGINT', () => say('interrupted'));
  say(`process ${process.pid}`);
  const answer = recover
    ? await runner.recover()
    : await runner.update(async () => {
        say('deciding');
        if (hang === 'before the intent') await forEver(hang);
        return { launches, removals };
      });
  say(JSON.stringify(answer));
  await runner.close();
  process.exit(0);
}

function forEver(where: string): Promise<never> {
  say(`hangs ${where}`);
  return new Promise(() => undefined);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
