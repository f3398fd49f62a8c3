import type {
  Configuration,
  InspectionRule,
  InterfaceConfiguration,
  ProtocolInspection,
} from '../policy/configuration.ts';
import { type EffectiveInspection, effectiveGlobals, effectiveInspection, findRule } from '../policy/defaults.ts';

/** `show ip inspect config` (cisco-ios 5.2): the classic profile prints what the seed guide's release printed. */
export function configLines(configuration: Configuration): readonly string[] {
  const globals = effectiveGlobals(configuration);
  const classic = (configuration.postern.defaults ?? 'classic') === 'classic';
  const pair = (low: number, high: number): string => `[${limit(low)}${classic ? ':' : ' : '}${limit(high)}]`;
  const alert = `Session alert is ${globals.alert ? 'enabled' : 'disabled'}`;
  const reassembly =
    `tcp reassembly queue length ${globals.reassemblyQueueLength}; timeout ${globals.reassemblyTimeoutSeconds} sec; ` +
    `memory-limit ${globals.reassemblyMemoryLimitKilobytes} kilo bytes`;
  return [
    `Session audit trail is ${globals.auditTrail ? 'enabled' : 'disabled'}`,
    ...(classic ? [] : [alert]),
    `one-minute (sampling period) thresholds are ${pair(globals.oneMinuteLow, globals.oneMinuteHigh)} connections`,
    `max-incomplete sessions thresholds are ${pair(globals.maxIncompleteLow, globals.maxIncompleteHigh)}`,
    `max-incomplete tcp connections per host is ${limit(globals.tcpMaxIncompleteHost)}. ` +
      `Block-time ${globals.tcpBlockTimeMinutes} minute.`,
    `tcp synwait-time is ${globals.tcpSynwaitTimeSeconds} sec -- tcp finwait-time is ${globals.tcpFinwaitTimeSeconds} sec`,
    `tcp idle-time is ${globals.tcpIdleTimeSeconds} sec -- udp idle-time is ${globals.udpIdleTimeSeconds} sec`,
    ...(classic ? [] : [reassembly]),
    `dns-timeout is ${globals.dnsTimeoutSeconds} sec`,
    'Inspection Rule Configuration',
    ...configuration.rules.flatMap((rule) => ruleLines(configuration, rule)),
  ];
}

/** One rule's block, as `show ip inspect name` and the configuration print it. */
export function ruleLines(configuration: Configuration, rule: InspectionRule): readonly string[] {
  return [
    ` Inspection name ${rule.name}`,
    ...rule.protocols.map((entry) => `    ${entry.protocol} ${protocolWords(configuration, entry)}`),
  ];
}

/** `show ip inspect interfaces` (cisco-ios 5.3). */
export function interfacesLines(configuration: Configuration): readonly string[] {
  return [
    'Interface Configuration',
    ...configuration.interfaces.flatMap((entry) => interfaceBlock(configuration, entry)),
  ];
}

function interfaceBlock(configuration: Configuration, entry: InterfaceConfiguration): readonly string[] {
  return [
    ` Interface ${entry.name}`,
    ...ruleUse(configuration, 'Inbound', entry.inspectIn),
    ...ruleUse(configuration, 'Outgoing', entry.inspectOut),
    `  Inbound access list is ${entry.accessGroupIn ?? 'not set'}`,
    `  Outgoing access list is ${entry.accessGroupOut ?? 'not set'}`,
  ];
}

function ruleUse(configuration: Configuration, direction: string, name: string | undefined): readonly string[] {
  const rule = name === undefined ? undefined : findRule(configuration, name);
  const width = Math.max(0, ...(rule?.protocols ?? []).map((entry) => entry.protocol.length));
  return [
    `  ${direction} inspection rule is ${name ?? 'not set'}`,
    ...(rule?.protocols ?? []).map(
      (entry) => `    ${entry.protocol.padEnd(width)} ${protocolWords(configuration, entry)}`,
    ),
  ];
}

/** The options that a protocol has beyond alert, audit trail and timeout stand right behind its name (D-60). */
function protocolWords(configuration: Configuration, entry: ProtocolInspection): string {
  if (entry.protocol === 'fragment') {
    const timeout = entry.timeoutSeconds ?? FRAGMENT_TIMEOUT_SECONDS;
    return `maximum ${entry.maximum ?? FRAGMENTS_MAX} timeout ${timeout}`;
  }
  const effective = effectiveInspection(configuration, entry);
  return [
    ...(isSmtp(effective) ? [`max-data ${effective.maxDataBytes}`] : []),
    ...(effective.reset ? ['reset'] : []),
    ...(effective.secureLogin ? ['secure-login'] : []),
    ...(entry.lineEndings === undefined ? [] : [`line-endings ${effective.lineEndings}`]),
    ...(entry.tlsMinimumVersion === undefined ? [] : [`tls minimum-version ${entry.tlsMinimumVersion}`]),
    ...(effective.requireTls === 'never' ? [] : [`require-tls ${effective.requireTls}`]),
    `alert is ${effective.alert ? 'on' : 'off'}`,
    `audit-trail is ${effective.auditTrail ? 'on' : 'off'}`,
    ...(effective.routerTraffic ? ['router-traffic'] : []),
    `timeout ${effective.timeoutSeconds}`,
  ].join(' ');
}

/** What IOS fills in for `fragment`. */
const FRAGMENTS_MAX = 256;
const FRAGMENT_TIMEOUT_SECONDS = 1;

function isSmtp({ protocol }: EffectiveInspection): boolean {
  return protocol === 'smtp' || protocol === 'esmtp';
}

function limit(value: number): string {
  return value === Number.POSITIVE_INFINITY ? 'unlimited' : String(value);
}
