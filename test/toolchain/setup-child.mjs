// The command that setup.mjs runs in its test: counts its interrupts until it is terminated.
import { setInterval } from 'node:timers';

let interrupts = 0;
process.on('SIGINT', () => interrupts++);
process.on('SIGTERM', () => {
  console.log(`interrupts: ${interrupts}`);
  process.exit(7);
});
console.log('ready');
setInterval(() => {}, 1000);
