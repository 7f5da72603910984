import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);

const statusSchema = z.object({
  BackendState: z.string(),
  Self: z.object({ HostName: z.string(), TailscaleIPs: z.array(z.string()).nullable() }).nullish(),
});

/** How a client is started. */
interface ClientOptions {
  /** Finds no direct ways to others, as when networks lie between. */
  relayedOnly?: boolean;
  /** Name of a network interface that it makes: then any program reaches the tailnet by address. Needs root. */
  networkInterface?: string;
}

/**
 * A real `tailscaled` of this machine's own. Without an interface, what comes for it goes to the loopback interface,
 * and only its own commands reach others.
 */
export class TailscaleClient {
  private constructor(
    private readonly programs: string,
    private readonly folder: string,
    private readonly process: ChildProcess,
    private readonly hasInterface: boolean,
  ) {}

  static async start(programs: string, options: ClientOptions = {}): Promise<TailscaleClient> {
    const { relayedOnly = false, networkInterface } = options;
    const folder = mkdtempSync(join(tmpdir(), 'tailscale-'));
    const flags = [
      `--tun=${networkInterface ?? 'userspace-networking'}`,
      '--state=mem:',
      '--port=0',
      '--no-logs-no-support',
    ];
    const daemon = [
      join(programs, 'tailscaled'),
      ...flags,
      `--statedir=${folder}`,
      `--socket=${join(folder, 'socket')}`,
    ];
    // It ends with this process, however that ends, and takes its interface away.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', ...daemon], {
      env: { ...process.env, ...(relayedOnly && { TS_DEBUG_ALWAYS_USE_DERP: '1' }) },
      stdio: 'ignore',
    });
    const client = new TailscaleClient(programs, folder, child, networkInterface !== undefined);
    while (!existsSync(join(folder, 'socket'))) {
      if (child.exitCode !== null) throw new Error(`tailscaled ended with ${child.exitCode}`);
      await sleep(50);
    }
    return client;
  }

  /** Runs `tailscale`; rejects with what it said. */
  async tailscale(...args: string[]): Promise<string> {
    const { stdout } = await run(...this.command(...args), { timeout: 90_000 });
    return stdout;
  }

  /** The command line of `tailscale` for this client. */
  command(...args: string[]): [program: string, args: string[]] {
    return [join(this.programs, 'tailscale'), [`--socket=${join(this.folder, 'socket')}`, ...args]];
  }

  async up(loginServer: string, authKey: string, hostname: string): Promise<void> {
    // It leaves this machine's names and firewall alone.
    const flags = ['--timeout=30s', `--hostname=${hostname}`, '--accept-dns=false', '--netfilter-mode=off'];
    await this.tailscale('up', `--login-server=${loginServer}`, `--auth-key=${authKey}`, ...flags);
  }

  async status(): Promise<{ state: string; addresses: string[] }> {
    // `tailscale status` ends with 1 when it is not up, and says so all the same.
    const [program, args] = this.command('status', '--json');
    const { stdout } = await run(program, args).catch((error: { stdout: string }) => error);
    const { BackendState, Self } = statusSchema.parse(JSON.parse(stdout));
    return { state: BackendState, addresses: Self?.TailscaleIPs ?? [] };
  }

  /** What somebody on the tailnet answers to one line. */
  async ask(host: string, port: number, line: string): Promise<string> {
    const [program, args] = this.command('nc', host, String(port));
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    let answer = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (answer += text));
    child.stdin.on('error', () => undefined).write(line);
    await once(child, 'close');
    return answer;
  }

  /** One with an interface is given the time to take its routes away; others are ended at once. */
  async close(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const ended = once(this.process, 'exit');
      this.process.kill(this.hasInterface ? 'SIGTERM' : 'SIGKILL');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
