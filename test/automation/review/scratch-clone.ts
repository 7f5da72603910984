import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEngine, start, type Finished, type Running } from '../../engine/engine';
import { type Environment, ROOT, STACK } from '../../engine/harness';

/** This checkout's files as they are now, without what git ignores; installed packages by a link. */
export function copyCheckout(folder: string): void {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  for (const file of listed.split('\0').filter((name) => name !== '' && existsSync(join(ROOT, name)))) {
    cpSync(join(ROOT, file), join(folder, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
}

/** A clone of this checkout with a stack's file of its own, where branches are made and previewed as CI does it. */
export class ScratchClone {
  readonly folder = mkdtempSync(join(tmpdir(), 'worker-pools-clone-'));

  private constructor(private readonly environment: Environment) {}

  /** Its `main` is what is here, and what the environment's stack file says. */
  static make(environment: Environment): ScratchClone {
    const clone = new ScratchClone(environment);
    copyCheckout(clone.folder);
    cpSync(environment.configFile, clone.path(`Pulumi.${STACK}.yaml`));
    clone.git('init', '--quiet', '--initial-branch', 'main');
    clone.commit();
    return clone;
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  /** A branch off main with edits by file. @throws Error when an edit changes nothing */
  branch(name: string, edits: Record<string, (text: string) => string>): void {
    this.git('checkout', '--quiet', '-b', name, 'main');
    for (const [file, edit] of Object.entries(edits)) {
      const before = readFileSync(this.path(file), 'utf8');
      const after = edit(before);
      if (after === before) throw new Error(`the edit of ${file} changes nothing`);
      writeFileSync(this.path(file), after);
    }
    this.commit();
  }

  checkout(name: string): void {
    this.git('checkout', '--quiet', name);
  }

  /** Runs a program in the clone, with what CI has in its environment. */
  async run(
    command: string[],
    variables: NodeJS.ProcessEnv = this.environment.credentials,
  ): Promise<Finished> {
    return (await this.launch(command, variables)).finished;
  }

  /** The same, while it runs. */
  async launch(
    command: string[],
    variables: NodeJS.ProcessEnv = this.environment.credentials,
  ): Promise<Running> {
    const running = start(command, { cwd: this.folder, env: { ...(await this.variables()), ...variables } });
    void running.finished.then(({ text }) => this.environment.transcripts.push(text));
    return running;
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async variables(): Promise<NodeJS.ProcessEnv> {
    const engine = await findEngine();
    return {
      PATH: engine.env['PATH'],
      HOME: process.env['HOME'],
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: engine.env['PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION'],
      ...engine.linkPlugins(join(this.environment.folder, 'home')),
      PULUMI_BACKEND_URL: `file://${this.environment.backend}`,
      PULUMI_CONFIG_PASSPHRASE: 'sandbox',
    };
  }

  private commit(): void {
    this.git('add', '--all');
    this.git('-c', 'user.name=test', '-c', 'user.email=test@example.com', 'commit', '--quiet', '-m', 'edit');
  }

  private git(...args: string[]): void {
    execFileSync('git', args, { cwd: this.folder, stdio: ['ignore', 'ignore', 'inherit'] });
  }
}
