import { ensureTestPrograms } from '../../toolchain/system.mjs';

/** Installs test programs once, with the marker files in the folder named first and as the user named second. */
const [etc, uid] = process.argv.slice(2);
await ensureTestPrograms({ log: (line) => console.log(line), etc, uid: Number(uid) });
