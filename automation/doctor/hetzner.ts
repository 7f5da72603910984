import { z } from 'zod';
import type { StackConfig } from '../../components/model/config-schema';
import type { ConfigFault } from '../../components/model/errors';
import { sizeBounds } from '../../components/model/pool';
import { askHetzner } from '../../components/preflight';
import type { HetznerCredentials } from '../../components/preflight/credentials';
import { hetznerRequest } from '../../components/preflight/hetzner-list';
import { requestJson, VendorError, type VendorAnswer } from '../../components/preflight/http';
import { readPublicKeys } from '../../components/preflight/ssh-keys';
import { failed, note, ok, told, warning, type Finding } from './finding';
import { checkClock } from './machine';
import { answered, faultFindings, type VendorQuestion } from './vendor-question';

const OFFERS = /^worker-pools:/;

/** The token, what the project allows, the clock, the keys that go there, and what the pools want to order. */
export async function checkHetzner(asked: VendorQuestion): Promise<readonly Finding[]> {
  const { question, environment, config, credentials, knownPools } = asked;
  const { keys, faults: keyFaults } = readPublicKeys(config.access.sshKeys, question.project);
  const { faults, warnings } = await askHetzner({
    environment,
    config,
    credentials,
    directory: question.project,
    now: question.now() * 1000,
    knownPools: [...knownPools],
  });
  const offers = faults.filter(({ path }) => OFFERS.test(path));
  const access = faults.filter(({ path }) => !OFFERS.test(path));
  const project =
    access.length === 0 ? await answered('project', () => checkProject(asked)) : accessFindings(access);
  return [
    ...faultFindings('offers', offers),
    ...project,
    ...(keyFaults.length > 0
      ? faultFindings('SSH keys', keyFaults)
      : [ok('SSH keys', `${keys.length} found`)]),
    ...warnings.map((text) => told('offers', text, 'warning')),
    ...(faults.length + warnings.length === 0
      ? [ok('offers', 'every placement and image can be ordered')]
      : []),
  ];
}

/** A wrong token or end point is somebody's mistake; what the vendor could not do is not. */
function accessFindings(faults: readonly ConfigFault[]): Finding[] {
  return faults.flatMap((fault) =>
    faultFindings(fault.path.startsWith('hcloud:') ? 'token' : 'Hetzner', [fault]),
  );
}

const pageSchema = z.object({
  servers: z.array(z.unknown()),
  meta: z.object({ pagination: z.object({ total_entries: z.number().nullable() }) }),
});

async function checkProject({ question, config, credentials }: VendorQuestion): Promise<Finding[]> {
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
        warning(
          'requests',
          seen,
          'something else uses this project’s tokens: find it, or give this stack a project of its own',
        ),
      ];
}

function wantedAtMost({ pools, network }: StackConfig): string {
  const most = Object.values(pools).map((pool) => ({
    servers: sizeBounds(pool).max,
    addresses: pool.publicNetwork.ipv4,
  }));
  const gateway = network && !('stack' in network) && network.natGateway ? 1 : 0;
  const servers = most.reduce((sum, pool) => sum + pool.servers, gateway);
  const addresses = most.reduce((sum, pool) => sum + (pool.addresses ? pool.servers : 0), gateway);
  return `this stack may want up to ${servers} with ${addresses} public IPv4 addresses (every pool at max, the gateway); ask for as many in the console under Limits`;
}
