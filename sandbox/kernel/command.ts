import { spawn } from 'node:child_process';

/** A program that ended otherwise than with 0. */
export class CommandError extends Error {
  override name = 'CommandError';
}

/**
 * Runs a program to its end. What it prints goes to `onLine`, line by line, where given.
 * @throws CommandError with the end of what it said
 */
export async function runCommand(
  program: string,
  args: string[],
  { input, onLine, env }: { input?: string; onLine?: (line: string) => void; env?: NodeJS.ProcessEnv } = {},
): Promise<{ stdout: string }> {
  const child = spawn(program, args, { env: env ?? process.env, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let said = '';
  let rest = '';
  const hear = (text: string): void => {
    said = (said + text).slice(-4000);
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine?.(line);
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    hear(text);
  });
  child.stderr.setEncoding('utf8').on('data', hear);
  // A program that does not read its input ends all the same.
  child.stdin.on('error', () => undefined).end(input ?? '');
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return { stdout };
  const end = said.trimEnd().split('\n').slice(-12).join('\n');
  throw new CommandError(`${program} ${args[0] ?? ''} ended with ${code ?? 'a signal'}:\n${end}`);
}
