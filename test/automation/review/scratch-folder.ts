import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Makes a folder stand for a checkout: what commands run from it is there by links, what they write stays in it. */
export function linkedCheckout(
  folder: string,
  root: string,
): { write: (file: string, content: unknown) => void } {
  for (const name of [
    'automation',
    'components',
    'cloud-init',
    'node_modules',
    'package.json',
    'sandbox',
    'toolchain',
  ]) {
    symlinkSync(join(root, name), join(folder, name));
  }
  return {
    write: (file, content) => {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), JSON.stringify(content));
    },
  };
}
