import type { LineEndings } from '../inspect/line-ends.ts';
import { SMTP_MAX_DATA_BYTES_DEFAULT } from '../limits.ts';
import type {
  Configuration,
  InspectedProtocol,
  InspectionRule,
  ProtocolInspection,
  TlsVersion,
} from './configuration.ts';

/** Every global value as it holds, after the defaults profile (cisco-ios 1.2). `Infinity` is IOS's `unlimited`. */
export interface EffectiveGlobals {
  readonly alert: boolean;
  readonly auditTrail: boolean;
  readonly maxIncompleteLow: number;
  readonly maxIncompleteHigh: number;
  readonly oneMinuteLow: number;
  readonly oneMinuteHigh: number;
  readonly tcpMaxIncompleteHost: number;
  readonly tcpBlockTimeMinutes: number;
  readonly tcpSynwaitTimeSeconds: number;
  readonly tcpFinwaitTimeSeconds: number;
  readonly tcpIdleTimeSeconds: number;
  readonly udpIdleTimeSeconds: number;
  readonly dnsTimeoutSeconds: number;
  readonly reassemblyQueueLength: number;
  readonly reassemblyTimeoutSeconds: number;
  readonly reassemblyMemoryLimitKilobytes: number;
  readonly reassemblyAlarm: boolean;
  readonly hashtableSize: number;
  readonly windowScaleLoose: boolean;
  readonly blockNonSession: boolean;
  readonly logDropPackets: boolean;
  readonly tcpHalfOpenReset: boolean;
  readonly tcpHalfCloseReset: boolean;
  readonly tcpIdleReset: boolean;
  readonly icmpIdleTimeSeconds: number;
  readonly sessionsMaximum: number;
}

/** One protocol of a rule as it holds, global switches and defaults filled in. */
export interface EffectiveInspection {
  readonly protocol: InspectedProtocol;
  readonly alert: boolean;
  readonly auditTrail: boolean;
  readonly timeoutSeconds: number;
  readonly maxDataBytes: number;
  readonly reset: boolean;
  readonly secureLogin: boolean;
  readonly routerTraffic: boolean;
  /** `tls minimum-version` as on the wire; absent: any. */
  readonly tlsMinimumVersion?: number;
  readonly lineEndings: LineEndings;
  /** What may not come before TLS: `never` nothing, `mail` logins too. */
  readonly requireTls: 'never' | 'auth' | 'mail' | 'login';
}

export interface EffectivePostern {
  readonly defaults: 'classic' | 'modern';
  /** 0: one a CPU, four at most. */
  readonly queueCount: number;
  readonly queueLengthPackets: number;
  readonly fail: 'closed' | 'open';
  readonly offload: boolean;
  readonly synProxy: 'off' | 'aggressive';
}

export function effectiveGlobals(configuration: Configuration): EffectiveGlobals {
  const set = configuration.inspect;
  const classic = (configuration.postern.defaults ?? 'classic') === 'classic';
  const threshold = (value: number | undefined, seed: number): number =>
    value ?? (classic ? seed : Number.POSITIVE_INFINITY);
  const alert = !(set.alertOff ?? false);
  return {
    alert,
    auditTrail: set.auditTrail ?? false,
    maxIncompleteLow: threshold(set.maxIncompleteLow, 400),
    maxIncompleteHigh: threshold(set.maxIncompleteHigh, 500),
    oneMinuteLow: threshold(set.oneMinuteLow, 400),
    oneMinuteHigh: threshold(set.oneMinuteHigh, 500),
    tcpMaxIncompleteHost: threshold(set.tcpMaxIncompleteHost, 50),
    tcpBlockTimeMinutes: set.tcpBlockTimeMinutes ?? 0,
    tcpSynwaitTimeSeconds: set.tcpSynwaitTimeSeconds ?? 30,
    tcpFinwaitTimeSeconds: set.tcpFinwaitTimeSeconds ?? 5,
    tcpIdleTimeSeconds: set.tcpIdleTimeSeconds ?? 3600,
    udpIdleTimeSeconds: set.udpIdleTimeSeconds ?? 30,
    dnsTimeoutSeconds: set.dnsTimeoutSeconds ?? 5,
    reassemblyQueueLength: set.reassemblyQueueLength ?? 16,
    reassemblyTimeoutSeconds: set.reassemblyTimeoutSeconds ?? 5,
    reassemblyMemoryLimitKilobytes: set.reassemblyMemoryLimitKilobytes ?? 1024,
    reassemblyAlarm: set.reassemblyAlarm ?? alert,
    hashtableSize: set.hashtableSize ?? 1024,
    windowScaleLoose: set.windowScaleLoose ?? false,
    blockNonSession: set.blockNonSession ?? false,
    logDropPackets: set.logDropPackets ?? false,
    tcpHalfOpenReset: !(set.tcpHalfOpenResetOff ?? false),
    tcpHalfCloseReset: !(set.tcpHalfCloseResetOff ?? false),
    tcpIdleReset: !(set.tcpIdleResetOff ?? false),
    icmpIdleTimeSeconds: set.icmpIdleTimeSeconds ?? 10,
    sessionsMaximum: set.sessionsMaximum ?? Number.POSITIVE_INFINITY,
  };
}

export function effectiveInspection(configuration: Configuration, entry: ProtocolInspection): EffectiveInspection {
  const globals = effectiveGlobals(configuration);
  return {
    protocol: entry.protocol,
    alert: entry.alert ?? globals.alert,
    auditTrail: entry.auditTrail ?? globals.auditTrail,
    timeoutSeconds: entry.timeoutSeconds ?? defaultTimeoutSeconds(globals, entry.protocol),
    maxDataBytes: entry.maxDataBytes ?? SMTP_MAX_DATA_BYTES_DEFAULT,
    reset: entry.reset ?? false,
    secureLogin: entry.secureLogin ?? false,
    routerTraffic: entry.routerTraffic ?? false,
    ...(entry.tlsMinimumVersion === undefined ? {} : { tlsMinimumVersion: TLS_VERSIONS[entry.tlsMinimumVersion] }),
    lineEndings: entry.lineEndings ?? 'normalize',
    requireTls: entry.requireTls ?? 'never',
  };
}

/** The versions of `tls minimum-version`, as on the wire. */
export const TLS_VERSIONS: Readonly<Record<TlsVersion, number>> = {
  '1.0': 0x0301,
  '1.1': 0x0302,
  '1.2': 0x0303,
  '1.3': 0x0304,
};

export const TLS_VERSION_NAMES = Object.keys(TLS_VERSIONS) as readonly TlsVersion[];

export function effectivePostern(configuration: Configuration): EffectivePostern {
  const set = configuration.postern;
  return {
    defaults: set.defaults ?? 'classic',
    queueCount: set.queueCount ?? 0,
    queueLengthPackets: set.queueLengthPackets ?? 8192,
    fail: set.fail ?? 'closed',
    offload: set.offload ?? true,
    synProxy: set.synProxy ?? 'off',
  };
}

export function findRule(configuration: Configuration, name: string): InspectionRule | undefined {
  return configuration.rules.find((rule) => rule.name === name);
}

function defaultTimeoutSeconds(globals: EffectiveGlobals, protocol: InspectedProtocol): number {
  if (protocol === 'udp') return globals.udpIdleTimeSeconds;
  if (protocol === 'icmp') return globals.icmpIdleTimeSeconds;
  return globals.tcpIdleTimeSeconds;
}
