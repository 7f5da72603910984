import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './console';
import type { Endpoints } from './local-cloud';
import { readInventory } from './vendors';

/** Real milliseconds in which machines join the tailnet, or leave it. */
const TIMEOUT_MS = 180_000;
const LOOK_MS = 500;

/** @throws Error naming the machines that did not join in time; the signal's reason */
export async function awaitMachines(endpoints: Endpoints, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  for (let before = -1; ;) {
    const { servers, devices } = await readInventory(endpoints);
    const missing = servers
      .map(({ name }) => name)
      .filter((name) => !devices.some((device) => device.hostname === name && device.connectedToControl));
    const joined = servers.length - missing.length;
    if (joined !== before) say(`${joined} of ${servers.length} machines are on the tailnet`);
    before = joined;
    if (missing.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(`not on the tailnet after three minutes: ${missing.join(', ')}`);
    await sleep(LOOK_MS, undefined, { signal });
  }
}

/**
 * The service takes a worker's device off the tailnet a moment after its server is gone.
 * @throws Error naming the devices that stay; the signal's reason
 */
export async function awaitDepartures(endpoints: Endpoints, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const { servers, devices } = await readInventory(endpoints);
    const staying = devices
      .map(({ hostname }) => hostname)
      .filter((hostname) => !servers.some(({ name }) => name === hostname));
    if (staying.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(`still on the tailnet after three minutes: ${staying.join(', ')}`);
    await sleep(LOOK_MS, undefined, { signal });
  }
}
