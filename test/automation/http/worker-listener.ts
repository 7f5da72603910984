import { workerToken } from '../../../components/model/worker-machine';
import { createMetrics } from '../../../automation/http/metrics';
import type { ServedStack } from '../../../automation/http/stacks';
import { startWorkerApi } from '../../../automation/http/worker-api';
import { createCensor } from '../../../automation/censor';
import { createLog } from '../../../automation/log';
import { memoryRegistry } from './memory-registry';
import { NOW } from './status';

export const SECRET = 'registration-secret-of-the-tests';

export interface Answer {
  status: number;
  body: string;
  headers: Headers;
}

/** The worker API on a free port with a registry in memory, a clock by hand, and two pools of one stack. */
export async function workerListener() {
  const registry = memoryRegistry();
  const metrics = createMetrics();
  const lines: string[] = [];
  const woken: string[] = [];
  const clock = { now: NOW };
  const stacks = new Map<string, ServedStack>([
    [
      'staging',
      {
        registrationSecrets: [SECRET],
        pools: new Map([
          ['ci', { slots: 4, kind: 'postgres', min: 0, max: 40 }],
          ['dev', { slots: 1, kind: 'slots', min: 0, max: 5 }],
        ]),
      },
    ],
  ]);
  const { url, close } = await startWorkerApi({
    host: '127.0.0.1',
    port: 0,
    stacks: () => stacks,
    registry,
    now: () => clock.now,
    log: createLog({ write: (line) => void lines.push(line) }, 'info', createCensor(SECRET)),
    metrics,
    wake: (environment) => woken.push(environment),
    streamInterval: 0.01,
  });
  const call = async (
    method: string,
    path: string,
    { token, body, raw, type }: { token?: string; body?: unknown; raw?: string; type?: string } = {},
  ): Promise<Answer> => {
    const text = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(text === undefined ? {} : { 'content-type': type ?? 'application/json' }),
      },
      ...(text === undefined ? {} : { body: text }),
    });
    return { status: response.status, body: await response.text(), headers: response.headers };
  };
  return { registry, metrics, lines, woken, clock, stacks, url, close, call };
}

export type WorkerListener = Awaited<ReturnType<typeof workerListener>>;

export const worker = { environment: 'staging', pool: 'ci', worker: 'ci-000a' };
export const registration = {
  ...worker,
  at: NOW,
  hostname: 'staging-ci-000a',
  slots: 4,
  address: '100.64.0.7',
};

export function tokenOf({ environment, pool, worker: id }: typeof worker): string {
  return workerToken(SECRET, { environment, pool, id });
}

/** Value of a counter or gauge; 0 where there is no such series. */
export async function counted(
  { metrics }: Pick<WorkerListener, 'metrics'>,
  name: string,
  labels: Record<string, string>,
): Promise<number> {
  const metric = (await metrics.registry.getMetricsAsJSON()).find((candidate) => candidate.name === name);
  const sample = metric?.values.find((value) =>
    Object.entries(labels).every(([label, expected]) => value.labels[label] === expected),
  );
  return sample?.value ?? 0;
}
