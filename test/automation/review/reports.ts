import { reportSchema, type Report, type ResourceChange } from '../../../automation/review/report';

/** A stack with one pool, of which nothing changes. */
export const unchanged: Report = reportSchema.parse({
  stack: 'staging',
  verdict: 'unchanged',
  changes: 0,
  faults: [],
  dangers: [],
  violations: [],
  warnings: [],
  pools: [
    {
      name: 'ci',
      min: { before: 3, after: 3 },
      max: { before: 20, after: 20 },
      size: { before: 12, after: 12 },
      fixed: false,
      drift: null,
      userData: { bytes: 3496, limit: 32768 },
    },
  ],
  resources: [],
  cost: {
    now: { hourly: 0.2, monthly: 120 },
    after: { hourly: 0.2, monthly: 120 },
    atMax: { hourly: 0.4, monthly: 240 },
    budget: { hourly: 1 },
    exceeded: [],
  },
  limits: { servers: 20, primaryIpv4: 20, project: null },
});

export function changed(changes: Partial<Report>): Report {
  return { ...unchanged, verdict: 'changes', changes: 1, ...changes };
}

export function resource(changes: Partial<ResourceChange>): ResourceChange {
  const { kind = 'server', name = 'ci-0001-server' } = changes;
  return {
    action: 'update',
    kind,
    name,
    urn: `urn:pulumi:staging::worker-pools::x::${name}`,
    properties: [],
    ...changes,
  };
}
