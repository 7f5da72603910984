import type { StackValidationPolicy } from '@pulumi/policy';
import { z } from 'zod';
import { stackOf, type ReadStackFile } from '../stack-file';

const sizes = z.record(
  z.string(),
  z.object({
    size: z.object({ max: z.number().optional(), fixed: z.number().optional() }).optional(),
  }),
);
const budget = z.object({ hourly: z.number().optional(), monthly: z.number().optional() });

export function boundsPresent(read: ReadStackFile): StackValidationPolicy {
  return {
    name: 'bounds-present',
    description: 'Every pool has a largest size.',
    severity: 'high',
    validateStack: ({ resources }, report) => {
      const file = resources[0] && read(stackOf(resources[0].urn));
      const pools = sizes.safeParse(file?.config['worker-pools:pools'] ?? {}).data ?? {};
      for (const [name, { size }] of Object.entries(pools)) {
        if (size?.max === undefined && size?.fixed === undefined) {
          report(
            `${file!.name}: pool ${name} has no largest size; give it \`size: { min, max }\` or { fixed }`,
          );
        }
      }
    },
  };
}

export function budgetPresent(read: ReadStackFile): StackValidationPolicy {
  return {
    name: 'budget-present',
    description: 'The stack says what it may cost.',
    severity: 'medium',
    validateStack: ({ resources }, report) => {
      const file = resources[0] && read(stackOf(resources[0].urn));
      if (!file) return;
      const { hourly, monthly } = budget.safeParse(file.config['worker-pools:budget'] ?? {}).data ?? {};
      if (hourly === undefined && monthly === undefined) {
        report(`${file.name}: worker-pools:budget is missing; give it hourly or monthly (EUR gross)`);
      }
    },
  };
}
