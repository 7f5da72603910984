// Runs ensureDependencies in a process of its own: node install-once.mjs REPOSITORY
import { ensureDependencies } from '../../toolchain/dependencies.mjs';
import { run } from '../../toolchain/errors.mjs';

await run(() => ensureDependencies({ repository: process.argv[2], log: (line) => console.error(line) }));
