import type { QueueConfigOf } from '../../../components/model/queue-config';
import { readOver } from './connection';
import { valueAt } from './json-path';
import { httpPlace, jsonOverHttp } from './json-over-http';
import { queueError, quoted } from './place';
import { toReading } from './reading';
import { type QueueSource } from './types';

/** Numbers in a JSON answer, each at a path of its own. */
export function httpQueue(config: QueueConfigOf<'http'>, directory: string): QueueSource {
  const place = httpPlace(config, 'HTTP server', '');
  const url = new URL(config.url);
  url.username = '';
  url.password = '';

  const numberAt = (answer: unknown, path: string) => {
    const found = valueAt(answer, path);
    if ('value' in found) return found.value;
    throw queueError(
      place,
      'wrong',
      quoted(place, `the answer has no ${path}: ${found.missing}. Correct the path.`),
    );
  };

  return readOver(
    jsonOverHttp(config, place, directory, url, (answer) =>
      toReading(
        place,
        {
          waiting: numberAt(answer, config.waiting),
          running: config.running && numberAt(answer, config.running),
          // An empty queue has no oldest job, and servers then say null or leave it out.
          oldestAge:
            config.oldestAge && Number(numberAt(answer, config.waiting)) > 0
              ? numberAt(answer, config.oldestAge)
              : undefined,
        },
        { waiting: config.waiting, running: config.running ?? '', oldestAge: config.oldestAge ?? '' },
      ),
    ),
  );
}
