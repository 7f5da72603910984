import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';

/** The stack's passphrase; there is nothing real behind it. */
export const PASSPHRASE = 'sandbox';
const STACK = 'sandbox';

/** The Pulumi command line as a person would use it, with a state of its own in `folder`. */
export interface Engine {
  /** What a shell needs to go on by hand. */
  environment: Record<string, string>;
  configFile: string;
  run(...args: string[]): Promise<void>;
  /** Changes the demo's copy of the stack's configuration. */
  edit(path: (string | number)[], value: unknown): void;
}

/**
 * Prepares state, keys and a copy of `Pulumi.sandbox.yaml` in `folder`; the checkout is not written to.
 * @param cloud end points and credentials, as environment variables
 */
export async function prepareEngine(
  root: string,
  folder: string,
  cloud: Record<string, string>,
): Promise<Engine> {
  const key = join(folder, 'id_ed25519');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'demo', '-f', key]);
  const home = join(folder, 'pulumi-home');
  mkdirSync(join(folder, 'state'));
  const { ensureEngine, linkPlugins } = await import('../toolchain/ensure.mjs');
  const environment = {
    ...cloud,
    ...linkPlugins(await ensureEngine(), home),
    PULUMI_BACKEND_URL: `file://${join(folder, 'state')}`,
    PULUMI_HOME: home,
    PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
  };
  const configFile = join(folder, `Pulumi.${STACK}.yaml`);
  copyFileSync(join(root, `Pulumi.${STACK}.yaml`), configFile);
  const engine: Engine = {
    environment,
    configFile,
    run: (...args) => pulumi(root, environment, args),
    edit: (path, value) => {
      const document = parseDocument(readFileSync(configFile, 'utf8'));
      document.setIn(['config', ...path], value);
      writeFileSync(configFile, document.toString());
    },
  };
  engine.edit(['worker-pools:access', 'sshKeys'], [`${key}.pub`]);
  engine.edit(['worker-pools:access', 'ssh', 'privateKeyFile'], key);
  await engine.run('stack', 'init', STACK);
  return engine;
}

/** Arguments that every operation of the demo has. */
export function onStack({ configFile }: Engine): string[] {
  return ['--stack', STACK, '--config-file', configFile, '--suppress-outputs'];
}

async function pulumi(root: string, environment: Record<string, string>, args: string[]): Promise<void> {
  const child = spawn('pulumi', args, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (code !== 0) throw new Error(`pulumi ${args[0]} ended with ${signal ?? `exit code ${code}`}`);
}
