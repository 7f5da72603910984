import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { archiveOf } from './apt';
import { buildImage, filesIn, type ImageFiles } from './build';
import { ensurePrograms } from './programs';
import { recipes } from './recipes';

export type { ImageFiles };
export { recipes };

/**
 * The image of that name, made when this machine has none of its present recipe yet: some minutes, once.
 * @throws Error that says what is missing where it cannot be made
 */
export async function ensureImage(name: string, log: (line: string) => void): Promise<ImageFiles> {
  const recipe = recipes[name];
  if (!recipe) throw new Error(`no image "${name}"; there is ${Object.keys(recipes).join(', ')}`);
  await ensurePrograms(log);
  const archive = await archiveOf();
  const { cacheFolder } = await import('../../toolchain/ensure.mjs');
  const { withLock } = await import('../../toolchain/lock.mjs');
  const hash = createHash('sha256').update(JSON.stringify({ recipe, archive })).digest('hex').slice(0, 16);
  const images = join(cacheFolder(), 'images');
  const folder = join(images, `${name}-${hash}`);
  if (existsSync(folder)) return filesIn(folder);
  if (process.getuid?.() !== 0)
    throw new Error(
      `the image ${name} is not there yet, and only root can make it: sudo npm run sandbox:image`,
    );
  mkdirSync(images, { recursive: true });
  const waiting = ({ pid }: { pid: number }): void =>
    log(`Waiting for process ${pid}, which is making an image …`);
  await withLock(join(images, 'lock'), waiting, async () => {
    // Whoever held the lock until now may have made it.
    if (!existsSync(folder)) await buildImage(recipe, archive, folder, log);
  });
  return filesIn(folder);
}
