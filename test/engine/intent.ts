import { launch, type Membership } from '../../components/model/membership';
import type { Environment } from './harness';

/** The recorded membership with `more` workers in pool `ci`, as the scaling service would want it. */
export function launched(environment: Environment, more: number): Membership {
  const { membership, pools } = environment.record();
  const template = {
    serverType: 'cx33',
    location: 'fsn1',
    configHash: pools['ci']!.configHash,
    configHashVersion: 1,
    launchedAt: '2026-03-01T12:00:00.000Z',
    spread: true,
  };
  const launches = Array.from({ length: more }, () => template);
  return { ...membership, ci: launch('ci', membership['ci']!, launches) };
}
