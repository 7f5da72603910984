import { PARAMETERS, type Parameters } from '../../automation/decide';
import { keda, leaseSlo } from '../../simulation/peers';
import type { SimulatedPolicy } from '../../simulation/types';

/** LEASE-SLO with one part changed: what that part is worth. */
export function ablations(): SimulatedPolicy[] {
  const without = (name: string, change: Partial<Parameters>): SimulatedPolicy =>
    leaseSlo(name, { ...PARAMETERS, ...change });
  const fixed = (initial: number): SimulatedPolicy =>
    without(`tolerance fixed at ${initial}`, {
      toleranceGain: 0,
      tolerance: { ...PARAMETERS.tolerance, initial },
    });
  return [
    leaseSlo(),
    without('release as soon as idle', { hourEndMargin: 3600 }),
    without('margin of 180 s', { hourEndMargin: 180 }),
    ...[1, 2, 4].map(fixed),
    without(PARAMETERS.boundaryDrain > 0 ? 'no drain before the hour’s end' : 'drain before the hour’s end', {
      boundaryDrain: PARAMETERS.boundaryDrain > 0 ? 0 : 0.5,
    }),
    without('no forecast', { forecast: false }),
    without('patience of an hour with boots', { neverReady: { factor: 20, min: 3600, max: 3600 } }),
  ];
}

/** What KEDA's formula could be set to. */
export const KEDA_TARGETS = [1, 2, 3, 4, 5, 6, 8, 10, 14, 20];

export function kedaVariants(releaseAtHourEnd: boolean): SimulatedPolicy[] {
  return KEDA_TARGETS.map((target) => keda({ name: `target ${target}`, target, releaseAtHourEnd }));
}
