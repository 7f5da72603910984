import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ConfigError, type ConfigFault } from '../components/model/errors';

/** What one service process is told at its start. Everything about pools is in the stacks' files instead. */
export interface Settings {
  readonly stacks: readonly string[];
  /** Folder with Pulumi.yaml and the stacks' files. */
  readonly project: string;
  /** Folder for the embedded database, the admin token, and the engine's own files. */
  readonly data: string;
  /** URL of a PostgreSQL database; the embedded one where absent. */
  readonly databaseUrl: string | undefined;
  readonly workers: Listener;
  /** `hostNames`: further names under which browsers reach it, e.g. through a proxy on this machine. */
  readonly admin: Listener & { readonly token: string; readonly hostNames?: readonly string[] };
  /** Watches, decides and explains; changes nothing, whatever the stacks say. */
  readonly dryRun: boolean;
  /** What the engine and its plugins see. */
  readonly environment: NodeJS.ProcessEnv;
}

export interface Listener {
  readonly host: string;
  readonly port: number;
}

/** As they stand on the command line of `serve`. */
export interface ServeFlags {
  stack: string[];
  listen: string;
  admin: string;
  adminName?: string[];
  data?: string;
  dryRun?: boolean;
}

export const DEFAULT_LISTEN = '127.0.0.1:8470';
export const DEFAULT_ADMIN = '127.0.0.1:8471';

/** What opens the stacks' state and their secrets. */
const ENGINE_SECRETS = [
  'PULUMI_CONFIG_PASSPHRASE',
  'PULUMI_ACCESS_TOKEN',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
] as const;

/** Secrets of this process. Each can be given as `NAME`, or as `NAME_FILE`: a file that only its owner can read. */
const SECRETS = [
  'WORKER_POOLS_DATABASE_URL',
  'WORKER_POOLS_ADMIN_TOKEN',
  'HCLOUD_TOKEN',
  'TAILSCALE_OAUTH_CLIENT_SECRET',
  'TAILSCALE_API_KEY',
  'CLOUDFLARE_API_TOKEN',
  ...ENGINE_SECRETS,
] as const;

/** @throws ConfigError with every fault found */
export function readSettings(flags: ServeFlags, variables: NodeJS.ProcessEnv, project: string): Settings {
  const faults: ConfigFault[] = [];
  const environment = withSecretFiles(variables, faults);
  const workers = parseListener('--listen', flags.listen, faults);
  const admin = parseListener('--admin', flags.admin, faults);
  if (admin && !isLoopback(admin.host)) {
    faults.push({
      path: '--admin',
      message: `${admin.host} is not a loopback address; the admin interface stays on this machine: use 127.0.0.1, and reach it from elsewhere with \`ssh -L 8471:127.0.0.1:8471\` or \`tailscale serve\``,
    });
  }
  const hostNames = parseHostNames(flags.adminName ?? [], faults);
  const databaseUrl = environment['WORKER_POOLS_DATABASE_URL'];
  if (databaseUrl !== undefined && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    faults.push({
      path: 'WORKER_POOLS_DATABASE_URL',
      message: 'must be a URL that begins with postgres:// or postgresql://',
    });
  }
  const data = resolve(flags.data ?? dataFolder(variables));
  if (faults.length > 0 || !workers || !admin) throw new ConfigError(faults, 'The service cannot start.');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  return {
    stacks: flags.stack,
    project,
    data,
    databaseUrl,
    workers,
    admin: { ...admin, hostNames, token: environment['WORKER_POOLS_ADMIN_TOKEN'] ?? ownAdminToken(data) },
    dryRun: flags.dryRun ?? false,
    environment: withLogin(environment),
  };
}

/** Where the service keeps its files unless told otherwise; systemd's StateDirectory where there is one. */
export function dataFolder(variables: NodeJS.ProcessEnv): string {
  return (
    variables['STATE_DIRECTORY'] ??
    join(variables['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'worker-pools')
  );
}

/** The token that a service on this machine made for itself; undefined where none ever ran with this folder. */
export function readOwnAdminToken(data: string): string | undefined {
  const file = join(data, ADMIN_TOKEN_FILE);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

/**
 * The environment in which the engine finds a person's `pulumi login`, though its home is another folder than theirs.
 * What the environment itself says comes first.
 */
export function withLogin(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (environment['PULUMI_CREDENTIALS_PATH'] !== undefined) return environment;
  const home = environment['PULUMI_HOME'] ?? join(environment['HOME'] ?? homedir(), '.pulumi');
  return existsSync(join(home, 'credentials.json'))
    ? { ...environment, PULUMI_CREDENTIALS_PATH: home }
    : environment;
}

/** The environment with every `NAME_FILE` read into `NAME`. Faults are added to the list. */
export function withSecretFiles(variables: NodeJS.ProcessEnv, faults: ConfigFault[]): NodeJS.ProcessEnv {
  const environment = { ...variables };
  for (const name of SECRETS) {
    const file = variables[`${name}_FILE`];
    if (!file) continue;
    try {
      const { mode } = statSync(file);
      if ((mode & (isCredential(file, variables) ? 0o037 : 0o077)) !== 0) {
        faults.push({
          path: `${name}_FILE`,
          message: `${file} can be read by others (mode ${(mode & 0o777).toString(8)}); make it \`chmod 600\``,
        });
        continue;
      }
      environment[name] = readFileSync(file, 'utf8').trim();
    } catch (error) {
      faults.push({ path: `${name}_FILE`, message: `${file} cannot be read (${reason(error)})` });
    }
  }
  return environment;
}

/** What no line may show of what opens state and secrets. */
export function engineSecrets(environment: NodeJS.ProcessEnv): (string | undefined)[] {
  return ENGINE_SECRETS.map((name) => environment[name]);
}

/** systemd gives its credentials to the service's user by an access list, whose mask shows as the group's right to read. */
function isCredential(file: string, variables: NodeJS.ProcessEnv): boolean {
  const folder = variables['CREDENTIALS_DIRECTORY'];
  return folder !== undefined && dirname(resolve(file)) === resolve(folder);
}

const ADMIN_TOKEN_FILE = 'admin-token';

function ownAdminToken(data: string): string {
  const known = readOwnAdminToken(data);
  if (known) return known;
  const token = randomBytes(32).toString('hex');
  const file = join(data, ADMIN_TOKEN_FILE);
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  return token;
}

/** `HOST:PORT`, `[v6]:PORT` or `PORT`. */
function parseListener(flag: string, text: string, faults: ConfigFault[]): Listener | undefined {
  const match = /^(?:(\[[0-9a-fA-F:]+\]|[^:\s[\]]+):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (!match || port > 65535) {
    faults.push({ path: flag, message: `"${text}" is not HOST:PORT, e.g. 127.0.0.1:8470` });
    return undefined;
  }
  return { host: (match[1] ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port };
}

/** Names as a browser sends them in `Host`, without port. */
function parseHostNames(names: readonly string[], faults: ConfigFault[]): string[] {
  for (const name of names) {
    if (HOST_NAME.test(name)) continue;
    faults.push({
      path: '--admin-name',
      message: `"${name}" is not a host name without scheme and port, e.g. pools.your-tailnet.ts.net`,
    });
  }
  return [...names];
}

const HOST_NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
