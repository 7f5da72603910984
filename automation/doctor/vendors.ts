import { z } from 'zod';
import type { StackConfig } from '../../components/model/config-schema';
import { ConfigError, type ConfigFault } from '../../components/model/errors';
import { sizeBounds } from '../../components/model/pool';
import { checkTags, preflight } from '../../components/preflight';
import type { Credentials, HetznerCredentials } from '../../components/preflight/credentials';
import { hetznerRequest } from '../../components/preflight/hetzner-list';
import { requestJson, VendorError, type VendorAnswer } from '../../components/preflight/http';
import { openTailnet } from '../observe/tailnet';
import { failed, note, ok, told, type Finding } from './finding';
import { checkClock } from './machine';
import type { Question } from './question';

/** What the vendors are asked about. */
export interface VendorQuestion {
  readonly question: Question;
  readonly environment: string;
  readonly config: StackConfig;
  readonly credentials: Credentials;
  /** Pools that were ever up: what they use may be on its way out. */
  readonly knownPools: readonly string[];
}

export interface VendorFindings {
  readonly hetzner: readonly Finding[];
  readonly tailscale: readonly Finding[];
  readonly cloudflare: readonly Finding[];
}

/** The questions that an update asks before its plan, with what only a person wants to know beside. */
export async function checkVendors(asked: VendorQuestion): Promise<VendorFindings> {
  const { faults, warnings } = await askAsUpdatesDo(asked);
  const of = (pattern: RegExp): ConfigFault[] => faults.filter(({ path }) => pattern.test(path));
  const tailscaleFaults = of(/^(tailscale:|Tailscale$)/);
  const cloudflareFaults = of(/^(cloudflare:|Cloudflare$|worker-pools:dns)/);
  const hetznerFaults = faults.filter(
    (fault) => !tailscaleFaults.includes(fault) && !cloudflareFaults.includes(fault),
  );
  const findingsOf = (check: string, its: ConfigFault[]): Finding[] =>
    its.map(({ path, message }) => told(check, `${path}: ${message}`));
  const hasToken = !hetznerFaults.some(({ path }) => /^(hcloud:|Hetzner$)/.test(path));
  const [hetzner, tailscale] = await Promise.all([
    hasToken ? checkHetzner(asked) : [],
    tailscaleFaults.length === 0 ? checkTailscale(asked) : [],
  ]);
  const { dns } = asked.config;
  const isKeyFault = ({ path }: ConfigFault): boolean => path.startsWith('worker-pools:access.sshKeys');
  return {
    hetzner: [
      ...hetznerFaults.map(({ path, message }) =>
        told(
          isKeyFault({ path, message }) ? 'SSH keys' : path.startsWith('hcloud:') ? 'token' : 'offers',
          `${path}: ${message}`,
        ),
      ),
      ...hetzner,
      ...(hetznerFaults.some(isKeyFault)
        ? []
        : [ok('SSH keys', `${asked.config.access.sshKeys.length} found`)]),
      ...warnings.map((text) => told('offers', text, 'warning')),
      ...(hasToken && hetznerFaults.every(isKeyFault) && warnings.length === 0
        ? [ok('offers', 'every placement and image can be ordered')]
        : []),
    ],
    tailscale: [...findingsOf('client', tailscaleFaults), ...tailscale],
    cloudflare: dns
      ? cloudflareFaults.length > 0
        ? findingsOf('token', cloudflareFaults)
        : [ok('token', `taken, and sees the zone ${dns.zone}`)]
      : [],
  };
}

async function askAsUpdatesDo({
  question,
  environment,
  config,
  credentials,
  knownPools,
}: VendorQuestion): Promise<{ faults: ConfigFault[]; warnings: string[] }> {
  try {
    const { warnings } = await preflight({
      environment,
      config,
      credentials,
      directory: question.project,
      now: question.now() * 1000,
      knownPools: [...knownPools],
    });
    return { faults: [], warnings };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { faults: error.faults, warnings: [] };
  }
}

const pageSchema = z.object({
  servers: z.array(z.unknown()),
  meta: z.object({ pagination: z.object({ total_entries: z.number().nullable() }) }),
});

async function checkHetzner({ question, config, credentials }: VendorQuestion): Promise<Finding[]> {
  const { hetzner } = credentials;
  let headers = new Headers();
  const onAnswer = (answer: VendorAnswer): void => void (headers = answer.headers);
  const path = '/servers?per_page=1';
  const { meta } = await requestJson(hetznerRequest(hetzner, { path, schema: pageSchema }), { onAnswer });
  const now = question.now();
  const servers = meta.pagination.total_entries ?? 0;
  return [
    await checkWriting(hetzner),
    ...headroom(headers),
    note(
      'project limit',
      `the API does not tell it; there are ${servers} servers now, and ${wantedAtMost(config)}`,
    ),
    ...checkClock(headers.get('date'), now),
  ];
}

/**
 * Asks for an SSH key without a name and a key, of which nothing can come. A token that has just read and is turned away
 * now may read only; one that may write is told what is missing (docs.hetzner.cloud, "Errors": `token_readonly` and
 * `invalid_input`).
 */
async function checkWriting(credentials: HetznerCredentials): Promise<Finding> {
  const request = hetznerRequest(credentials, { path: '/ssh_keys', method: 'POST', schema: z.unknown() });
  const json = {
    ...request,
    body: '{}',
    headers: { ...request.headers, 'content-type': 'application/json' },
  };
  const status = await requestJson(json).then(
    () => undefined,
    (error: unknown) => (error instanceof VendorError ? error.status : undefined),
  );
  if (status === 401 || status === 403) {
    return failed(
      'token',
      'may read only',
      'make one with read and write access in the project, under Security',
    );
  }
  if (status === 422 || status === 400) return ok('token', 'may read and write');
  return note('token', 'may read; whether it may write could not be found out');
}

/** Of an hour's requests; below a fifth an update of many workers may have to wait. */
const SMALL_SHARE = 0.2;

function headroom(headers: Headers): Finding[] {
  const [limit, remaining] = ['ratelimit-limit', 'ratelimit-remaining'].map((name) =>
    Number(headers.get(name)),
  );
  if (!limit || remaining === undefined) return [];
  const seen = `${remaining} of ${limit} an hour left`;
  return remaining >= limit * SMALL_SHARE
    ? [ok('requests', seen)]
    : [
        {
          check: 'requests',
          level: 'warning',
          seen,
          next: 'something else uses this project’s tokens: find it, or give this stack a project of its own',
        },
      ];
}

function wantedAtMost({ pools, network }: StackConfig): string {
  const most = Object.values(pools).map((pool) => ({
    servers: sizeBounds(pool).max + pool.scaling.rollout.maxSurge,
    addresses: pool.publicNetwork.ipv4,
  }));
  const gateway = network && !('stack' in network) && network.natGateway ? 1 : 0;
  const servers = most.reduce((sum, pool) => sum + pool.servers, gateway);
  const addresses = most.reduce((sum, pool) => sum + (pool.addresses ? pool.servers : 0), gateway);
  return `this stack may want up to ${servers} with ${addresses} public IPv4 addresses (every pool at max, rollouts, gateway); ask for as many in the console under Limits`;
}

async function checkTailscale({
  question,
  environment,
  config,
  credentials,
}: VendorQuestion): Promise<Finding[]> {
  const { connectivity, tags } = config.access;
  if (connectivity !== 'tailscale') return [note('tailnet', 'not used: connectivity is direct')];
  const tailnet = openTailnet(credentials.tailscale, { environment, tags, now: question.now });
  const devices = await tailnet.devices().then(
    ({ items }) => [ok('devices', `can be read; ${items.length} of this stack`)],
    (error: unknown) => {
      if (!(error instanceof VendorError)) throw error;
      return [
        failed('devices', `cannot be read: ${error.message}`, 'give the OAuth client the scope devices:core'),
      ];
    },
  );
  return [
    ok('client', 'taken, and may read auth keys'),
    ...devices,
    await checkClientTags(question, { environment, config, credentials }),
  ];
}

async function checkClientTags(
  { project: directory, now, tryTags }: Question,
  asked: Pick<VendorQuestion, 'environment' | 'config' | 'credentials'>,
): Promise<Finding> {
  const tags = asked.config.access.tags.join(', ');
  if (!tryTags) {
    return note(
      'tags',
      `whether the client may give ${tags} is known only by making a key: --try-tags makes one and deletes it`,
    );
  }
  try {
    await checkTags({ ...asked, directory, now: now() * 1000 });
    return ok('tags', `the client may give ${tags}`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return told('tags', error.faults[0]!.message);
  }
}
