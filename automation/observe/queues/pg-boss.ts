import { escapeIdentifier } from 'pg';
import type { QueueConfigOf } from '../../../components/model/queue-config';
import { queryQueue } from './postgres';
import { type QueueSource } from './types';

/**
 * A queue of pg-boss. Jobs that are created or due for a retry wait; those whose start lies ahead do not. Waits are
 * counted from the time at which a job became due. Schema of pg-boss 10.
 */
export function pgBossQueue(config: QueueConfigOf<'pg-boss'>, directory: string): QueueSource {
  const schema = escapeIdentifier(config.schema);
  return queryQueue(config, directory, `pg-boss queue "${config.queue}"`, {
    // From the list of queues, so that an unknown name gives no row instead of a zero.
    text: `
      select
        count(*) filter (where waits) as waiting,
        count(*) filter (where state = 'active') as running,
        extract(epoch from greatest(interval '0', now() - min(due) filter (where waits))) as oldest_age
      from ${schema}.queue
      left join lateral (
        select state,
          greatest(start_after, created_on) as due,
          state in ('created', 'retry') and start_after <= now() as waits
        from ${schema}.job
        where job.name = queue.name and state in ('created', 'retry', 'active')
      ) as jobs on true
      where queue.name = $1
      group by queue.name`,
    values: [config.queue],
    noRow: `pg-boss knows no queue of this name in schema "${config.schema}". Correct the name, or create it: boss.createQueue(…)`,
  });
}
