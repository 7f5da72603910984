/** What `systemd-analyze blame` says of one unit, to the millisecond. */
export interface Blame {
  unit: string;
  seconds: number;
}

/** Milliseconds. */
const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, min: 60_000, s: 1000, ms: 1, us: 0.001 };

/** Reads the lines of `systemd-analyze blame`, such as `1min 2.345s cloud-final.service`: longest first, as they come. */
export function parseBlame(text: string): Blame[] {
  return text.split('\n').flatMap((line) => {
    const [, time, unit] = /^\s*((?:[\d.]+(?:h|min|s|ms|us) )+)(\S+)$/.exec(line) ?? [];
    if (time === undefined || unit === undefined) return [];
    const parts = [...time.matchAll(/([\d.]+)(h|min|ms|us|s) /g)];
    const milliseconds = parts.reduce((sum, [, n, by = '']) => sum + Number(n) * (UNITS[by] ?? 0), 0);
    return [{ unit, seconds: Math.round(milliseconds) / 1000 }];
  });
}
