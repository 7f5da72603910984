import { readFileSync } from 'node:fs';

/** Milliseconds of processor time, in user and system mode. */
export interface ProcessorTime {
  own: number;
  /** Of children that have ended, and theirs. */
  children: number;
}

/** Milliseconds in a clock tick of /proc, which counts 100 a second on every architecture that Node.js runs on. */
const TICK = 10;

/** What this process has used so far. Where there is no /proc the children's part is unknown, and NaN. */
export function processorTime(): ProcessorTime {
  const { user, system } = process.cpuUsage();
  return { own: (user + system) / 1000, children: childrenTime() };
}

function childrenTime(): number {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    // cutime and cstime are the 16th and 17th field; counting starts after the name, which may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[13]) + Number(fields[14])) * TICK;
  } catch {
    return Number.NaN;
  }
}
