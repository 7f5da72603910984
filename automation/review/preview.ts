import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalWorkspace, Stack, type EngineEvent } from '@pulumi/pulumi/automation';
import { confirmedRemovals } from '../../components/confirmation';
import { readConfigValues } from '../../components/config-values';
import { parseStackConfig } from '../../components/model/config';
import { ConfigError } from '../../components/model/errors';
import { readCredentials } from '../../components/preflight/credentials';
import { secretsIn } from '../apply/config-secrets';
import type { Censor } from '../censor';
import { checkStackFile } from '../commands/opened-stack';
import { assemble, failedReport } from './assemble';
import { readFacts } from './facts';
import { clean, readPlan } from './plan';
import { reportSchema, type Report } from './report';

export interface PreviewQuestion {
  stack: string;
  /** The checkout: `Pulumi.yaml`, `Pulumi.<stack>.yaml` and, where asked for, `policy-pack/`. It is only read. */
  directory: string;
  policyPack: boolean;
  /** Whether the vendors are asked what is still there: one request for each resource. */
  refresh: boolean;
  /** For the engine and the vendors: PATH, the backend, the passphrase, credentials. */
  environment: Record<string, string>;
  /** Learns the configuration's secrets. */
  censor: Censor;
  /** Says what is being done. */
  progress: (line: string) => void;
}

/** Previews a stack, and reports what a merge would do. Whatever goes wrong is a report too, with the verdict `failed`. */
export async function previewStack(question: PreviewQuestion): Promise<Report> {
  const report = await review(question).catch((error: unknown) =>
    failedReport(
      question.stack,
      error instanceof ConfigError
        ? error.faults.map(({ path, message }) => `${path}: ${message}`)
        : [engineWords(error)],
    ),
  );
  return reportSchema.parse(question.censor.json(report));
}

async function review(question: PreviewQuestion): Promise<Report> {
  const { stack: name, directory, environment, censor, progress } = question;
  checkStackFile(directory, name);
  progress('reading the configuration');
  const workspace = await LocalWorkspace.create({ workDir: directory, envVars: environment });
  // Every command names its stack: a preview must not change which one a person has selected.
  workspace.selectStack = () => Promise.resolve();
  const values = await workspace.getAllConfig(name);
  const config = new Map(Object.entries(values).map(([key, { value }]) => [key, value]));
  const file = join(directory, `Pulumi.${name}.yaml`);
  const encrypted = existsSync(file) ? secretsIn(readFileSync(file, 'utf8'), config) : [];
  const marked = Object.values(values).flatMap(({ secret, value }) => (secret ? [value] : []));
  const credentials = readCredentials(environment, (provider, key) => config.get(`${provider}:${key}`));
  const { tailscale } = credentials;
  censor.add(...encrypted, ...marked);
  censor.add(
    credentials.hetzner.token,
    credentials.cloudflare.token,
    tailscale.oauthClientSecret,
    tailscale.apiKey,
  );

  const checked = parseStackConfig(name, readConfigValues(Object.fromEntries(config)));
  const stack = await Stack.select(name, workspace);
  const [events, facts] = await Promise.all([
    runPreview(stack, question),
    readFacts(name, checked, credentials, directory),
  ]);
  return assemble(readPlan(events), {
    stack: name,
    config: checked,
    ...facts,
    allowed: confirmedRemovals(environment),
  });
}

/** The engine's events; a preview that fails has told why in them. @throws Error when it fails without a word */
async function runPreview(
  stack: Stack,
  { directory, policyPack, refresh, progress }: PreviewQuestion,
): Promise<EngineEvent[]> {
  const pack = join(directory, 'policy-pack');
  const events: EngineEvent[] = [];
  let resources = 0;
  progress('previewing');
  try {
    await stack.preview({
      color: 'never',
      refresh,
      ...(policyPack ? { policyPacks: [pack], policyPackConfigs: [join(pack, 'config.json')] } : {}),
      onEvent: (event) => {
        // The SDK's debug messages quote every resource in plain text.
        if (event.diagnosticEvent?.prefix === 'debug: ') return;
        events.push(event);
        if (event.resourcePreEvent && ++resources % 100 === 0)
          progress(`previewing, ${resources} resources so far`);
      },
    });
  } catch (error) {
    if (!events.some(({ summaryEvent }) => summaryEvent)) throw error;
  }
  return events;
}

/** What the engine's command line wrote, without the command itself. */
export function engineWords(error: unknown): string {
  const message = clean(error instanceof Error ? error.message : String(error));
  const [, stderr = message] = /stderr: ([^]*?)(?:\n\s*err\?: |$)/.exec(message) ?? [];
  const lines = stderr.split('\n').filter((line) => !line.startsWith('Command failed with exit code'));
  return clean(lines.join('\n')) || message;
}
