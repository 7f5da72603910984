import type { Trace } from '../types';
import { jobFaults, refuse, type Row, TraceError } from './faults';

const HOUR = 3600;

interface CsvLine {
  /** Counted from 1, the head included. */
  number: number;
  cells: string[];
}

/**
 * A trace from the history of a real queue, exported as CSV with a head line. Columns, in any order, others ignored:
 * `arrival`, and either `service` (seconds) or both `started` and `finished`. Times are seconds from the start of the
 * trace, or dates as RFC 3339 and PostgreSQL write them; with dates the first arrival is second 0. The horizon is
 * the end of the hour in which the last job would end, had none waited.
 * @param source how the file is called in messages
 * @throws TraceError with every fault and its line
 */
export function traceFromCsv(text: string, source: string): Trace {
  const [head, ...lines] = csvLines(text);
  const columns = (head?.cells ?? []).map((cell) => cell.trim().toLowerCase());
  const hasService = columns.includes('service');
  if (!columns.includes('arrival') || !(hasService || ['started', 'finished'].every(has))) {
    throw new TraceError(
      `${source} is not a trace: its first line must name the columns arrival and service, ` +
        `or arrival, started and finished; it says ${JSON.stringify(columns.join(','))}`,
    );
  }
  const cell = (line: CsvLine, name: string): string => line.cells[columns.indexOf(name)]?.trim() ?? '';
  const zero = lines[0] ? (secondsOfDate(cell(lines[0], 'arrival')) ?? 0) : 0;
  const rows = lines.map((line): Row => {
    const time = (name: string): unknown => timeIn(cell(line, name), zero);
    return {
      place: `line ${line.number}`,
      arrival: time('arrival'),
      service: hasService ? timeIn(cell(line, 'service'), 0) : difference(time('started'), time('finished')),
    };
  });
  const ends = rows.map(({ arrival, service }) => Number(arrival) + Number(service)).filter(Number.isFinite);
  const horizon = HOUR * Math.ceil(ends.reduce((last, end) => Math.max(last, end), 1) / HOUR);
  refuse(source, jobFaults(rows, horizon));
  return {
    jobs: rows.map(({ arrival, service }) => ({ arrival: Number(arrival), service: Number(service) })),
    horizon,
  };

  function has(name: string): boolean {
    return columns.includes(name);
  }
}

/** Seconds from `zero` on, to a millisecond; the text itself where it is no time. */
function timeIn(text: string, zero: number): unknown {
  if (text === '') return undefined;
  const date = secondsOfDate(text);
  if (date !== undefined) return milliseconds(date - zero);
  const value = Number(text);
  return Number.isNaN(value) ? text : value;
}

function secondsOfDate(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text)) return undefined;
  // PostgreSQL writes `2026-03-01 08:00:00.5+00`; a date without a zone is taken as UTC, the same on every machine.
  const zoned = text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00');
  const time = Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(zoned) ? zoned : `${zoned}Z`);
  return Number.isNaN(time) ? undefined : time / 1000;
}

function difference(started: unknown, finished: unknown): unknown {
  if (typeof started !== 'number') return started;
  return typeof finished === 'number' ? milliseconds(finished - started) : finished;
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** RFC 4180: cells may be quoted, a quote within is doubled. Empty lines are left out. */
function csvLines(text: string): CsvLine[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line, index) => ({ number: index + 1, cells: line.trim() === '' ? [] : cellsOf(line) }))
    .filter(({ cells }) => cells.length > 0);
}

function cellsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}
