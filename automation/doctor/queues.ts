import type { StackConfig } from '../../components/model/config-schema';
import { shortDuration } from '../commands/duration';
import { openQueue } from '../observe/queues';
import { QueueError } from '../observe/queues/types';
import { bounded, failed, note, ok, told, type Finding } from './finding';

/** Every pool's queue, read once, side by side. */
export async function checkQueues(
  { pools }: StackConfig,
  { project, patienceMs }: { project: string; patienceMs: number },
): Promise<Finding[]> {
  const findings = await Promise.all(
    Object.entries(pools).map(async ([name, { queue, size }]): Promise<readonly Finding[]> => {
      if (!queue) return [note(name, 'fixed' in size ? 'of fixed size, without a queue' : 'without a queue')];
      if (queue.kind === 'slots') return [note(name, 'slots: kept by the service itself')];
      return bounded(
        name,
        async (signal) => {
          const source = openQueue(queue, { directory: project });
          try {
            const { waiting, running, oldestAge } = await source.read(signal);
            const more = [
              ...(running === undefined ? [] : [`${running} running`]),
              ...(oldestAge === undefined ? [] : [`the oldest for ${shortDuration(oldestAge)}`]),
            ];
            return [ok(name, `${queue.kind}: ${[`${waiting} waiting`, ...more].join(', ')}`)];
          } catch (error) {
            if (error instanceof QueueError) return [told(name, `${queue.kind}: ${error.message}`)];
            return [
              failed(name, `${queue.kind}: the reading ended unexpectedly`, 'look at the server’s log'),
            ];
          } finally {
            await source.close().catch(() => undefined);
          }
        },
        patienceMs,
      );
    }),
  );
  return findings.flat();
}
