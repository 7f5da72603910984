import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { ConfigFault } from '../../components/model/errors';
import type * as Doctor from '../doctor';
import { PATIENCE_MS } from '../doctor/finding';
import { doctorText } from '../doctor/text';
import { DEFAULT_ADMIN, dataFolder, readOwnAdminToken, withLogin, withSecretFiles } from '../settings';

const HELP = `
Nothing is changed. Exit code 0: no fault (warnings are none), 1: at least one.

  $ worker-pools doctor --stack staging
  $ sudo -u worker-pools worker-pools doctor --stack production --data /var/lib/worker-pools

With --json: { "stack", "ok", "findings": [{ "section", "check", "level", "seen", "next"? }] },
level one of ok, note, warning, failed.
`;

const loadLater = createRequire(__filename);

interface DoctorOptions {
  stack: string;
  service: string;
  data?: string;
  tryTags?: boolean;
  json?: boolean;
}

/** Everything that a stack and its service need, looked at from here. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check every credential, end point, queue, lock and clock, and say what to do')
    .requiredOption('--stack <name>', 'stack to check')
    .option('--service <url>', 'admin interface of the running service', `http://${DEFAULT_ADMIN}`)
    .option('--data <folder>', 'data folder of the service')
    .option(
      '--try-tags',
      'make a tailnet key with the stack’s tags and delete it: the only way to know that it may',
    )
    .option('--json', 'answer as JSON on standard output')
    .addHelpText('after', HELP)
    .action(async ({ stack, service, data: folder, tryTags = false, json }: DoctorOptions) => {
      const secretFaults: ConfigFault[] = [];
      const environment = withLogin(withSecretFiles(process.env, secretFaults));
      const data = resolve(folder ?? dataFolder(process.env));
      const { diagnose } = loadLater('../doctor') as typeof Doctor;
      const sections = await diagnose({
        stack,
        project: process.cwd(),
        data,
        environment,
        secretFaults,
        service,
        adminToken: environment['WORKER_POOLS_ADMIN_TOKEN'] ?? readOwnAdminToken(data),
        tryTags,
        patienceMs: PATIENCE_MS,
        now: () => Date.now() / 1000,
      });
      const findings = sections.flatMap(({ title, findings: found }) =>
        found.map((finding) => ({ section: title, ...finding })),
      );
      const isWell = findings.every(({ level }) => level !== 'failed');
      const text = json
        ? JSON.stringify({ stack, ok: isWell, findings })
        : doctorText(stack, sections, process.stdout.columns);
      // A check that was given up may still hold a connection, which would hold the process.
      process.stdout.write(`${text}\n`, () => process.exit(isWell ? 0 : 1));
    });
}
