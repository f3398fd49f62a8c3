import type { Configuration, ParameterMap } from './configuration.ts';
import { TLS_VERSIONS } from './defaults.ts';
import type { ZoneInspection } from './zone-decision.ts';

const UNLIMITED = Number.POSITIVE_INFINITY;

/**
 * What the action `inspect NAME` means (cisco-ios 1.4): the map's lines over IOS's defaults. Without a name the map
 * `default` holds, where one is configured.
 */
export function zoneInspection(configuration: Configuration, name = 'default'): ZoneInspection {
  const map = configuration.parameterMaps.find((one) => one.kind === 'inspect' && one.name === name);
  const number = settingReader(map);
  const flag = (words: string, otherwise: boolean): boolean => {
    const value = settingOf(map, words);
    return value === undefined ? otherwise : value !== 'off';
  };
  return {
    parameterMap: name,
    alert: flag('alert', true),
    auditTrail: flag('audit-trail', false),
    tcpIdleSeconds: number('tcp idle-time', 3_600),
    udpIdleSeconds: number('udp idle-time', 30),
    icmpIdleSeconds: number('icmp idle-time', 10),
    dnsTimeoutSeconds: number('dns-timeout', 5),
    synwaitSeconds: number('tcp synwait-time', 30),
    finwaitSeconds: number('tcp finwait-time', 5),
    maxIncompleteLow: number('max-incomplete low', UNLIMITED),
    maxIncompleteHigh: number('max-incomplete high', UNLIMITED),
    oneMinuteLow: number('one-minute low', UNLIMITED),
    oneMinuteHigh: number('one-minute high', UNLIMITED),
    tcpMaxIncompleteHost: number('tcp max-incomplete host', UNLIMITED),
    tcpBlockTimeMinutes: number('tcp max-incomplete host block-time', 0),
    sessionsMaximum: number('sessions maximum', UNLIMITED),
    logDroppedPackets: settingOf(map, 'log dropped-packets') !== undefined,
    ...minimumVersionOf(map),
    lineEndings: oneOf(settingOf(map, 'line-endings'), ['strict', 'tolerant']) ?? 'normalize',
    requireTls:
      (['auth', 'mail'] as const).find((what) => settingOf(map, `require-tls ${what}`) !== undefined) ?? 'never',
    requireTlsForLogin: settingOf(map, 'require-tls login') !== undefined,
  };
}

/** Whether the map turns the engine of a protocol off (`no application-inspect`, XE). */
export function inspectsApplication(configuration: Configuration, name: string, protocol: string): boolean {
  const map = configuration.parameterMaps.find((one) => one.kind === 'inspect' && one.name === name);
  const off = (map?.lines ?? []).filter((line) => line[0] === 'no' && line[1] === 'application-inspect');
  return !off.some((line) => line[2] === 'all' || line[2] === protocol);
}

/** The parameter-maps that the `inspect` actions of zone-pairs' policies use, each once. */
export function usedInspections(configuration: Configuration): readonly ZoneInspection[] {
  const names = new Set<string>();
  for (const { policy } of configuration.zonePairs) {
    const map = configuration.policyMaps.find((one) => one.name === policy && one.protocol === undefined);
    for (const { actions } of map?.classes ?? []) {
      for (const [action, name = 'default'] of actions) if (action === 'inspect') names.add(name);
    }
  }
  return [...names].map((name) => zoneInspection(configuration, name));
}

function oneOf<Word extends string>(text: string | undefined, words: readonly Word[]): Word | undefined {
  return words.find((word) => word === text);
}

function minimumVersionOf(map: ParameterMap | undefined): Pick<ZoneInspection, 'tlsMinimumVersion'> {
  const name = settingOf(map, 'tls minimum-version');
  const version = Object.entries(TLS_VERSIONS).find(([one]) => one === name)?.[1];
  return version === undefined ? {} : { tlsMinimumVersion: version };
}

/** The word or number behind a setting's name; `''` for one without a value. */
function settingOf(map: ParameterMap | undefined, words: string): string | undefined {
  const wanted = words.split(' ');
  for (const line of map?.lines ?? []) {
    if (wanted.every((word, index) => line[index] === word)) return line[wanted.length] ?? '';
    // `tcp max-incomplete host N block-time M` is two settings in one line.
    const last = wanted.at(-1);
    const head = wanted.slice(0, -1);
    const at = line.indexOf(last ?? '');
    if (at === head.length + 1 && head.every((word, index) => line[index] === word)) return line[at + 1] ?? '';
  }
  return undefined;
}

function settingReader(map: ParameterMap | undefined): (words: string, otherwise: number) => number {
  return (words, otherwise) => {
    const value = settingOf(map, words);
    return value === undefined || !/^\d+$/.test(value) ? otherwise : Number(value);
  };
}
