import type { Configuration, InspectGlobals } from '../policy/configuration.ts';
import { effectiveGlobals } from '../policy/defaults.ts';
import { without } from './lists.ts';

type Pair = { readonly low: ThresholdKey; readonly high: ThresholdKey };
export type ThresholdKey = 'maxIncompleteLow' | 'maxIncompleteHigh' | 'oneMinuteLow' | 'oneMinuteHigh';

const PAIRS: readonly Pair[] = [
  { low: 'maxIncompleteLow', high: 'maxIncompleteHigh' },
  { low: 'oneMinuteLow', high: 'oneMinuteHigh' },
];

export interface Settled {
  readonly configuration: Configuration;
  /** IOS's sentence for each value that was dragged along. */
  readonly messages: readonly string[];
}

/**
 * Keeps each low threshold at or below its high one. The value just typed stands and drags the other along; IOS never
 * refuses such a line, because the saved order (low before high) must load on any profile (cisco-ios 1.2, D-07).
 */
export function settleThresholds(configuration: Configuration, typed?: ThresholdKey): Settled {
  let settled: Settled = { configuration, messages: [] };
  for (const pair of PAIRS) {
    const before = effectiveGlobals(settled.configuration);
    const { [pair.low]: low, [pair.high]: high } = before;
    if (low <= high) continue;
    const dragged = typed === pair.low ? pair.high : pair.low;
    const value = typed === pair.low ? low : high;
    const others = without(settled.configuration.inspect, dragged);
    // Unlimited is not typed but the profile's default, so it is reached by leaving the field out.
    const inspect: InspectGlobals = value === Number.POSITIVE_INFINITY ? others : { ...others, [dragged]: value };
    const side = dragged === pair.low ? 'low' : 'high';
    const message = `%Also resetting ${side} threshold from [${show(before[dragged])}] to [${show(value)}]`;
    settled = {
      configuration: { ...settled.configuration, inspect },
      messages: [...settled.messages, message],
    };
  }
  return settled;
}

function show(value: number): string {
  return value === Number.POSITIVE_INFINITY ? 'unlimited' : String(value);
}
