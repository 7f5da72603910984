import type { StackConfig } from '../../components/model/config-schema';
import type { UserDataSize } from '../../components/model/user-data';
import type { ExistingServer } from '../../components/preflight/hetzner';
import { costReport, limitsReport, type Prices } from './cost';
import { askGuards, replacements } from './dangers';
import type { Plan } from './plan';
import { isChanged, poolReports } from './pools';
import type { Report, ResourceChange } from './report';
import { changedResources } from './resources';

/** Everything besides the plan that a report is made of. */
export interface Surroundings {
  stack: string;
  config: StackConfig;
  userData: readonly UserDataSize[];
  /** Workers' servers as the cloud has them. */
  servers: ExistingServer[];
  /** A sentence where they could not be read. */
  prices: Prices | string;
  /** Names whose removal was confirmed. */
  allowed: readonly string[];
}

const NOTHING_ROLLS =
  'Autoscaling is off (worker-pools:autoscaling.enabled), so nothing is rolled until it is on.';

/** A stack's report from its plan. Pure. */
export function assemble(plan: Plan, surroundings: Surroundings): Report {
  const { stack, config, userData, servers, prices, allowed } = surroundings;
  const broken = plan.violations.filter(({ level }) => level === 'mandatory').length > 0;
  // A plan against a policy is complete, but ends like a failed one.
  if (!plan.after || (plan.errors.length > 0 && !broken)) {
    return { ...failedReport(stack, plan.errors), warnings: plan.warnings, violations: plan.violations };
  }
  const workers = Object.values(plan.before?.membership ?? {}).flatMap(({ members }) => members).length;
  const resources = changedResources(plan.resources, workers);
  const pools = poolReports(config, plan, userData);
  const guards = askGuards(config, plan, servers, allowed);
  const dangers = [...guards.faults, ...replacements(resources)];
  const changes = pools.filter(isChanged).length + units(resources).length;
  const cost = typeof prices === 'string' ? null : costReport(config, plan.resources, prices);
  return {
    stack,
    verdict: broken || dangers.length > 0 ? 'dangerous' : changes > 0 ? 'changes' : 'unchanged',
    changes,
    faults: broken ? plan.errors : [],
    dangers,
    violations: plan.violations,
    warnings: [
      ...plan.warnings.filter((warning) => !guards.messages.includes(warning)),
      ...(typeof prices === 'string' ? [prices] : []),
      ...(!config.autoscaling.enabled && pools.some(({ drift }) => drift) ? [NOTHING_ROLLS] : []),
    ],
    pools,
    resources,
    cost,
    limits: limitsReport(config, plan.resources),
  };
}

/** A report of a stack that could not be previewed. */
export function failedReport(stack: string, faults: string[]): Report {
  return {
    stack,
    verdict: 'failed',
    changes: 0,
    faults: faults.length > 0 ? faults : ['the preview ended without a result'],
    dangers: [],
    violations: [],
    warnings: [],
    pools: [],
    resources: [],
    cost: null,
    limits: null,
  };
}

/** What people count: a worker that comes or goes is one thing, whatever it is made of. */
export function units(
  resources: readonly ResourceChange[],
): { worker: string | undefined; action: ResourceChange['action']; resources: ResourceChange[] }[] {
  const groups = new Map<string, ResourceChange[]>();
  for (const resource of resources) {
    const key = resource.worker ?? resource.urn;
    groups.set(key, [...(groups.get(key) ?? []), resource]);
  }
  return [...groups.values()].map((parts) => {
    const { worker, action } = parts[0]!;
    const server = parts.find(({ kind }) => kind === 'server');
    // A worker is its server: what else is done to its parts is an update of it.
    return { worker, action: worker === undefined ? action : (server?.action ?? 'update'), resources: parts };
  });
}
