import type { Configuration } from '../policy/configuration.ts';
import { type EffectiveGlobals, effectiveGlobals } from '../policy/defaults.ts';
import { usedInspections } from '../policy/zone-classify.ts';

/** What decides about half-open sessions. */
type Thresholds = Pick<
  EffectiveGlobals,
  | 'maxIncompleteLow'
  | 'maxIncompleteHigh'
  | 'oneMinuteLow'
  | 'oneMinuteHigh'
  | 'tcpMaxIncompleteHost'
  | 'tcpBlockTimeMinutes'
  | 'tcpSynwaitTimeSeconds'
>;

/**
 * The globals as the gate holds to them. There is one gate for all sessions, so with zones it gets the strictest of
 * what the parameter-maps of all zone-pairs ask for (cisco-ios 1.4), and of `ip inspect`'s where some interface has a
 * rule.
 */
export function gateGlobals(configuration: Configuration): EffectiveGlobals {
  const globals = effectiveGlobals(configuration);
  const inspections = usedInspections(configuration);
  if (inspections.length === 0) return globals;
  const classic = configuration.interfaces.some(
    ({ inspectIn, inspectOut }) => inspectIn !== undefined || inspectOut !== undefined,
  );
  const asked: readonly Thresholds[] = [
    ...(classic ? [globals] : []),
    ...inspections.map((inspection) => ({ ...inspection, tcpSynwaitTimeSeconds: inspection.synwaitSeconds })),
  ];
  const least = (of: keyof Thresholds): number => Math.min(...asked.map((one) => one[of]));
  const tcpMaxIncompleteHost = least('tcpMaxIncompleteHost');
  const blocking = asked.filter((one) => one.tcpMaxIncompleteHost === tcpMaxIncompleteHost);
  return {
    ...globals,
    alert: (classic && globals.alert) || inspections.some(({ alert }) => alert),
    logDropPackets: globals.logDropPackets || inspections.some(({ logDroppedPackets }) => logDroppedPackets),
    maxIncompleteLow: least('maxIncompleteLow'),
    maxIncompleteHigh: least('maxIncompleteHigh'),
    oneMinuteLow: least('oneMinuteLow'),
    oneMinuteHigh: least('oneMinuteHigh'),
    tcpMaxIncompleteHost,
    tcpBlockTimeMinutes: Math.max(...blocking.map((one) => one.tcpBlockTimeMinutes)),
    tcpSynwaitTimeSeconds: least('tcpSynwaitTimeSeconds'),
  };
}
