import type { Table } from '../report/table';
import { type Sample, type Soak, toMiB } from './index';

/** The service has warmed up after so many of its rounds: modules are compiled, caches filled, plugins known. */
const WARM = 0.2;
const KINDS = [
  { key: 'heap', name: 'heap, after collection' },
  { key: 'external', name: 'outside of the heap' },
  { key: 'resident', name: 'resident' },
] as const;
type Kind = (typeof KINDS)[number]['key'];

/** Growth of a kind of memory by least squares over the warm part, bytes for a thousand rounds. */
export function growth(samples: readonly Sample[], kind: Kind): number {
  const warm = samples.slice(Math.floor(samples.length * WARM));
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(warm.map(({ round }) => round));
  const y = mean(warm.map((sample) => sample[kind]));
  const covariance = mean(warm.map((sample) => (sample.round - x) * (sample[kind] - y)));
  const variance = mean(warm.map(({ round }) => (round - x) ** 2));
  if (!(variance > 0)) throw new RangeError('a growth takes two samples');
  return (covariance / variance) * 1000;
}

export function soakTable({ samples, updates, rounds }: Soak): Table {
  const at = (share: number): Sample => samples[Math.round((samples.length - 1) * share)]!;
  const marks = [0, WARM, 0.5, 1].map(at);
  return {
    title: 'Memory of the service',
    note: `MiB, over ${rounds} rounds with ${updates} updates, which are ${((rounds * 10) / 3600).toFixed(1)} hours. Growth is by least squares from round ${at(WARM).round} on.`,
    head: ['memory', ...marks.map(({ round }) => `round ${round}`), 'growth for 1,000 rounds'],
    rows: KINDS.map(({ key, name }) => [
      name,
      ...marks.map((sample) => toMiB(sample[key])),
      `${(growth(samples, key) / 1024).toFixed(0)} KiB`,
    ]),
  };
}

const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [760, 320, 60, 40, 170, 50];
const COLOURS: Readonly<Record<Kind, string>> = { heap: '#d73027', external: '#4575b4', resident: '#666666' };
const TICKS = 5;

/** Memory over rounds as an SVG that stands alone; the axis of memory begins at nothing. */
export function soakPlot({ samples }: Pick<Soak, 'samples'>): string {
  const last = samples.at(-1)!.round;
  const step = niceStep(Math.max(...samples.map(({ resident }) => resident)) / 2 ** 20 / TICKS);
  const top = step * (TICKS + 1);
  const x = (round: number): number => LEFT + ((WIDTH - RIGHT - LEFT) * round) / last;
  const y = (mebibytes: number): number => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * mebibytes) / top;
  const marks = Array.from({ length: TICKS + 1 }, (_, index) => index);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(LEFT, 20, 'Memory of the service, MiB, by rounds made'),
    ...marks.map((mark) => {
      const [round, value] = [Math.round((last * mark) / TICKS), step * mark];
      return [
        rule(x(round), y(0), x(round), TOP),
        text(x(round) - 12, y(0) + 16, String(round)),
        rule(x(0), y(value), WIDTH - RIGHT, y(value)),
        text(LEFT - 34, y(value) + 4, String(value)),
      ].join('');
    }),
    ...KINDS.map(({ key, name }, index) => {
      const line = samples
        .map((sample) => `${round1(x(sample.round))},${round1(y(sample[key] / 2 ** 20))}`)
        .join(' ');
      return `<polyline points="${line}" fill="none" stroke="${COLOURS[key]}"/>${text(WIDTH - RIGHT + 14, TOP + 12 + 18 * index, name, COLOURS[key])}`;
    }),
    '</svg>',
  ].join('\n')}\n`;
}

/** The next of 1, 2, 5, 10, 20, … */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10);
}

function text(x: number, y: number, content: string, colour = 'black'): string {
  return `<text x="${round1(x)}" y="${round1(y)}" fill="${colour}">${content}</text>`;
}

function rule(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${round1(x1)}" y1="${round1(y1)}" x2="${round1(x2)}" y2="${round1(y2)}" stroke="#dddddd"/>`;
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
