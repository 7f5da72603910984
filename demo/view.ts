import colors from 'picocolors';
import type { Scene, WorkerState } from './scene';

/** How a pool's queue and size have gone; one place holds the most of so many seconds. */
export type Trace = { waiting: number; workers: number }[];

/** Everything but the sentences fits into the eighty columns of a plain terminal. */
const BAR = 24;
const WORDS = 39;
const TRACE = { length: 48, seconds: 120 };
const EVENTS = 3;
const BLOCKS = '▁▂▃▄▅▆▇█';
const LABEL = 11;

const LOOKS: Record<WorkerState, { symbol: string; colour: (text: string) => string }> = {
  busy: { symbol: '●', colour: colors.green },
  idle: { symbol: '○', colour: colors.green },
  booting: { symbol: '◌', colour: colors.cyan },
  draining: { symbol: '◐', colour: colors.yellow },
  silent: { symbol: '✗', colour: colors.red },
};
const CHANGING = '·';

/** Adds what the scene shows to the trace of those before it. */
export function traced(trace: Trace, { elapsed, jobs, workers, changing }: Scene): Trace {
  const place = Math.min(TRACE.length - 1, Math.floor(elapsed / TRACE.seconds));
  const next = [...trace];
  // A place that no scene fell into looks like the one before it.
  for (let index = trace.length; index <= place; index++)
    next[index] = next[index - 1] ?? { waiting: 0, workers: 0 };
  const there = place < trace.length ? next[place]! : { waiting: 0, workers: 0 };
  next[place] = {
    waiting: Math.max(there.waiting, jobs.waiting),
    workers: Math.max(there.workers, workers.length + changing),
  };
  return next;
}

/** The lines of the live view: always as many, none wider than `columns`. */
export function renderScene(scene: Scene, trace: Trace, columns: number): string[] {
  const { jobs, target, hourly, spent, alarms, updating } = scene;
  const width = Math.min(columns, 100);
  const waiting =
    jobs.waiting === 0
      ? 'nobody waits'
      : `${jobs.waiting} waiting, oldest ${minutes(jobs.oldestAge ?? 0)} of ${minutes(target)}`;
  const lines = [
    `${colors.bold(time(scene.elapsed))}${' '.repeat(LABEL - 4)}${updating ? colors.cyan('the engine is at work') : ''}`,
    '',
    line('queue', bar(jobs.waiting, Math.max(...trace.map((point) => point.waiting), 1)), waiting),
    line('workers', symbols(scene), counts(scene)),
    line('jobs', bar(jobs.done, jobs.all), `${jobs.done} of ${jobs.all} done, ${jobs.running} running`),
    line(
      'cost',
      `EUR ${hourly.toFixed(4)} an hour`.padEnd(BAR),
      `EUR ${spent.toFixed(2)} so far, by started hours`,
    ),
    '',
    traceLine(
      'waiting',
      trace.map((point) => point.waiting),
      colors.yellow,
    ),
    traceLine(
      'workers',
      trace.map((point) => point.workers),
      colors.green,
    ),
    `${' '.repeat(LABEL)}${colors.dim(axis())}`,
    '',
    ...lastEvents(scene, width),
    alarms.length === 0 ? '' : colors.yellow(cut(`! ${alarms[0]}`, width - 4)),
  ];
  return lines.map((text) => (text === '' ? '' : `  ${text}`));
}

/** The same in one line, for where nothing can be drawn anew. */
export function summarize(scene: Scene): string {
  const { jobs, elapsed, spent } = scene;
  return `${time(elapsed)}  ${jobs.waiting} waiting, ${jobs.running} running, ${jobs.done} of ${jobs.all} done; ${counts(scene)}; EUR ${spent.toFixed(2)}`;
}

/** `1:05` of seconds: hours and minutes. */
export function time(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds / 60));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

function line(label: string, drawing: string, words: string): string {
  return `${colors.dim(label.padEnd(LABEL))}${drawing}   ${cut(words, WORDS)}`;
}

function bar(value: number, most: number): string {
  const filled = most === 0 ? 0 : Math.ceil((Math.min(value, most) / most) * BAR);
  return `${colors.cyan('█'.repeat(filled))}${colors.dim('░'.repeat(BAR - filled))}`;
}

/** One symbol a worker, in the order of their ids: each keeps its place while its state changes. */
function symbols({ workers, changing }: Scene): string {
  const drawn = [
    ...workers.map((state) => LOOKS[state].colour(LOOKS[state].symbol)),
    ...Array<string>(changing).fill(colors.cyan(CHANGING)),
  ];
  const shown = drawn.slice(0, BAR / 2);
  return `${shown.join(' ')}${' '.repeat(BAR - Math.max(0, shown.length * 2 - 1))}`;
}

function counts({ workers, changing }: Scene): string {
  const counted = (Object.keys(LOOKS) as WorkerState[])
    .map((state) => ({ state, count: workers.filter((other) => other === state).length }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${state}`);
  if (changing > 0) counted.push(`${changing} coming or going`);
  return counted.length === 0 ? 'no worker' : counted.join(', ');
}

function traceLine(label: string, values: number[], colour: (text: string) => string): string {
  const most = Math.max(...values, 0);
  const drawn = values.map(
    (value) => BLOCKS[value === 0 ? 0 : Math.ceil((value / most) * (BLOCKS.length - 1))],
  );
  return `${colors.dim(label.padEnd(LABEL))}${colour(drawn.join(''))}${' '.repeat(TRACE.length - drawn.length)}   at most ${most}`;
}

function axis(): string {
  const step = (16 * 60) / TRACE.seconds;
  const marks = Array.from({ length: Math.ceil(TRACE.length / step) }, (_, index) =>
    time(index * 16 * 60).padEnd(step),
  );
  return marks.join('').trimEnd();
}

function lastEvents({ events }: Scene, width: number): string[] {
  const shown = events.slice(-EVENTS).map(({ text }) => text);
  return Array.from({ length: EVENTS }, (_, index) => {
    const text = shown[index];
    return text === undefined ? '' : colors.dim(cut(`· ${text}`, width - 4));
  });
}

function minutes(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
