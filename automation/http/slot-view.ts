import type { Slot } from '../registry/types';

/** What callers are told of their slot. */
export function slotView({ id, state, worker, address, expiresAt }: Slot): Partial<Slot> {
  return state === 'granted' ? { id, state, worker, address, expiresAt } : { id, state, expiresAt };
}
