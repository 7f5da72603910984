import { InvalidArgumentError } from 'commander';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Seconds of `90s`, `15m`, `8h`, `2d`. @throws InvalidArgumentError */
export function parseDuration(text: string): number {
  const match = /^(\d{1,5})([smhd])$/.exec(text);
  if (!match || Number(match[1]) === 0)
    throw new InvalidArgumentError('must be a duration, e.g. 90s, 15m, 8h or 2d');
  return Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS];
}

/** `45 s`, `12 min`, `3.5 h`, `2 d`: short enough for a table. */
export function shortDuration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 360) / 10} h`;
  return `${Math.round(seconds / 8640) / 10} d`;
}
