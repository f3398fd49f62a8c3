import type { Configuration, ParameterMap } from '../policy/configuration.ts';
import { describeGlob, engineExpression, isGlob } from '../policy/pattern.ts';
import { zoneInspection } from '../policy/zone-classify.ts';
import type { ZoneInspection } from '../policy/zone-decision.ts';

/** `show parameter-map type inspect`: every value as it holds, in the order of the captures (cisco-ios 5.10). */
export function inspectMapLines(configuration: Configuration, name: string): readonly string[] {
  const holds = zoneInspection(configuration, name);
  const time = (seconds: number): string => `${seconds} ageout-time ${seconds}`;
  return [
    ` parameter-map type inspect ${name}`,
    `  audit-trail ${onOff(holds.auditTrail)}`,
    `  alert ${onOff(holds.alert)}`,
    `  max-incomplete low  ${limit(holds.maxIncompleteLow)}`,
    `  max-incomplete high ${limit(holds.maxIncompleteHigh)}`,
    `  one-minute low  ${limit(holds.oneMinuteLow)}`,
    `  one-minute high ${limit(holds.oneMinuteHigh)}`,
    `  udp idle-time ${time(holds.udpIdleSeconds)}`,
    `  icmp idle-time ${time(holds.icmpIdleSeconds)}`,
    `  dns-timeout ${holds.dnsTimeoutSeconds}`,
    `  tcp idle-time ${time(holds.tcpIdleSeconds)}`,
    `  tcp finwait-time ${time(holds.finwaitSeconds)}`,
    `  tcp synwait-time ${time(holds.synwaitSeconds)}`,
    `  tcp max-incomplete host ${limit(holds.tcpMaxIncompleteHost)} block-time ${holds.tcpBlockTimeMinutes}`,
    `  sessions maximum ${limit(holds.sessionsMaximum)}`,
    ...otherLines(configuration, name).map((words) => `  ${words.join(' ')}`),
  ];
}

const SHOWN: readonly RegExp[] = [
  /^(audit-trail|alert|max-incomplete|one-minute|dns-timeout) /,
  /^(udp|icmp|tcp) idle-time /,
  /^tcp (finwait-time|synwait-time|max-incomplete) /,
  /^sessions maximum /,
];

/** What the captures have no line for, as it was configured. */
function otherLines(configuration: Configuration, name: string): ParameterMap['lines'] {
  const lines = findParameterMap(configuration, 'inspect', name)?.lines ?? [];
  return lines.filter((words) => !SHOWN.some((pattern) => pattern.test(words.join(' '))));
}

export function inspectMapData(configuration: Configuration, name: string): unknown {
  const other = otherLines(configuration, name).map((words) => words.join(' '));
  return { kind: 'inspect', ...zoneInspection(configuration, name), name, other };
}

/** A pattern with the reading that holds (D-10). */
export interface PatternReading {
  readonly pattern: string;
  readonly readAs: 'glob' | 'regex';
  /** The regular expression that holds in an address, a header field or a type. */
  readonly effective: string;
  /** The one that holds in the text of a message: a glob is not tied to its ends there. */
  readonly inBody: string;
}

export function patternReadings(map: ParameterMap): readonly PatternReading[] {
  const flavour = map.lines.find(([word]) => word === 'pattern-type')?.[1] ?? 'auto';
  const flags = ignoresCase(map) ? 'i' : '';
  return map.lines
    .filter(([word]) => word === 'pattern')
    .map(([, quoted = '']) => {
      const pattern = quoted.replace(/^"(.*)"$/, '$1');
      if (flavour === 'regex' || (flavour === 'auto' && !isGlob(pattern))) {
        const expression = `/${pattern}/${flags}`;
        return { pattern, readAs: 'regex', effective: expression, inBody: expression };
      }
      const inBody = `/${engineExpression(pattern, 'glob', 'body').text}/${flags}`;
      return { pattern, readAs: 'glob', effective: `${describeGlob(pattern)}${flags}`, inBody };
    });
}

function ignoresCase({ lines }: ParameterMap): boolean {
  return lines.some(([word]) => word === 'ignore-case');
}

/** `show parameter-map type regex`: the patterns, and below each how it is read. */
export function regexMapLines(map: ParameterMap): readonly string[] {
  return [
    ` parameter-map type regex ${map.name}`,
    ...map.lines.filter(([word]) => word !== 'pattern').map((words) => `  ${words.join(' ')}`),
    ...patternReadings(map).flatMap(({ pattern, readAs, effective, inBody }) => [
      `  pattern "${pattern}"`,
      `   read as ${readAs}; effective ${effective}${inBody === effective ? '' : `, in a body ${inBody}`}`,
    ]),
  ];
}

export function findParameterMap(
  { parameterMaps }: Configuration,
  kind: ParameterMap['kind'],
  name: string,
): ParameterMap | undefined {
  return parameterMaps.find((map) => map.kind === kind && map.name === name);
}

/** The block of a parameter-map in `show policy-firewall config` (cisco-ios 5.9). */
export function parameterBlock(configuration: Configuration, holds: ZoneInspection): readonly string[] {
  const lines = findParameterMap(configuration, 'inspect', holds.parameterMap)?.lines ?? [];
  const has = (...words: readonly string[]): boolean =>
    lines.some((line) => words.every((word, index) => line[index] === word));
  const rate = (side: string): string => {
    const found = lines.find(([first, second, third]) => first === 'sessions' && second === 'rate' && third === side);
    return found === undefined ? 'unlimited' : `${found[3]} in ${found[5]} sec`;
  };
  const age = (seconds: number): string => `${seconds} sec, ageout-time: ${seconds} sec`;
  const reset = (what: string): string => onOff(!has('tcp', what, 'reset', 'off'));
  return [
    `  Parameter-map type inspect: ${shownName(holds.parameterMap)}`,
    '  --------------------------',
    `   alert messages                 : ${onOff(holds.alert)}`,
    `   audit trailing                 : ${onOff(holds.auditTrail)}`,
    `   logging dropped-packets        : ${onOff(holds.logDroppedPackets)}`,
    `   icmp session idle-time         : ${age(holds.icmpIdleSeconds)}`,
    `   dns session idle-time          : ${holds.dnsTimeoutSeconds} sec`,
    `   tcp session half-open          : ${reset('half-open')}, half-close: ${reset('half-close')}, idle: ${reset('idle')}`,
    `   tcp session idle-time          : ${age(holds.tcpIdleSeconds)}`,
    `   tcp session FIN wait-time      : ${holds.finwaitSeconds} sec, FIN ageout-time: ${holds.finwaitSeconds} sec`,
    `   tcp session SYN wait-time      : ${holds.synwaitSeconds} sec, SYN ageout-time: ${holds.synwaitSeconds} sec`,
    `   tcp loose window scaling enforcement: ${onOff(has('tcp', 'window-scale-enforcement', 'loose'))}`,
    `   tcp max-half-open connections/host  : ${limit(holds.tcpMaxIncompleteHost)} block-time: ${holds.tcpBlockTimeMinutes} min`,
    `   udp session idle-time          : ${age(holds.udpIdleSeconds)}`,
    `   sessions, connections/min threshold (low) : ${limit(holds.oneMinuteLow)}`,
    `   sessions, connections/min threshold (high): ${limit(holds.oneMinuteHigh)}`,
    `   sessions, connection rate threshold (low) : ${rate('low')}`,
    `   sessions, connection rate threshold (high): ${rate('high')}`,
    `   sessions, max-incomplete threshold (low)  : ${limit(holds.maxIncompleteLow)}`,
    `   sessions, max-incomplete threshold (high) : ${limit(holds.maxIncompleteHigh)}`,
    `   sessions, maximum no. of inspect sessions : ${limit(holds.sessionsMaximum)}`,
    '   total number of packets per flow          : default',
    `   zone mismatch drop option      : ${onOff(has('zone-mismatch', 'drop'))}`,
  ];
}

/** The map that holds where none is named prints with a capital letter. */
export function shownName(parameterMap: string): string {
  return parameterMap === 'default' ? 'Default' : parameterMap;
}

function onOff(value: boolean): string {
  return value ? 'on' : 'off';
}

function limit(value: number): string {
  return value === Number.POSITIVE_INFINITY ? 'unlimited' : String(value);
}
