import type { Log } from '../log';
import type { SlotBook } from '../registry/types';

/** Has free slots given to those that wait, soon: whoever freed one need not wait for it. */
export type Settle = (environment: string) => void;

/** One at a time for an environment, and one more for all that came free meanwhile: a flood of releases is settled at once. */
export function settling(slots: Pick<SlotBook, 'settle'>, now: () => number, log: Log): Settle {
  const running = new Set<string>();
  const asked = new Set<string>();
  const run = async (environment: string): Promise<void> => {
    running.add(environment);
    try {
      do {
        asked.delete(environment);
        await slots.settle(environment, now());
      } while (asked.has(environment));
    } catch (error) {
      // The loop settles at its next tick.
      log.warn('slots-not-settled', { environment, error });
    } finally {
      running.delete(environment);
    }
  };
  return (environment) => {
    if (running.has(environment)) asked.add(environment);
    else void run(environment);
  };
}
