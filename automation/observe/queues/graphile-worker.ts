import { escapeIdentifier } from 'pg';
import type { QueueConfigOf } from '../../../components/model/queue-config';
import { queryQueue } from './postgres';
import { type QueueSource } from './types';

/**
 * Jobs of Graphile Worker, read from its public view `jobs`: those that are due, not locked and not out of attempts
 * wait; locked ones run. Waits are counted from `run_at`. View of Graphile Worker 0.16.
 */
export function graphileWorkerQueue(
  config: QueueConfigOf<'graphile-worker'>,
  directory: string,
): QueueSource {
  const { tasks } = config;
  const named = tasks ? `tasks ${tasks.map((task) => `"${task}"`).join(', ')}` : 'all tasks';
  return queryQueue(config, directory, `Graphile Worker, ${named}`, {
    text: `
      select
        count(*) filter (where waits) as waiting,
        count(*) filter (where locked_at is not null) as running,
        extract(epoch from now() - min(run_at) filter (where waits)) as oldest_age
      from (
        select run_at, locked_at,
          locked_at is null and attempts < max_attempts and run_at <= now() as waits
        from ${escapeIdentifier(config.schema)}.jobs
        where $1::text[] is null or task_identifier = any ($1)
      ) as jobs`,
    values: [tasks ?? null],
    noRow: 'the view of jobs gave no count.',
  });
}
