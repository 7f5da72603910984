import { isIP } from 'node:net';
import { z } from 'zod';
import { AdminClient, ServiceError } from '../commands/admin-client';
import { shortDuration } from '../commands/duration';
import { failed, note, ok, told, warning, type Finding } from './finding';
import type { Question } from './question';

const readinessSchema = z.object({
  ready: z.boolean(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), problem: z.string().optional() })),
});

/** Whether the service runs, is well, serves this stack, and takes our admin token. */
export async function checkService(question: Question, signal: AbortSignal): Promise<Finding[]> {
  const { service, stack } = question;
  const answer = await fetch(`${service.replace(/\/+$/, '')}/readyz`, { signal }).catch(() => undefined);
  if (answer === undefined) {
    const seen = `nothing answers at ${service}: it does not run, or elsewhere`;
    return [
      warning(
        'service',
        seen,
        `start it with \`worker-pools serve --stack ${stack}\`, or name its admin interface with --service`,
      ),
    ];
  }
  const read = readinessSchema.safeParse(await answer.json().catch(() => undefined));
  if (!read.success) {
    const seen = `something else than the service answers at ${service} (${answer.status})`;
    return [failed('service', seen, 'give its admin interface with --service')];
  }
  const problems = read.data.checks.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [told('service', `${name}: ${problem}`)],
  );
  const ready = problems.length > 0 ? problems : [ok('service', `runs at ${service} and is ready`)];
  return [...ready, ...(await checkAdmin(question))];
}

async function checkAdmin({ service, adminToken, stack, data, now }: Question): Promise<Finding[]> {
  if (adminToken === undefined) {
    return [
      warning(
        'admin token',
        `none: neither WORKER_POOLS_ADMIN_TOKEN nor ${data}/admin-token`,
        'run this as the user of the service, or give its token',
      ),
    ];
  }
  try {
    const client = new AdminClient(service, adminToken);
    const { status, verdict } = await client.status(await client.stack(stack));
    const age = status && `${shortDuration(Math.max(0, now() - status.at))} ago, by ${status.leader}`;
    const published = status ? `published ${age}: ${verdict.text}` : verdict.text;
    return [
      ok('admin token', 'taken'),
      verdict.level === 'ok'
        ? ok('status', published)
        : warning('status', published, `worker-pools status --stack ${stack} says more`),
    ];
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return [told('admin token', error.message)];
  }
}

/** Whether workers could reach the service under the address that they are told. */
export async function checkWorkerUrl(url: string | undefined, signal: AbortSignal): Promise<Finding[]> {
  if (url === undefined) {
    return [note('service.url', 'not set: workers have no heartbeat, so none can be known to be busy')];
  }
  const answer = await fetch(`${url.replace(/\/+$/, '')}/healthz`, { signal }).catch(() => undefined);
  const text = await answer?.text().catch(() => '');
  const reached =
    answer?.ok && text === 'ok'
      ? ok('service.url', `${url} is reached from here`)
      : warning(
          'service.url',
          answer === undefined
            ? `${url} does not answer here`
            : `${url} is answered by something else (${answer.status})`,
          'let it lead to --listen of the service; workers may reach what this machine does not',
        );
  return isPublicPlain(url)
    ? [
        reached,
        warning(
          'service.url',
          'http:// on a public name: tokens cross the internet in the clear',
          'give it a certificate and https://, or an address of the tailnet or the private network',
        ),
      ]
    : [reached];
}

/** Names of the tailnet, of a private network and of this machine are not public. */
export function isPublicPlain(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'http:') return false;
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 4)
    return !/^(10|127|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(host);
  if (isIP(host) === 6) return !/^(::1$|f[cd]|fe80)/.test(host);
  return host.includes('.') && !/\.(ts\.net|internal|local|localhost|lan)$/.test(host);
}
