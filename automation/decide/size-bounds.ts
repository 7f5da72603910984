import type { WorkerView } from '../observe/types';
import type { Orders, SizeOrder } from '../registry/types';
import { isBusy, isReady } from './members';
import { paidTimeLeft } from './release';
import type { Drain } from './removal';
import type { ScaledPool } from './stack-types';

/** Between which sizes a pool is now, and why. */
export interface SizeBounds {
  readonly min: number;
  readonly max: number;
  readonly order?: SizeOrder;
  readonly reasons: readonly string[];
}

/** A person's order holds the size until it expires, within the bounds of the configuration. */
export function sizeBounds(
  name: string,
  { minSize, maxSize }: ScaledPool,
  { sizes }: Orders,
  now: number,
): SizeBounds {
  const order = sizes[name];
  if (order === undefined || now >= order.until) return { min: minSize, max: maxSize, reasons: [] };
  const size = Math.min(maxSize, Math.max(minSize, order.size));
  const bounded =
    size === order.size ? '' : ` (${order.size} were ordered; the bounds are ${minSize} to ${maxSize})`;
  const until = new Date(order.until * 1000).toISOString();
  return {
    min: size,
    max: size,
    order,
    reasons: [`${order.by} holds the size at ${size} until ${until}${bounded}`],
  };
}

/**
 * Workers above the greatest size. What boots becomes idle soon, so busy ones stop only where idle and booting ones are
 * too few; outdated ones stop first.
 */
export function excess(
  serving: readonly WorkerView[],
  { max, order }: SizeBounds,
  outdated: ReadonlySet<string>,
  now: number,
): Drain[] {
  const counted = serving.filter((worker) => worker.status === 'booting' || isReady(worker));
  const surplus = counted.length - max;
  if (surplus <= 0) return [];
  const ready = counted
    .filter(isReady)
    .toSorted(
      (a, b) =>
        load(a) - load(b) ||
        Number(outdated.has(b.id)) - Number(outdated.has(a.id)) ||
        paidTimeLeft(a, now) - paidTimeLeft(b, now),
    );
  const idle = ready.filter((worker) => !isBusy(worker)).slice(0, surplus);
  const booting = counted.length - ready.length;
  const busy = ready.filter(isBusy).slice(0, Math.max(0, surplus - idle.length - booting));
  const limit = order === undefined ? `the greatest size ${max}` : `the ${max} that ${order.by} ordered`;
  return [...idle, ...busy].map(({ id, pool }) => ({
    id,
    pool,
    cause: 'excess',
    reason: `${counted.length} workers are more than ${limit}`,
  }));
}

const load = ({ registered }: WorkerView): number => registered?.busy ?? 0;
