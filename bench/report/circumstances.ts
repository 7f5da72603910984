import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { createRequire } from 'node:module';
import { z } from 'zod';
import type { Table } from './table';

const packageSchema = z.object({ version: z.string() });
const fromHere = createRequire(__filename);

/** What the figures depend on: without it they mean nothing. */
export function circumstances(command: string, now: Date): Table {
  const processors = cpus();
  const rows = [
    ['date', now.toISOString().slice(0, 10)],
    ['command', `\`${command}\``],
    ['processors', `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`],
    ['memory', `${Math.round(totalmem() / 2 ** 30)} GiB`],
    [
      'load at the start',
      loadavg()
        .map((load) => load.toFixed(1))
        .join(', '),
    ],
    ['Node.js', process.version],
    ['Pulumi CLI', execFileSync('pulumi', ['version'], { encoding: 'utf8' }).trim()],
    ['@pulumi/pulumi', versionOf('@pulumi/pulumi')],
    ['@pulumi/hcloud', versionOf('@pulumi/hcloud')],
  ];
  return { title: 'Circumstances', head: ['What', 'Value'], rows };
}

function versionOf(name: string): string {
  return packageSchema.parse(fromHere(`${name}/package.json`)).version;
}
