import { ConfigError, counted, type ConfigFault } from '../model/errors';
import type { StackConfig } from '../model/config-schema';
import { didYouMean } from '../model/near-matches';
import { CONFIG_NAMESPACE } from '../model/schema-faults';
import { readZones } from './cloudflare';
import type { Credentials } from './credentials';
import { readHetzner, type ExistingServer, type ServerType } from './hetzner';
import { VendorError } from './http';
import { checkPlacements, type Findings } from './placements';
import { planSshKeys, readPublicKeys, type SshKeyPlan } from './ssh-keys';
import { authorise, probeTags, readKeys } from './tailscale';

/** What the plan needs to know of the world before the first resource is declared. */
export interface Preflight {
  sshKeys: SshKeyPlan[];
  serverTypes: ServerType[];
  /** Servers in the project that carry this stack's labels: its workers, and its NAT machine. */
  servers: ExistingServer[];
  /** The network of another stack that this one hangs its workers on. */
  sharedNetwork: { id: number; cidr: string } | undefined;
  /** Id of the DNS zone at Cloudflare. */
  zoneId: string | undefined;
  warnings: string[];
}

export interface PreflightQuestion {
  environment: string;
  config: StackConfig;
  credentials: Credentials;
  /** Folder that relative key files are looked up in. */
  directory: string;
  /** Milliseconds since the epoch. */
  now: number;
  /** Logical names of what may be there although the latest update heard that its creation failed. */
  lost?: ReadonlySet<string>;
}

/** A question before a plan, with the pools that the stack has had already. */
export interface PlanQuestion extends PreflightQuestion {
  knownPools: string[];
  /** The caller chooses among what can be had: a placement or image that the vendor took away is a warning, and stops nothing else. */
  choosesPlacements?: boolean;
}

/**
 * Asks the three vendors, side by side, whether the plan can work. Only reads.
 * @throws ConfigError with every fault found, in the words of the stack's file
 */
export async function preflight(question: PlanQuestion): Promise<Preflight> {
  const { config, directory } = question;
  const files = readPublicKeys(config.access.sshKeys, directory);
  const [hetzner, tailscale, cloudflare] = await Promise.all([
    askHetzner(question),
    askTailscale(question),
    askCloudflare(question),
  ]);
  const faults = [...files.faults, ...hetzner.faults, ...tailscale, ...cloudflare.faults];
  if (faults.length > 0)
    throw new ConfigError(faults, `The plan was checked against the vendors and has ${counted(faults)}.`);
  return {
    sshKeys: planSshKeys(files.keys, hetzner.facts?.sshKeys ?? [], question.environment),
    serverTypes: hetzner.facts?.serverTypes ?? [],
    servers: hetzner.facts?.servers ?? [],
    sharedNetwork: hetzner.sharedNetwork,
    zoneId: cloudflare.zoneId,
    warnings: hetzner.warnings,
  };
}

/**
 * Asks whether the OAuth client may give the configured tags, by making a key and deleting it. To be called only when
 * workers are about to be launched.
 * @throws ConfigError when it may not
 */
export async function checkTags({ config, credentials }: PreflightQuestion): Promise<void> {
  try {
    await probeTags(credentials.tailscale, await authorise(credentials.tailscale), config.access.tags);
  } catch (error) {
    if (!(error instanceof VendorError)) throw error;
    throw new ConfigError([
      {
        path: `${CONFIG_NAMESPACE}:access.tags`,
        message: `Tailscale refuses ${config.access.tags.join(', ')}: ${error.message}. Give the OAuth client these tags (a client with several must be asked for all of them, or for one that its tag owns), or change the list`,
      },
    ]);
  }
}

/** What Hetzner has, and what of the plan it would refuse. */
export async function askHetzner(question: PlanQuestion) {
  const { environment, config, credentials, now } = question;
  const none = { facts: undefined, sharedNetwork: undefined, warnings: [] as string[] };
  const { token } = credentials.hetzner;
  if (token === undefined) {
    return { ...none, faults: [missing('hcloud:token', 'HCLOUD_TOKEN')] };
  }
  if (!isTransmittable(token)) return { ...none, faults: [unusable('hcloud:token')] };
  if (token.length !== 64) {
    return {
      ...none,
      faults: [
        {
          path: 'hcloud:token',
          message: `is not a Hetzner Cloud token: those have 64 characters, this one has ${token.length}`,
        },
      ],
    };
  }
  const shared = config.network && 'stack' in config.network ? config.network.stack : undefined;
  const networkName = shared?.split('/').at(-1);
  const imageNames = new Set(Object.values(config.pools).map((pool) => pool.image));
  if (config.network && !('stack' in config.network) && config.network.natGateway) {
    imageNames.add(config.network.natGateway.image);
  }
  try {
    const facts = await readHetzner(credentials.hetzner, {
      environment,
      imageNames: [...imageNames],
      ...(networkName === undefined ? {} : { networkName }),
    });
    const found = checkPlacements(config, facts, now, question.knownPools);
    const { faults, warnings } = question.choosesPlacements === true ? asWarnings(found) : found;
    const network = facts.networks[0];
    const subnet = network?.subnets[0];
    if (networkName !== undefined && !(network && subnet)) {
      faults.push({
        path: `${CONFIG_NAMESPACE}:network.stack`,
        message: `the project has no network "${networkName}" with a subnet; bring the stack ${shared} up first, with its own \`network\``,
      });
    }
    return {
      facts,
      warnings,
      faults,
      sharedNetwork: network && subnet ? { id: network.id, cidr: network.ip_range } : undefined,
    };
  } catch (error) {
    return { ...none, faults: [refused(error, 'hcloud:token', 'hcloud:endpoint', 'Hetzner')] };
  }
}

/** Whether the tailnet's credentials are taken. */
export async function askTailscale({
  config,
  credentials,
}: Pick<PreflightQuestion, 'config' | 'credentials'>): Promise<ConfigFault[]> {
  if (config.access.connectivity !== 'tailscale') return [];
  const { oauthClientId, oauthClientSecret, apiKey } = credentials.tailscale;
  if (apiKey === undefined) {
    const faults: ConfigFault[] = [];
    if (oauthClientId === undefined)
      faults.push(missing('tailscale:oauthClientId', 'TAILSCALE_OAUTH_CLIENT_ID'));
    if (oauthClientSecret === undefined) {
      faults.push(missing('tailscale:oauthClientSecret', 'TAILSCALE_OAUTH_CLIENT_SECRET'));
    }
    if (faults.length > 0) return faults;
  }
  if (apiKey !== undefined && !isTransmittable(apiKey)) return [unusable('tailscale:apiKey')];
  try {
    await readKeys(credentials.tailscale, await authorise(credentials.tailscale));
    return [];
  } catch (error) {
    return [
      refused(
        error,
        apiKey === undefined ? 'tailscale:oauthClientSecret' : 'tailscale:apiKey',
        'tailscale:baseUrl',
        'Tailscale',
      ),
    ];
  }
}

/** The zone's id, where the plan has names. */
export async function askCloudflare({
  config,
  credentials,
}: Pick<PreflightQuestion, 'config' | 'credentials'>): Promise<{
  zoneId: string | undefined;
  faults: ConfigFault[];
}> {
  if (!config.dns) return { zoneId: undefined, faults: [] };
  if (credentials.cloudflare.token === undefined) {
    return { zoneId: undefined, faults: [missing('cloudflare:apiToken', 'CLOUDFLARE_API_TOKEN')] };
  }
  if (!isTransmittable(credentials.cloudflare.token)) {
    return { zoneId: undefined, faults: [unusable('cloudflare:apiToken')] };
  }
  const { zone: name } = config.dns;
  try {
    const zones = await readZones(credentials.cloudflare, name);
    const zone = zones.find((candidate) => candidate.name === name);
    if (zone) return { zoneId: zone.id, faults: [] };
    const names = zones.map((candidate) => candidate.name);
    const seen =
      names.length === 0
        ? 'It sees no zone at all: check the token’s permissions.'
        : `It sees: ${names.slice(0, 5).join(', ')}.`;
    return {
      zoneId: undefined,
      faults: [
        {
          path: `${CONFIG_NAMESPACE}:dns.zone`,
          message: `the Cloudflare token sees no zone "${name}".${didYouMean(name, names)} ${seen}`,
        },
      ],
    };
  } catch (error) {
    return {
      zoneId: undefined,
      faults: [refused(error, 'cloudflare:apiToken', 'cloudflare:baseUrl', 'Cloudflare')],
    };
  }
}

function missing(key: string, variable: string): ConfigFault {
  return {
    path: key,
    message: `is missing: set it with \`pulumi config set --secret ${key}\`, or give ${variable} in the environment`,
  };
}

/** What fits into a header; for anything else the HTTP client's own error would quote it. */
function isTransmittable(token: string): boolean {
  return /^[\x21-\x7e]*$/.test(token);
}

function unusable(key: string): ConfigFault {
  return { path: key, message: 'contains characters that no token has, e.g. a line break; copy it again' };
}

function refused(error: unknown, tokenKey: string, urlKey: string, vendor: string): ConfigFault {
  if (!(error instanceof VendorError)) throw error;
  if (error.status === 401 || error.status === 403) {
    return {
      path: tokenKey,
      message: `${vendor} refuses it (${error.message}); make a new one for this environment and set it with \`pulumi config set --secret ${tokenKey}\``,
    };
  }
  if (error.status === undefined)
    return { path: urlKey, message: `${error.message}; is the end point right, and is there a network?` };
  return {
    path: vendor,
    message: `${vendor} could not answer the checks (${error.status}: ${error.message}); try again later`,
  };
}

function asWarnings({ faults, warnings }: Findings): Findings {
  return { faults: [], warnings: [...warnings, ...faults.map(({ path, message }) => `${path}: ${message}`)] };
}
