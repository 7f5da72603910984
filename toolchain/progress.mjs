import { clearInterval, setInterval } from 'node:timers';

const every = 10_000;

/** Says what is being done, again every ten seconds with the time it has taken, until `work` ends. */
export async function reporting(log, line, work) {
  const start = Date.now();
  log(line);
  const timer = setInterval(() => log(`${line} ${duration(Date.now() - start)} so far`), every);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** 95_000 → "1 min 35 s". */
export function duration(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
