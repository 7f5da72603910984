import { scheduledMinimum } from './schedule';
import type { PoolPolicy } from './types';

/** Workers of a window that begins within a boot are launched now, so that they are ready when it begins. */
export function floorOf({ minSize, schedule }: PoolPolicy, now: number, boot: number): number {
  return Math.max(minSize, scheduledMinimum(schedule, now), scheduledMinimum(schedule, now + boot));
}

/** Workers that hold the standby beside what runs. */
export function keptForStandby(standby: number, running: number, slots: number): number {
  return standby === 0 ? 0 : Math.ceil((standby + running) / slots);
}
