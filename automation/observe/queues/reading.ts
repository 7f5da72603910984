import { type Place, queueError, shown } from './place';
import { type QueueReading } from './types';

/** What a source found, each as it came over the wire; `undefined` where the source does not know it. */
export interface RawReading {
  readonly waiting: unknown;
  readonly running?: unknown;
  readonly oldestAge?: unknown;
}

/** What each number is called in the source's own words, for messages. */
export type NumberNames = { readonly [Name in keyof Required<RawReading>]: string };

const OWN_NAMES: NumberNames = { waiting: 'waiting', running: 'running', oldestAge: 'oldestAge' };

/** @throws QueueError `wrong`, where a number is none: a guess would buy or remove machines */
export function toReading(place: Place, raw: RawReading, names: NumberNames = OWN_NAMES): QueueReading {
  const waiting = count(place, names.waiting, raw.waiting);
  return {
    waiting,
    ...(raw.running === undefined ? {} : { running: count(place, names.running, raw.running) }),
    ...(raw.oldestAge === undefined || waiting === 0
      ? {}
      : { oldestAge: age(place, names.oldestAge, raw.oldestAge) }),
  };
}

/** Whole numbers; as digits too, because SQL's bigint comes as text. */
function count(place: Place, name: string, value: unknown): number {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw queueError(
    place,
    'wrong',
    `${name} is ${shown(place, value)}, and must be a whole number, 0 or more. Correct what is asked for in the pool’s queue.`,
  );
}

function age(place: Place, name: string, value: unknown): number {
  const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number) && number >= 0) return number;
  throw queueError(
    place,
    'wrong',
    `${name} is ${shown(place, value)}, and must be a number of seconds, 0 or more. Correct what is asked for in the pool’s queue.`,
  );
}
