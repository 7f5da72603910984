import { hostname } from 'node:os';
import { join } from 'node:path';
import { readConfigValues } from '../../components/config-values';
import { parseStackConfig } from '../../components/model/config';
import type { StackConfig } from '../../components/model/config-schema';
import { ConfigError } from '../../components/model/errors';
import type { StackOutputs } from '../../components/stack-record';
import { EngineNotes } from '../apply/engine-notes';
import { EngineStack } from '../apply/engine-stack';
import { isDead, isOurs, readLocks, startOf, type LockFile } from '../apply/lock';
import { createCensor } from '../censor';
import { checkStackFile } from '../commands/opened-stack';
import type { Intent } from '../registry/types';
import { failed, note, ok, told, warning, type Finding } from './finding';
import type { Question } from './question';

/** A stack as far as it could be read. */
export interface ReadStack {
  readonly findings: readonly Finding[];
  readonly engine?: EngineStack;
  /** Decrypted, by full key. */
  readonly values?: ReadonlyMap<string, string>;
  readonly config?: StackConfig;
  readonly record?: StackOutputs;
}

/** Command line, passphrase, backend, stack, configuration and record, in the order in which they need each other. */
export async function readStack(question: Question): Promise<ReadStack> {
  const { stack, project, data, environment } = question;
  let engine: EngineStack;
  try {
    checkStackFile(project, stack);
    engine = await EngineStack.open({
      stack,
      projectDirectory: project,
      environment,
      pulumiHome: join(data, 'pulumi'),
      censor: createCensor(),
      lockerStarted: () => undefined,
    });
  } catch (error) {
    return { findings: faultsOf(error) };
  }
  const values = await engine.readConfig();
  const opened = [
    ok('Pulumi CLI', engine.cliVersion ?? 'of a version that it does not tell'),
    ok(
      'stack',
      `${engine.name} of the project ${engine.project}, in ${engine.backend === undefined ? 'a remote backend' : `file://${engine.backend}`}`,
    ),
    ok('secrets', 'can be decrypted'),
  ];
  const { config, findings } = checkConfig(engine.name, values);
  const { record, finding } = await checkRecord(engine);
  return {
    findings: [...opened, ...findings, finding],
    engine,
    values,
    ...(config && { config }),
    ...(record && { record }),
  };
}

function checkConfig(
  environment: string,
  values: ReadonlyMap<string, string>,
): { config?: StackConfig; findings: Finding[] } {
  try {
    const config = parseStackConfig(environment, readConfigValues(Object.fromEntries(values)));
    const pools = Object.keys(config.pools);
    return {
      config,
      findings: [ok('configuration', `valid; pools: ${pools.join(', ') || 'none'}`), masterSwitch(config)],
    };
  } catch (error) {
    return { findings: faultsOf(error, 'configuration') };
  }
}

function masterSwitch({ autoscaling }: StackConfig): Finding {
  return autoscaling.enabled
    ? ok('autoscaling', 'enabled: the service changes pools')
    : note(
        'autoscaling',
        'switched off: the service watches and explains only; worker-pools:autoscaling: { enabled: true } lets it act',
      );
}

async function checkRecord(engine: EngineStack): Promise<{ record?: StackOutputs; finding: Finding }> {
  try {
    const record = await engine.readRecord();
    if (!record) {
      return {
        finding: warning(
          'record',
          'the stack was never up: there is nothing yet that could be scaled',
          `pulumi up --stack ${engine.name}`,
        ),
      };
    }
    const workers = Object.values(record.membership).reduce((sum, { members }) => sum + members.length, 0);
    return {
      record,
      finding: ok('record', `readable; ${workers} worker${workers === 1 ? '' : 's'} recorded`),
    };
  } catch (error) {
    const [fault] = faultsOf(error, 'record');
    return {
      finding: failed(
        'record',
        fault!.seen,
        `restore the last checkpoint, or bring the stack up once by hand: \`pulumi up --stack ${engine.name}\``,
      ),
    };
  }
}

/** Where a ConfigError's paths are about something that has a name of its own here. */
const CHECKS: Readonly<Record<string, string>> = {
  pulumi: 'Pulumi CLI',
  'Pulumi.yaml': 'project',
  '--stack': 'stack',
  PULUMI_CONFIG_PASSPHRASE: 'passphrase',
  PULUMI_CONFIG_PASSPHRASE_FILE: 'passphrase',
};

/** Every fault as a finding. */
function faultsOf(error: unknown, check = 'stack'): Finding[] {
  if (!(error instanceof ConfigError)) throw error;
  return error.faults.map(({ path, message }) => {
    const named = CHECKS[path];
    return named === undefined ? told(check, `${path}: ${message}`) : told(named, message);
  });
}

/** Who holds the stack, and whether anything is half done. @param intent undefined where none is open or nobody could tell */
export function checkLock(engine: EngineStack, question: Question, intent: Intent | undefined): Finding[] {
  const { now, data } = question;
  const half =
    intent === undefined
      ? []
      : [
          warning(
            'intent',
            `an update of process ${intent.holder.pid} on ${intent.holder.host} has begun and was not closed`,
            'while it runs, wait; if it was killed, the service rolls it forward at its next start',
          ),
        ];
  if (engine.backend === undefined) {
    return [note('lock', 'this backend tells only an update who holds the stack'), ...half];
  }
  const locks = readLocks(engine.backend, engine.project, engine.name);
  if (locks.length === 0) return [ok('lock', 'free'), ...half];
  const mine = new EngineNotes(join(data, 'pulumi'), engine.name).read();
  const here = { host: hostname(), now: now(), startOf };
  return [
    ...locks.map((lock) =>
      lockFinding(engine.name, lock, {
        ours: isOurs(lock, { note: mine, intent }),
        dead: isDead(lock, here),
      }),
    ),
    ...half,
  ];
}

export function lockFinding(
  stack: string,
  { user, host, pid, since }: LockFile,
  { ours, dead }: { ours: boolean; dead: boolean },
): Finding {
  const who = `held by ${user}@${host} (process ${pid}) since ${new Date(since * 1000).toISOString()}`;
  if (!dead) return warning('lock', who, 'wait for it to end; updates wait as well');
  if (ours) {
    return warning(
      'lock',
      `${who}, which was the service and runs no more`,
      'start the service: it takes the lock away by itself',
    );
  }
  return failed(
    'lock',
    `${who}, which runs no more`,
    `if nothing of it runs anywhere, \`pulumi cancel --stack ${stack}\` takes the lock away`,
  );
}
