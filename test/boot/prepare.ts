import { ensureImage } from '../../sandbox/image';

/** What takes minutes on a new machine is done with progress shown, before any test's time runs. */
export async function prepare(images: Iterable<string>): Promise<void> {
  const { ensureTailnet } = await import('../../toolchain/tailnet.mjs');
  const log = (line: string): void => console.error(`  ${line}`);
  for (const image of images) await ensureImage(image, log);
  await ensureTailnet({ log });
}
