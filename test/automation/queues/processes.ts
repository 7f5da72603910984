import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A server of the test's own, stopped with it. */
export interface OwnServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts a server and waits for the line that says it is ready. */
export async function startServer(program: string, args: string[], ready: RegExp): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const listen = (text: Buffer) => {
      said += text.toString();
      if (ready.test(said)) resolve();
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${program} ended: ${said.slice(-2000)}`)));
  });
  return child;
}

export async function stopServer(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}
