import type { FastifyInstance } from 'fastify';
import type { Registry } from '../registry/types';

/** One thing that has to be well for the service to be ready. */
export interface Check {
  readonly name: string;
  /** What is wrong and what to do; absent where all is well. */
  readonly problem?: string;
}

interface Readiness {
  readonly registry: Pick<Registry, 'ping'>;
  readonly readiness: () => readonly Check[];
}

/**
 * Whether a loop is alive: its last round, as leader or standing by, ended not long ago.
 *
 * @param lastRound seconds since 1970; undefined before the first
 * @param patience seconds; a few rounds and the longest update
 */
export function roundCheck(
  environment: string,
  { lastRound, now, patience }: { lastRound: number | undefined; now: number; patience: number },
): Check {
  const name = `rounds of ${environment}`;
  if (lastRound === undefined)
    return { name, problem: 'the first round has not ended yet; wait, or see the log' };
  const age = Math.round(now - lastRound);
  return age <= patience
    ? { name }
    : { name, problem: `the last round ended ${age} s ago, ${patience} s are allowed; see the log` };
}

/** `/readyz`: 200 when every check is well, else 503; the body lists each. */
export function registerReadiness(app: FastifyInstance, { registry, readiness }: Readiness): void {
  app.get('/readyz', async (_request, reply) => {
    const checks = [await ping(registry), ...readiness()];
    const ready = checks.every(({ problem }) => problem === undefined);
    return reply.code(ready ? 200 : 503).send({
      ready,
      checks: checks.map(({ name, problem }) => ({
        name,
        ok: problem === undefined,
        ...(problem === undefined ? {} : { problem }),
      })),
    });
  });
}

/** The database's own words stay in the log: they may name hosts and users. */
async function ping(registry: Pick<Registry, 'ping'>): Promise<Check> {
  const name = 'registry';
  try {
    await registry.ping();
    return { name };
  } catch {
    return { name, problem: 'the database does not answer; see the log, and check that it runs' };
  }
}
