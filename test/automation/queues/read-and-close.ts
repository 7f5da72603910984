import { openQueue } from '../../../automation/observe/queues';
import { queueSchema } from '../../../components/model/queue-config';
import type { OpenConfig } from './contract';

/** Reads the queue that the first argument configures, twice, closes it, and has nothing more to do. */
async function main(): Promise<void> {
  const source = openQueue(queueSchema.parse(JSON.parse(process.argv[2] ?? '')) as OpenConfig, {
    directory: '/',
  });
  const signal = new AbortController().signal;
  const outcomes: unknown[] = [];
  for (let reading = 0; reading < 2; reading += 1) {
    outcomes.push(await source.read(signal).then(({ waiting }) => waiting, String));
  }
  await source.close();
  process.stdout.write(JSON.stringify(outcomes));
}

void main();
