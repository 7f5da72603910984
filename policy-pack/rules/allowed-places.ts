import * as hcloud from '@pulumi/hcloud';
import { validateResourceOfType, type ResourceValidationPolicy } from '@pulumi/policy';

interface Allowed {
  serverTypes?: string[];
  locations?: string[];
}

/** An empty list allows everything. */
export function allowedPlaces(defaults: Allowed = {}): ResourceValidationPolicy {
  const list = { type: 'array' as const, items: { type: 'string' as const } };
  return {
    name: 'allowed-server-types',
    description: 'Servers are of the types, and in the locations, that config.json of the pack lists.',
    severity: 'medium',
    configSchema: { properties: { serverTypes: list, locations: list } },
    validateResource: validateResourceOfType(hcloud.Server, ({ serverType, location }, args, report) => {
      const { serverTypes = [], locations = [] } = { ...defaults, ...args.getConfig<Allowed>() };
      if (serverTypes.length > 0 && !serverTypes.includes(serverType)) {
        report(`is of type ${serverType}; allowed are ${serverTypes.join(', ')}`);
      }
      if (locations.length > 0 && !(location !== undefined && locations.includes(location))) {
        report(`is in ${location ?? 'any location'}; allowed are ${locations.join(', ')}`);
      }
    }),
  };
}
