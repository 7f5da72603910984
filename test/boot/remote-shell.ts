import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hostKey } from '../../components/model/worker-machine';
import { REGISTRATION_SECRET } from '../engine/harness';

const run = promisify(execFile);

/** Milliseconds that one command may take: machines here are translated. */
const PATIENCE = 180_000;

/** Runs commands as root on machines, by SSH under the host keys that the program knows before a machine is there. */
export class RemoteShell {
  /** @param folder for the files of known host keys */
  constructor(
    private readonly folder: string,
    private readonly privateKeyFile: string,
  ) {}

  /**
   * @param address where the machine is reached; its name where a proxy finds it
   * @param proxy command line of a program that makes the connection
   */
  async run(machine: string, address: string, command: string, proxy: string[] = []): Promise<string> {
    const known = join(this.folder, `known-${machine}`);
    writeFileSync(known, `${address} ${hostKey(REGISTRATION_SECRET, machine).publicKey}\n`);
    const options = [
      'BatchMode=yes',
      'StrictHostKeyChecking=yes',
      `UserKnownHostsFile=${known}`,
      'GlobalKnownHostsFile=/dev/null',
      'IdentitiesOnly=yes',
      'ConnectTimeout=60',
      'LogLevel=ERROR',
      ...(proxy.length > 0 ? [`ProxyCommand=${proxy.join(' ')}`] : []),
    ];
    const args = [
      '-F',
      '/dev/null',
      '-i',
      this.privateKeyFile,
      ...options.flatMap((option) => ['-o', option]),
    ];
    const { stdout } = await run('ssh', [...args, `root@${address}`, command], { timeout: PATIENCE });
    return stdout;
  }
}
