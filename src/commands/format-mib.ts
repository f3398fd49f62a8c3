import type { Statistics } from '../firewall/snapshot.ts';

/** Reasons for declining a connection before it is one. Those that count other packets too have no place here. */
const RESOURCE_REASONS: readonly string[] = ['flow-table-full', 'host-table-full', 'session-limit'];
const POLICY_REASONS: readonly string[] = ['host-blocked'];

/**
 * What CISCO-UNIFIED-FIREWALL-MIB calls the global connection statistics (cisco-ios 7), by its objects' names. Objects
 * that Postern has no exact count for (expired, aborted, embryonic) are left out rather than guessed.
 */
export interface ConnectionStatistics {
  readonly numAttempted: number;
  readonly numSetupsAborted: number;
  readonly numPolicyDeclined: number;
  readonly numResDeclined: number;
  readonly numHalfOpen: number;
  readonly numActive: number;
  /** Connections a second, over a minute and over five. */
  readonly connSetupRate1: number;
  readonly connSetupRate5: number;
}

export function connectionStatistics({ sessions, refusals }: Statistics): ConnectionStatistics {
  const sum = (reasons: readonly string[]): number => reasons.reduce((all, name) => all + (refusals[name] ?? 0), 0);
  const [policy, resources] = [sum(POLICY_REASONS), sum(RESOURCE_REASONS)];
  return {
    numAttempted: sessions.created,
    // The MIB counts the two kinds of declined connections among the aborted ones.
    numSetupsAborted: sessions.setupsAborted + policy + resources,
    numPolicyDeclined: policy,
    numResDeclined: resources,
    numHalfOpen: sessions.halfOpen,
    numActive: sessions.established,
    connSetupRate1: Math.round(sessions.setupRates.oneMinute),
    connSetupRate5: Math.round(sessions.setupRates.fiveMinutes),
  };
}

const TITLES: readonly (readonly [keyof ConnectionStatistics, string])[] = [
  ['numAttempted', 'Connections Attempted'],
  ['numSetupsAborted', 'Connections Setup Aborted'],
  ['numPolicyDeclined', 'Connections Policy Declined'],
  ['numResDeclined', 'Connections Resource Declined'],
  ['numHalfOpen', 'Connections Half Open'],
  ['numActive', 'Connections Active'],
  ['connSetupRate1', 'Connections 1-min Setup Rate'],
  ['connSetupRate5', 'Connections 5-min Setup Rate'],
];
const TITLE_COLUMNS = 40;

/** `show ip inspect mib connection-statistics`. */
export function mibLines(statistics: Statistics): readonly string[] {
  const values = connectionStatistics(statistics);
  return [
    'Connection statistics (CISCO-UNIFIED-FIREWALL-MIB)',
    ...TITLES.map(([name, title]) => `  ${title.padEnd(TITLE_COLUMNS)} ${values[name]}`),
  ];
}
