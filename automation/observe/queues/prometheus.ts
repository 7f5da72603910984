import { z } from 'zod';
import type { QueueConfigOf } from '../../../components/model/queue-config';
import { readOver } from './connection';
import { httpPlace, jsonOverHttp } from './json-over-http';
import { type Place, queueError, quoted, shown } from './place';
import { toReading } from './reading';
import { type QueueReading, type QueueSource } from './types';

const sample = z.tuple([z.number(), z.string()]);

/** Instant queries of Prometheus's HTTP API, https://prometheus.io/docs/prometheus/latest/querying/api/ */
const success = z.object({
  status: z.literal('success'),
  data: z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('scalar'), result: sample }),
    z.object({
      resultType: z.literal('vector'),
      result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: sample })),
    }),
    z.object({ resultType: z.literal('matrix') }),
    z.object({ resultType: z.literal('string') }),
  ]),
  warnings: z.array(z.string()).optional(),
});

/** An instant query with one number as its answer: jobs that wait. No sample is no zero. */
export function prometheusQueue(config: QueueConfigOf<'prometheus'>, directory: string): QueueSource {
  const place = httpPlace(config, 'Prometheus', 'the queue’s query');
  const url = new URL(config.url);
  url.username = '';
  url.password = '';
  url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v1/query`;
  url.searchParams.set('query', config.query);

  return readOver(jsonOverHttp(config, place, directory, url, (answer) => toQueueReading(place, answer)));
}

function toQueueReading(place: Place, answer: unknown): QueueReading {
  const parsed = success.safeParse(answer);
  if (!parsed.success) {
    throw queueError(
      place,
      'wrong',
      `the answer is not that of Prometheus’s API: ${shown(place, answer)}. Give the server’s URL without /api/v1/query.`,
    );
  }
  const { data, warnings = [] } = parsed.data;
  // Remarks on the query's style begin so; the others say that a part of the data is missing.
  const partial = warnings.find((warning) => !warning.startsWith('PromQL info'));
  if (partial !== undefined) {
    throw queueError(
      place,
      'wrong',
      `the answer may be incomplete: ${quoted(place, partial)}. Correct the query or that server.`,
    );
  }
  return toReading(place, { waiting: toNumber(onlyValue(place, data)) }, NAMES);
}

const NAMES = { waiting: 'the query’s value', running: '', oldestAge: '' };

function onlyValue(place: Place, data: z.infer<typeof success>['data']): string {
  if (data.resultType === 'scalar') return data.result[1];
  if (data.resultType !== 'vector') {
    throw queueError(
      place,
      'wrong',
      `the query gives a ${data.resultType === 'matrix' ? 'range' : 'text'}, and must give one number. Drop the […] or choose a function of it.`,
    );
  }
  const [first, ...others] = data.result;
  if (first === undefined) {
    throw queueError(
      place,
      'wrong',
      'the query gives no sample, which is not the same as 0: the metric is unknown, or its exporter is down. Correct the query or the exporter.',
    );
  }
  if (others.length > 0) {
    throw queueError(
      place,
      'wrong',
      `the query gives ${data.result.length} samples, and must give one. Use sum(…).`,
    );
  }
  return first.value[1];
}

/** Prometheus writes numbers as text, NaN and +Inf too; what is no number stays as it came. */
function toNumber(text: string): number | string {
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}
