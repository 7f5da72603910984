import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LocalWorkspace } from '@pulumi/pulumi/automation';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox';
import { failedReport } from './assemble';
import { update } from './deploy';
import { engineWords, previewStack, type PreviewQuestion } from './preview';
import { reportSchema, type Report } from './report';

/** The stack whose secrets are nobody's: its passphrase is public. */
export const LOCAL_STACK = 'sandbox';
const PASSPHRASE = 'sandbox';
/** What a caller's environment opens anything with. */
const OPENS = /^(AWS|HCLOUD|TAILSCALE|CLOUDFLARE)_|^PULUMI_(ACCESS_TOKEN|BACKEND|CONFIG|CREDENTIALS)/;
const AGENT_SOCKET = 'agent.sock';

export const NOTE =
  'Made on a local cloud, without credentials: the base branch was brought up there first. It shows what the edits of code and of Pulumi.sandbox.yaml do, not what other stacks have running.';

/**
 * Previews the sandbox's stack on a local cloud of its own, on which another checkout is brought up first. Nothing of the
 * caller's environment that opens anything is used.
 * @param base folder of the checkout that stands for what runs
 */
export async function previewOnSandbox(question: PreviewQuestion, base: string): Promise<Report> {
  const { stack, directory, progress } = question;
  if (stack !== LOCAL_STACK) {
    throw new Error(
      `only the stack ${LOCAL_STACK} can be previewed on a local cloud: the secrets of ${stack} are encrypted`,
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'worker-pools-preview-'));
  const sandbox = await startSandbox({
    clock: { kind: 'real', rate: 10 },
    hetzner: { durationFactor: 0 },
    machines: { bootSeconds: { min: 0.5, max: 1 } },
  });
  const agent = await startAgent(folder);
  try {
    const environment = await prepare(question.environment, folder, sandbox);
    progress('bringing the base up on a local cloud');
    try {
      await bringUp(base, environment, progress);
    } catch (error) {
      const fault = `the base branch cannot be brought up on a local cloud: ${engineWords(error)}`;
      return reportSchema.parse(question.censor.json({ ...failedReport(stack, [fault]), note: NOTE }));
    }
    progress('previewing on the local cloud');
    return { ...(await previewStack({ ...question, environment, directory })), note: NOTE };
  } finally {
    agent.kill();
    await sandbox.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bringUp(
  directory: string,
  environment: Record<string, string>,
  progress: PreviewQuestion['progress'],
): Promise<void> {
  const workspace = await LocalWorkspace.create({ workDir: directory, envVars: environment });
  await workspace.createStack(LOCAL_STACK);
  await update({
    stack: LOCAL_STACK,
    directory,
    environment,
    patience: 0,
    output: () => undefined,
    progress,
  });
}

/** An SSH agent of its own: the stack's file names no private key, and the checks of new machines need one. */
async function startAgent(folder: string): Promise<ChildProcess> {
  const agent = spawn('ssh-agent', ['-D', '-a', join(folder, AGENT_SOCKET)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // It says where it listens once it does.
  await once(agent.stdout, 'data');
  return agent;
}

/** State, keys and home in a folder; end points and credentials of the local cloud. */
async function prepare(
  variables: Record<string, string>,
  folder: string,
  { endpoints: { hetzner, tailscale, cloudflare } }: Sandbox,
): Promise<Record<string, string>> {
  for (const name of ['state', 'home', 'home/.ssh']) mkdirSync(join(folder, name));
  const home = join(folder, 'home');
  await promisify(execFile)('ssh-keygen', [
    '-q',
    '-t',
    'ed25519',
    '-N',
    '',
    '-f',
    join(home, '.ssh', 'id_ed25519'),
  ]);
  const agent = join(folder, AGENT_SOCKET);
  await promisify(execFile)('ssh-add', ['-q', join(home, '.ssh', 'id_ed25519')], {
    env: { ...process.env, SSH_AUTH_SOCK: agent },
  });
  const pulumiHome = variables['PULUMI_HOME'] ?? join(process.env['HOME'] ?? folder, '.pulumi');
  if (existsSync(join(pulumiHome, 'plugins'))) {
    cpSync(join(pulumiHome, 'plugins'), join(home, 'plugins'), { recursive: true, verbatimSymlinks: true });
  }
  // The engine inherits this process's variables, so those that open something are emptied and not left out.
  const emptied = Object.keys({ ...process.env, ...variables }).filter((name) => OPENS.test(name));
  return {
    ...variables,
    ...Object.fromEntries(emptied.map((name) => [name, ''])),
    HOME: home,
    SSH_AUTH_SOCK: agent,
    PULUMI_HOME: home,
    PULUMI_BACKEND_URL: `file://${join(folder, 'state')}`,
    PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
    HCLOUD_ENDPOINT: hetzner.url,
    HCLOUD_TOKEN: hetzner.token,
    TAILSCALE_BASE_URL: tailscale.url,
    TAILSCALE_OAUTH_CLIENT_ID: tailscale.oauthClientId,
    TAILSCALE_OAUTH_CLIENT_SECRET: tailscale.oauthClientSecret,
    CLOUDFLARE_BASE_URL: cloudflare.url,
    CLOUDFLARE_API_TOKEN: cloudflare.token,
  };
}
