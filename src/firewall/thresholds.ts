/**
 * Aggressive mode (cisco-ios 3.2, 3.3): when half-open sessions, or new ones a minute, pass their high threshold, and
 * when both are below their low one again. Pure: state, limits, what was counted and the time in; new state and
 * decisions out.
 */
export interface ThresholdLimits {
  /** `Infinity` is IOS's `unlimited`: it is never passed. */
  readonly maxIncompleteHigh: number;
  readonly maxIncompleteLow: number;
  readonly oneMinuteHigh: number;
  readonly oneMinuteLow: number;
}

/** What was counted since the last sample. */
export interface ThresholdSample {
  readonly halfOpen: number;
  /** The most since the last sample: between two samples a burst can come and go. */
  readonly halfOpenPeak: number;
  /** New sessions since the last sample. */
  readonly attempts: number;
}

export interface ThresholdState {
  /** New sessions a minute, decaying; `publishedRate` is the number that is compared and told. */
  readonly rate: number;
  readonly sampledAtMs: number;
  readonly aggressive: boolean;
}

/** Aggressive mode begins or ends, with the numbers of its message. */
export interface ThresholdDecision {
  readonly kind: 'aggressive' | 'calm';
  readonly halfOpen: number;
  /** `max-incomplete high` where it begins, `low` where it ends, whichever threshold decided. */
  readonly limit: number;
  readonly rate: number;
}

export interface ThresholdStep {
  readonly state: ThresholdState;
  readonly decision?: ThresholdDecision;
}

/** The time in which the rate of an attack that has ended falls to 1/e (D-20). */
const RATE_DECAY_MS = 60_000;

export function initialThresholds(nowMs: number): ThresholdState {
  return { rate: 0, sampledAtMs: nowMs, aggressive: false };
}

/** The estimate as it is told, a whole number (D-20). A steady flow of n sessions a minute converges to n. */
export function publishedRate({ rate }: ThresholdState): number {
  return Math.floor(rate);
}

/** One sample: strictly above to begin, strictly below to end (3.3). A time before the last sample's counts as that. */
export function stepThresholds(
  before: ThresholdState,
  limits: ThresholdLimits,
  sample: ThresholdSample,
  nowMs: number,
): ThresholdStep {
  const elapsedMs = Math.max(0, nowMs - before.sampledAtMs);
  const state: ThresholdState = {
    rate: before.rate * Math.exp(-elapsedMs / RATE_DECAY_MS) + sample.attempts,
    sampledAtMs: Math.max(nowMs, before.sampledAtMs),
    aggressive: before.aggressive,
  };
  const rate = publishedRate(state);
  if (!before.aggressive) {
    const most = Math.max(sample.halfOpen, sample.halfOpenPeak);
    const crowded = most > limits.maxIncompleteHigh;
    if (!crowded && rate <= limits.oneMinuteHigh) return { state };
    const halfOpen = crowded ? most : sample.halfOpen;
    const decision = { kind: 'aggressive', halfOpen, limit: limits.maxIncompleteHigh, rate } as const;
    return { state: { ...state, aggressive: true }, decision };
  }
  if (sample.halfOpen >= limits.maxIncompleteLow || rate >= limits.oneMinuteLow) return { state };
  const decision = { kind: 'calm', halfOpen: sample.halfOpen, limit: limits.maxIncompleteLow, rate } as const;
  return { state: { ...state, aggressive: false }, decision };
}
