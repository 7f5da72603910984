/** The policy's constants: one set for every workload. Frozen by the benchmark that `docs/policy.md` reports. */
export interface Parameters {
  /** Share of late jobs that the tolerance is steered to; less than the share allowed, since it varies by day. */
  readonly lateTarget: number;
  /** How fast the tolerance follows misses; 0 keeps it. Above 0.05 it hunts. */
  readonly toleranceGain: number;
  /** Jobs a slot is trusted to take on within the target: first value and bounds. */
  readonly tolerance: { readonly initial: number; readonly min: number; readonly max: number };
  /**
   * Share of the target wait within which a queued job is planned to start: `least` at a tolerance of 1, more by
   * `slope` for each more. What is planned is more cautious than what happens, so a share above 1 can still be in time;
   * where it is not, the tolerance falls and takes the share with it.
   */
  readonly deadlineShare: { readonly least: number; readonly slope: number; readonly most: number };
  /** Within which share of the target a job is planned to start that no launch can save any more. */
  readonly recoveryShare: number;
  /** Quantile of recent boot times that a new worker is planned with. */
  readonly bootQuantile: number;
  /** Boot time assumed before any was seen, seconds. */
  readonly bootPrior: number;
  /** Seconds before the end of a paid hour at which an idle worker is released. */
  readonly hourEndMargin: number;
  /** A boot that takes longer than `factor` times the usual one, within these bounds in seconds, has failed; the first only
   *  after `max`. */
  readonly neverReady: { readonly factor: number; readonly min: number; readonly max: number };
  /** Stops taking jobs this quantile of service times before the hour's end, where the rest can do without; 0: never. */
  readonly boundaryDrain: number;
  /** Such a worker is spared only where the rest is at least this many times what the arrivals keep busy. */
  readonly drainReserve: number;
  /** Whether bursts that recur with a period are prepared for. */
  readonly forecast: boolean;
}

export const PARAMETERS: Parameters = {
  lateTarget: 0.03,
  toleranceGain: 0.03,
  tolerance: { initial: 1.7, min: 1, max: 8 },
  deadlineShare: { least: 0.9, slope: 0.2, most: 1.2 },
  recoveryShare: 0.8,
  bootQuantile: 0.8,
  bootPrior: 150,
  hourEndMargin: 45,
  neverReady: { factor: 3, min: 240, max: 600 },
  boundaryDrain: 0.5,
  drainReserve: 1.3,
  forecast: true,
};

/** Hetzner bills each started hour of a server (docs.hetzner.com, Cloud, Billing FAQ). */
export const PAID_HOUR = 3600;
