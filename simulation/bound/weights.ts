import type { Job } from '../types';

/** Several jobs that are nearly the same. */
export interface WeightedJob extends Job {
  readonly weight: number;
}

/** Classes of service times within a factor of e: eight are 13 % apart. */
const CLASSES = 8;

/** Jobs that arrive in the same interval and take about as long become one, with their mean times and their number. */
export function lighten(jobs: readonly Job[], width: number): WeightedJob[] {
  const groups = new Map<string, { weight: number; arrival: number; service: number }>();
  for (const { arrival, service } of jobs) {
    const key = `${Math.floor(arrival / width)}/${Math.round(CLASSES * Math.log(service))}`;
    const group = groups.get(key) ?? { weight: 0, arrival: 0, service: 0 };
    group.weight += 1;
    group.arrival += arrival;
    group.service += service;
    groups.set(key, group);
  }
  return [...groups.values()].map(({ weight, arrival, service }) => ({
    weight,
    arrival: arrival / weight,
    service: service / weight,
  }));
}
