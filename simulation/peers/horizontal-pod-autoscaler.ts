/** Kubernetes' HorizontalPodAutoscaler (kubernetes.io, "Horizontal Pod Autoscaling": algorithm and default behaviour). */
export const SYNC_INTERVAL = 15;
const TOLERANCE = 0.1;
const SCALE_DOWN_STABILIZATION = 300;
const MOST_PODS_ADDED = 4;

/** Replicas for an external metric with an average target; within a tenth of the target the size is kept. */
export function recommend(metric: number, target: number, replicas: number): number {
  if (replicas > 0 && Math.abs(1 - metric / (target * replicas)) <= TOLERANCE) return replicas;
  return Math.ceil(metric / target);
}

/** Default scale-up policy: in 15 s at most twice the pods or four more, whichever is more. */
export function limitGrowth(recommended: number, replicas: number): number {
  return Math.min(recommended, replicas + Math.max(replicas, MOST_PODS_ADDED));
}

/** Default scale-down behaviour: the greatest recommendation of the last five minutes. */
export class Stabilization {
  #recommendations: { at: number; replicas: number }[] = [];

  apply(now: number, recommended: number): number {
    this.#recommendations = this.#recommendations.filter(({ at }) => at > now - SCALE_DOWN_STABILIZATION);
    this.#recommendations.push({ at: now, replicas: recommended });
    return Math.max(...this.#recommendations.map(({ replicas }) => replicas));
  }
}
