import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { MachineState } from '../machines';

/** How much of a log is told. */
const LIMIT = 256 * 1024;

/** The end of a file, at most so much; empty when it is not there. */
export function tailOf(path: string, from = 0): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const { size } = fstatSync(file);
    const start = Math.max(from, size - LIMIT);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, start));
  } finally {
    closeSync(file);
  }
}

/** How far a boot is, by what the machine's console has said since its power-on. */
export function stateBy(text: string): Extract<MachineState, 'booting' | 'cloud-init' | 'ready' | 'failed'> {
  if (/Cloud-init v\. \S+ finished at/.test(text)) return errorsBy(text).length > 0 ? 'failed' : 'ready';
  return /Cloud-init v\. \S+ running 'modules:config'/.test(text) ? 'cloud-init' : 'booting';
}

/** What went wrong, in the machine's own words. */
export function errorsBy(text: string): string[] {
  const found = text.matchAll(/[\w-]+: \d\d-\S+ failed, see above|Failed to run [^\r\n]*/g);
  return [...new Set([...found].map(([line]) => line))];
}
