import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';

/** The stack's passphrase; there is nothing real behind it. */
export const PASSPHRASE = 'sandbox';
export const STACK = 'sandbox';

/** Values by where they stand below `config`. */
export type Edits = readonly (readonly [path: readonly (string | number)[], value: unknown])[];

/** The Pulumi command line as a person would use it, with a state of its own in `folder`. */
export interface Engine {
  /** What a shell needs to go on by hand. */
  environment: Record<string, string>;
  /** Folder with the copy of the stack's file. */
  project: string;
  /** Folder for the service's files; the engine's plugins are below it, where the service looks for them. */
  data: string;
  configFile: string;
  run(...args: string[]): Promise<void>;
  /** Changes the demo's copy of the stack's configuration. */
  edit(changes: Edits): void;
  /** Writes a further copy with changes of its own. */
  draft(name: string, changes: Edits): string;
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
  const home = join(folder, 'pulumi');
  const project = join(folder, 'project');
  for (const path of ['state', 'project']) mkdirSync(join(folder, path));
  const { ensureEngine, linkPlugins } = await import('../toolchain/ensure.mjs');
  const environment = {
    ...cloud,
    ...linkPlugins(await ensureEngine(), home),
    PULUMI_BACKEND_URL: `file://${join(folder, 'state')}`,
    PULUMI_HOME: home,
    PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
  };
  const configFile = join(project, `Pulumi.${STACK}.yaml`);
  // The service brings the program itself: a project that names one would have to hold it.
  writeFileSync(join(project, 'Pulumi.yaml'), 'name: worker-pools\nruntime: nodejs\n');
  copyFileSync(join(root, `Pulumi.${STACK}.yaml`), configFile);
  const engine: Engine = {
    environment,
    project,
    data: folder,
    configFile,
    run: (...args) => pulumi(root, environment, args),
    edit: (changes) => writeEdited(configFile, configFile, changes),
    draft: (name, changes) => {
      const file = join(folder, name);
      writeEdited(configFile, file, changes);
      return file;
    },
  };
  engine.edit([
    [['worker-pools:access', 'sshKeys'], [`${key}.pub`]],
    [['worker-pools:access', 'ssh', 'privateKeyFile'], key],
  ]);
  await engine.run('stack', 'init', STACK);
  return engine;
}

/** Arguments that every operation of the demo has. */
export function onStack(configFile: string): string[] {
  return ['--stack', STACK, '--config-file', configFile, '--suppress-outputs'];
}

function writeEdited(from: string, to: string, changes: Edits): void {
  const document = parseDocument(readFileSync(from, 'utf8'));
  for (const [path, value] of changes) document.setIn(['config', ...path], value);
  writeFileSync(to, document.toString());
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
