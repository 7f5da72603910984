import { createCensor } from '../../automation/censor';
import { createLog } from '../../automation/log';
import { IntentTable } from '../../automation/registry/intents';
import type { Intent } from '../../automation/registry/types';
import { startService } from '../../automation/service';
import type { Settings } from '../../automation/settings';
import { type Order, orderSchema, type Word } from './protocol';

/** The scaling service in a process of its own, so that a test can kill it: the test moves its clock and makes its rounds. */

let clock = { now: 0, rate: 0, set: 0 };
const now = (): number => clock.now + ((performance.now() - clock.set) / 1000) * clock.rate;

function say(word: Word): void {
  process.send?.(word);
}

// Tells when an intent is about to be written.
// eslint-disable-next-line @typescript-eslint/unbound-method -- the proxy calls it with the table that it was called on
IntentTable.prototype.write = new Proxy(IntentTable.prototype.write, {
  apply: (write, table: IntentTable, [intent]: [Intent]) => {
    say({ word: 'intent' });
    return Reflect.apply(write, table, [intent]);
  },
});

// Whoever moves the clock is gone.
process.on('disconnect', () => process.exit(1));

async function main(): Promise<void> {
  const begun = new Promise<Extract<Order, { order: 'begin' }>>((resolve) => {
    process.on('message', (message) => {
      const order = orderSchema.parse(message);
      if (order.order === 'clock') clock = { ...order, set: performance.now() };
      if (order.order === 'begin') resolve(order);
    });
  });
  // What the settings are is the test's own: it has made them as such.
  const settings = (await begun).settings as unknown as Settings;
  const censor = createCensor();
  const destination = { write: (line: string) => say({ word: 'log', line }) };
  const service = await startService(settings, {
    clock: { now, sleep: () => Promise.reject(new Error('the test makes the rounds')) },
    random: Math.random,
    log: createLog(destination, 'info', censor),
    censor,
  });
  process.on('message', (message) => {
    const order = orderSchema.parse(message);
    if (order.order === 'round') void service.round().then(() => say({ word: 'ended', round: order.round }));
    if (order.order === 'end') void service.close().then(() => process.exit(0));
  });
  say({ word: 'ready', adminUrl: service.adminUrl });
}

main().catch((error: unknown) => {
  process.send?.({ word: 'log', line: String(error) } satisfies Word, () => process.exit(1));
});
