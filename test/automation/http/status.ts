import type { PoolStatus, StackStatus } from '../../../automation/status';

type Worker = PoolStatus['workers'][number];

export const NOW = 1_790_000_000;

export function workerStatus(id: string, changes: Partial<Worker> = {}): Worker {
  return {
    id,
    status: 'ready',
    serverType: 'cx33',
    location: 'fsn1',
    created: NOW - 1800,
    busy: 0,
    slots: 4,
    drifted: false,
    address: '100.64.0.7',
    seenAt: NOW - 4,
    hourly: 0.0113,
    ...changes,
  };
}

export function poolStatus(changes: Partial<PoolStatus> = {}): PoolStatus {
  return {
    min: 0,
    max: 40,
    slots: 4,
    targetWait: 300,
    desired: 3,
    drifted: 0,
    queue: { kind: 'postgres', readAt: NOW - 2, waiting: 7, running: 5, oldestAge: 42 },
    reasons: ['7 jobs wait, 3 workers end them within 300 s'],
    workers: [
      workerStatus('ci-0001', { busy: 3 }),
      workerStatus('ci-0002', { busy: 2 }),
      workerStatus('ci-0003', { status: 'booting', seenAt: undefined, address: undefined }),
    ],
    hourly: 0.0339,
    ...changes,
  };
}

export function stackStatus(changes: Partial<StackStatus> = {}): StackStatus {
  return {
    environment: 'staging',
    at: NOW - 2,
    leader: 'pools-1 (4711)',
    enabled: true,
    dryRun: false,
    pools: { ci: poolStatus() },
    update: { lastAt: NOW - 600, lastSeconds: 14.2, lastOutcome: 'succeeded' },
    api: { limit: 3600, remaining: 3421, resetAt: NOW + 179 },
    cost: { hourly: 0.0339, month: 12.4, hourlyBudget: 1, monthlyBudget: 200 },
    deprecations: [],
    alarms: [],
    ...changes,
  };
}
