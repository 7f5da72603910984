import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parse } from 'yaml';
import { z } from 'zod';
import { type DeepPartial, type SandboxSettings, startSandbox } from './sandbox';

interface Options {
  port: number;
  settings?: string;
  snapshot?: string;
  clock?: SandboxSettings['clock'];
  seed?: number;
  machines?: SandboxSettings['machineKind'];
  tailnet?: SandboxSettings['tailnetKind'];
}

const command = new Command('sandbox')
  .description(
    'A local cloud: the HTTP APIs of Hetzner Cloud, Tailscale and Cloudflare, and machines that boot.\n' +
      'Runs in the foreground until SIGTERM or Ctrl-C; prints one JSON line with addresses and credentials.',
  )
  .option('--port <n>', 'port on 127.0.0.1; 0 picks a free one', wholeNumber(65535), 0)
  .option('--settings <file>', 'settings as YAML or JSON; see docs/sandbox.md')
  .option('--snapshot <file>', 'load the cloud from this file if it is there, and keep it up to date')
  .option(
    '--clock <real|RATE|stepped>',
    'wall time, wall time multiplied, or only through the control API',
    clock,
  )
  .option('--seed <n>', 'the same seed draws the same tokens, ids and boot times', wholeNumber(0xffffffff))
  .addOption(
    new Option('--machines <kind>', 'what servers are: played by this program, or real guests').choices([
      'simulated',
      'qemu',
    ]),
  )
  .addOption(
    new Option('--tailnet <kind>', 'what joins it: machines of this program, or real clients').choices([
      'simulated',
      'headscale',
    ]),
  );

void run(command.parse().opts<Options>());

async function run(options: Options): Promise<void> {
  try {
    const settings: DeepPartial<SandboxSettings> = {
      ...(options.settings !== undefined && readSettings(options.settings)),
      ...(options.clock && { clock: options.clock }),
      ...(options.seed !== undefined && { seed: options.seed }),
      ...(options.machines && { machineKind: options.machines }),
      ...(options.tailnet && { tailnetKind: options.tailnet }),
    };
    const sandbox = await startSandbox(settings, {
      port: options.port,
      log: (line) => void process.stderr.write(`${line}\n`),
      ...(options.snapshot !== undefined && { snapshotFile: options.snapshot }),
    });
    let stopping = false;
    const stop = (): void => {
      if (stopping) return;
      stopping = true;
      sandbox.close().then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`sandbox: ${describe(error, options)}\n`);
          process.exit(1);
        },
      );
    };
    // npm, tsx and a terminal may each pass the same signal on: the second finds the first at work.
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    process.stdout.write(`${JSON.stringify(sandbox.endpoints)}\n`);
    process.stderr.write(
      `The local cloud is up; control API at ${sandbox.endpoints.control.url}. Ctrl-C ends it.\n`,
    );
  } catch (error) {
    process.stderr.write(`sandbox: ${describe(error, options)}\n`);
    process.exit(1);
  }
}

function readSettings(file: string): DeepPartial<SandboxSettings> {
  const read: unknown = parse(readFileSync(file, 'utf8')) ?? {};
  // startSandbox checks every field; here only that there are fields.
  return z.record(z.string(), z.unknown()).parse(read);
}

function describe(error: unknown, options: Options): string {
  if (error instanceof z.ZodError)
    return `the settings${options.settings === undefined ? '' : ` in ${options.settings}`} are wrong:\n${z.prettifyError(error)}`;
  if (!(error instanceof Error)) return String(error);
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return `port ${options.port} of 127.0.0.1 is in use; stop what listens there or take another (--port 0 picks one)`;
  if (code === 'EACCES') return `port ${options.port} may not be opened by this user; take one above 1023`;
  if (code === 'ENOENT') return `${path} is not there`;
  return error.message;
}

function wholeNumber(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value > max)
      throw new InvalidArgumentError(`give a whole number up to ${max}`);
    return value;
  };
}

function clock(text: string): SandboxSettings['clock'] {
  if (text === 'stepped') return { kind: 'stepped' };
  const rate = text === 'real' ? 1 : Number(text);
  if (!(rate > 0)) throw new InvalidArgumentError('give "real", "stepped" or a rate such as 60');
  return { kind: 'real', rate };
}
