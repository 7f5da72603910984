import { createCensor } from '../automation/censor';
import { createLog, type Log, type LogFields } from '../automation/log';
import { startService } from '../automation/service';
import { readSettings } from '../automation/settings';
import { CloudClock, RATE } from './cloud-clock';

/**
 * The scaling service as `worker-pools serve` runs it, but for its time, which is the local cloud's.
 * Arguments: stack, listener for workers, data folder, project folder, control API, how fast time runs while nothing is
 * updated. Prints where it is reached.
 */
async function serve([stack, listen, data, project, control, watching]: string[]): Promise<void> {
  const flags = { stack: [stack!], listen: listen!, admin: '127.0.0.1:0', data: data! };
  const settings = readSettings(flags, process.env, project!);
  const censor = createCensor();
  const log = createLog(process.stderr, 'info', censor);
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());

  const clock = await CloudClock.read(control!);
  let changed: Promise<void> = Promise.resolve();
  // One after the other: an update that ends at once must not leave its own rate behind.
  const setRate = (rate: number): void => {
    changed = changed
      .then(() => clock.setRate(rate))
      .catch((error: unknown) => log.error('rate-not-set', { rate, error }));
  };
  const service = await startService(settings, {
    clock,
    random: Math.random,
    censor,
    log: whileUpdating(log, (updating) => setRate(updating ? RATE.updating : Number(watching))),
  });
  setRate(Number(watching));
  process.stdout.write(`${JSON.stringify({ admin: service.adminUrl })}\n`);
  await service.run(stop.signal);
  await service.close();
}

/** Tells by what the service logs when an update begins and when it has ended. */
function whileUpdating(log: Log, changed: (updating: boolean) => void): Log {
  const watched =
    (level: 'info' | 'warn' | 'error') =>
    (event: string, fields?: LogFields): void => {
      log[level](event, fields);
      if (event === 'update-started') changed(true);
      if (['update-finished', 'update-put-off', 'update-crashed'].includes(event)) changed(false);
    };
  return {
    debug: (event, fields) => log.debug(event, fields),
    info: watched('info'),
    warn: watched('warn'),
    error: watched('error'),
  };
}

serve(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
