import type { ResourceValidationPolicy } from '@pulumi/policy';
import { stackLabels } from '../../components/model/labels';
import { stackOf } from '../stack-file';

/** What Hetzner keeps labels of, and this program makes. */
const LABELLED = ['server', 'firewall', 'network', 'placementGroup', 'sshKey'].map(
  (type) => `hcloud:index/${type}:${type[0]!.toUpperCase()}${type.slice(1)}`,
);

/** Only what carries our labels is ever counted, swept or adopted: a resource without them is nobody's. */
export function ownershipLabels(): ResourceValidationPolicy {
  return {
    name: 'ownership-labels',
    description: 'Everything at Hetzner says by its labels whose it is; a server also which worker it is.',
    severity: 'high',
    validateResource: ({ type, urn, props }, report) => {
      if (!LABELLED.includes(type)) return;
      const labels = (props['labels'] ?? {}) as Record<string, unknown>;
      const missing = Object.entries(stackLabels(stackOf(urn)))
        .filter(([key, value]) => labels[key] !== value)
        .map(([key, value]) => `${key}=${value}`);
      if (type === LABELLED[0] && !('worker-id' in labels && 'pool' in labels) && !('role' in labels)) {
        missing.push('pool and worker-id, or role');
      }
      if (missing.length > 0) report(`lacks the labels ${missing.join(', ')}`);
    },
  };
}
