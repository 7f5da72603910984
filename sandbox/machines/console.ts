import { parseShell, type ShellCommand } from './shell';
import type { Machine } from './machine';
import { COMMANDS } from './commands';

/** What a command sees: the machine it runs on and a way to wait for it to change. */
export interface Console {
  machine: Machine;
  /** Virtual milliseconds. */
  now(): number;
  /** Resolves when the machine has changed, or when the session has ended (`ended` is true then). */
  change(): Promise<void>;
  readonly ended: boolean;
}

export interface Output {
  out: (text: string) => void;
  err: (text: string) => void;
}

export interface Call extends Output {
  console: Console;
  args: string[];
  stdin: string;
}

/** One command of a simulated machine; returns its exit code. */
export type Program = (call: Call) => number | Promise<number>;

/**
 * Runs a command line as a login shell would, as far as lines of simple commands joined by `;`, `&&`, `||` and `|` go.
 * @returns the exit code; 127 for a command that the machine does not have
 */
export async function runLine(line: string, console: Console, output: Output): Promise<number> {
  const commands = parseShell(line);
  let code = 0;
  for (let index = 0; index < commands.length && !console.ended;) {
    const pipeline = pipelineFrom(commands, index);
    index += pipeline.length;
    const { joinedBy } = pipeline[0]!;
    if ((joinedBy === '&&' && code !== 0) || (joinedBy === '||' && code === 0)) continue;
    code = await runPipeline(pipeline, console, output);
  }
  return code;
}

function pipelineFrom(commands: ShellCommand[], start: number): ShellCommand[] {
  let end = start + 1;
  while (commands[end]?.joinedBy === '|') end++;
  return commands.slice(start, end);
}

async function runPipeline(pipeline: ShellCommand[], console: Console, output: Output): Promise<number> {
  let stdin = '';
  let code = 0;
  for (const [index, command] of pipeline.entries()) {
    const last = index === pipeline.length - 1;
    let printed = '';
    const discarded = command.outputs.length > 0;
    const out = last && !discarded ? output.out : (text: string): void => void (printed += text);
    const err = { shown: output.err, merged: out, discarded: () => {} }[command.errors];
    code = await runProgram(command, { console, stdin: command.input ?? stdin, out, err });
    stdin = discarded ? '' : printed;
  }
  return code;
}

async function runProgram(command: ShellCommand, call: Omit<Call, 'args'>): Promise<number> {
  const words = command.words.filter((word) => !/^[A-Za-z_]\w*=/.test(word));
  while (words[0] === 'sudo' || words[0] === '-n') words.shift();
  const [path = 'true', ...args] = words;
  const name = path.replace(/^\/(usr\/)?s?bin\//, '');
  if ((name === 'sh' || name === 'bash') && args[0]?.endsWith('c'))
    return runLine(args[1] ?? '', call.console, call);
  const program = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const code = program ? await program({ ...call, args }) : notFound(path, call);
  return command.keyword === '!' ? Number(code === 0) : code;
}

function notFound(name: string, { err }: Output): number {
  err(`bash: line 1: ${name}: command not found\n`);
  return 127;
}
