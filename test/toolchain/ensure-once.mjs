// Runs ensureEngine in a process of its own and prints the result: node ensure-once.mjs DOWNLOADS_URL
import { ensureEngine } from '../../toolchain/ensure.mjs';
import { run } from '../../toolchain/errors.mjs';

await run(async () => {
  const { source, binDir } = await ensureEngine({ downloads: process.argv[2] });
  console.log(JSON.stringify({ source, binDir }));
});
