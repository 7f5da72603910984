import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian keeps programs for root, whatever this process's PATH says. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** PATH with the system's own folders. */
export const systemPath = [process.env['PATH'] ?? '', ...SYSTEM_FOLDERS].join(delimiter);

/** Whether this machine has a program, on PATH or among the system's own. */
export function isThere(program: string): boolean {
  return systemPath.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
