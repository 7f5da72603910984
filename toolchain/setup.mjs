// What `npm run demo` and `npm test` do first on a fresh clone. Plain Node, because nothing is installed yet.
//
//   node toolchain/setup.mjs [--tests] -- COMMAND ARGS...

import { delimiter, dirname, join } from 'node:path';

import { runInForeground } from './child.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { ensureEngine } from './ensure.mjs';
import { ToolchainError, run } from './errors.mjs';
import { which } from './process.mjs';
import { ensureTestPrograms } from './system.mjs';

const repository = dirname(import.meta.dirname);
const oldestNode = [20, 19];

await run(async () => {
  checkNode();
  const { forTests, command } = parse(process.argv.slice(2));
  const log = (line) => console.error(line);
  await ensureDependencies({ repository, log });
  if (forTests) await ensureTestPrograms({ log });
  const { env } = await ensureEngine({ log });
  const path = [join(repository, 'node_modules/.bin'), env.PATH].join(delimiter);
  process.exitCode = await start(command, { ...env, PATH: path });
});

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new ToolchainError(
    `Node ${oldestNode.join('.')} or newer is needed, and this is ${process.version}: https://nodejs.org/en/download`,
  );
}

function parse(args) {
  const end = args.indexOf('--');
  const options = args.slice(0, Math.max(end, 0));
  if (end === -1 || end === args.length - 1 || options.some((option) => option !== '--tests')) {
    throw new ToolchainError('Usage: node toolchain/setup.mjs [--tests] -- COMMAND ARGS...');
  }
  return { forTests: options.includes('--tests'), command: args.slice(end + 1) };
}

async function start([name, ...args], env) {
  const program = which(name, env);
  if (program === undefined) throw new ToolchainError(`${name} is neither in node_modules/.bin nor on PATH.`);
  return runInForeground(program, args, env);
}
