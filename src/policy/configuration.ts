import type { LineEndings } from '../inspect/line-ends.ts';

/**
 * The configuration as data: what the command language edits, the unparsers print, and the engine, the rule generator
 * and the shows read. Immutable; a new value replaces the old one as a whole. An absent optional field means "not
 * configured": the effective value then follows from the defaults profile (`defaults.ts`).
 */

export type MailProtocol = 'smtp' | 'esmtp' | 'pop3' | 'imap';
/** Any protocol keyword that `ip inspect name` knows; those beyond the mail four get layer 4 only. */
export type InspectedProtocol =
  | MailProtocol
  | 'smtps'
  | 'pop3s'
  | 'imaps'
  | 'imap3'
  | 'tcp'
  | 'udp'
  | 'icmp'
  | (string & {});

export interface Configuration {
  readonly inspect: InspectGlobals;
  /** `ip inspect name`, in the order typed. */
  readonly rules: readonly InspectionRule[];
  readonly interfaces: readonly InterfaceConfiguration[];
  readonly accessLists: readonly AccessList[];
  readonly portMaps: readonly PortMap[];
  readonly classMaps: readonly ClassMap[];
  readonly policyMaps: readonly PolicyMap[];
  readonly parameterMaps: readonly ParameterMap[];
  readonly zones: readonly Zone[];
  readonly zonePairs: readonly ZonePair[];
  readonly postern: PosternOptions;
  readonly hostname?: string;
}

/** The `ip inspect …` lines without a rule name (cisco-ios 1.2). Times in seconds, counts in sessions. */
export interface InspectGlobals {
  readonly alertOff?: boolean;
  readonly auditTrail?: boolean;
  readonly maxIncompleteLow?: number;
  readonly maxIncompleteHigh?: number;
  readonly oneMinuteLow?: number;
  readonly oneMinuteHigh?: number;
  readonly tcpMaxIncompleteHost?: number;
  readonly tcpBlockTimeMinutes?: number;
  readonly tcpSynwaitTimeSeconds?: number;
  readonly tcpFinwaitTimeSeconds?: number;
  readonly tcpIdleTimeSeconds?: number;
  readonly udpIdleTimeSeconds?: number;
  readonly dnsTimeoutSeconds?: number;
  readonly reassemblyQueueLength?: number;
  readonly reassemblyTimeoutSeconds?: number;
  readonly reassemblyMemoryLimitKilobytes?: number;
  readonly reassemblyAlarm?: boolean;
  readonly hashtableSize?: number;
  readonly windowScaleLoose?: boolean;
  readonly blockNonSession?: boolean;
  readonly logDropPackets?: boolean;
  /** `ip inspect tcp {half-open|half-close|idle} reset off`: the session is forgotten without RST (cisco-ios 3.5). */
  readonly tcpHalfOpenResetOff?: boolean;
  readonly tcpHalfCloseResetOff?: boolean;
  readonly tcpIdleResetOff?: boolean;
  readonly icmpIdleTimeSeconds?: number;
  /** `ip inspect sessions maximum`: sessions of all rules together. */
  readonly sessionsMaximum?: number;
}

export interface InspectionRule {
  readonly name: string;
  /** One entry a protocol; a repeated line replaced its options. */
  readonly protocols: readonly ProtocolInspection[];
  readonly maxSessions?: number;
}

export type TlsVersion = '1.0' | '1.1' | '1.2' | '1.3';

export interface ProtocolInspection {
  readonly protocol: InspectedProtocol;
  /** Absent: the global switch holds. */
  readonly alert?: boolean;
  readonly auditTrail?: boolean;
  readonly timeoutSeconds?: number;
  readonly maxDataBytes?: number;
  readonly reset?: boolean;
  readonly secureLogin?: boolean;
  readonly routerTraffic?: boolean;
  /** `tls minimum-version`, ours. */
  readonly tlsMinimumVersion?: TlsVersion;
  /** `line-endings`, ours. */
  readonly lineEndings?: LineEndings;
  /** `require-tls`, ours: `auth` and `mail` of SMTP, `login` of POP3 and IMAP. */
  readonly requireTls?: 'auth' | 'mail' | 'login';
  /** `fragment maximum N`. */
  readonly maximum?: number;
}

export interface InterfaceConfiguration {
  /** The Linux name, or `any`. */
  readonly name: string;
  readonly description?: string;
  readonly inspectIn?: string;
  readonly inspectOut?: string;
  readonly accessGroupIn?: string;
  readonly accessGroupOut?: string;
  /** `zone-member security`. */
  readonly zone?: string;
}

/** `zone security`. The zone `self`, the router, is always there and never configured (cisco-ios 1.10). */
export interface Zone {
  readonly name: string;
  readonly description?: string;
}

export interface ZonePair {
  readonly name: string;
  /** A zone's name, `self` or `default` (interfaces in no zone). */
  readonly source: string;
  readonly destination: string;
  readonly description?: string;
  /** `service-policy type inspect`. */
  readonly policy?: string;
}

export interface AccessList {
  /** A number as text, or a name. */
  readonly name: string;
  readonly kind: 'standard' | 'extended';
  readonly entries: readonly AccessEntry[];
}

export type AccessEntry =
  | { readonly kind: 'remark'; readonly sequence?: number; readonly text: string }
  | {
      readonly kind: 'rule';
      readonly sequence?: number;
      readonly action: 'permit' | 'deny';
      /** `ip` for standard lists. */
      readonly protocol: string;
      readonly source: AddressMatch;
      readonly sourcePort?: PortMatch;
      readonly destination: AddressMatch;
      readonly destinationPort?: PortMatch;
      readonly established?: boolean;
      readonly log?: boolean;
      /** Further words as typed (icmp types, flags), kept for printing. */
      readonly rest?: string;
    };

/** IPv4 address and IOS wildcard mask (1-bits are ignored); `any` is 0.0.0.0 255.255.255.255, `host A` is A 0.0.0.0. */
export interface AddressMatch {
  readonly address: string;
  readonly wildcard: string;
}

export interface PortMatch {
  readonly operator: 'eq' | 'neq' | 'gt' | 'lt' | 'range';
  readonly from: number;
  /** Only for `range`. */
  readonly to?: number;
}

/** `ip port-map APPLICATION port [tcp|udp] {N | from A to B} [list ACL] [description TEXT]`. */
export interface PortMap {
  readonly application: string;
  readonly transport: 'tcp' | 'udp';
  readonly from: number;
  readonly to: number;
  readonly list?: string;
  readonly description?: string;
}

export interface ClassMap {
  readonly name: string;
  /** Absent: the layer 3/4 map. */
  readonly protocol?: 'smtp' | 'pop3' | 'imap';
  readonly combine: 'match-all' | 'match-any';
  readonly description?: string;
  readonly matches: readonly ClassMatch[];
}

/** One `match` line in canonical words, e.g. `['cmd', 'verb', 'EHLO']`. Typed further when the matches are enforced. */
export interface ClassMatch {
  readonly words: readonly string[];
}

export interface PolicyMap {
  readonly name: string;
  readonly protocol?: 'smtp' | 'pop3' | 'imap';
  readonly description?: string;
  readonly classes: readonly PolicyClass[];
}

export interface PolicyClass {
  /** `class-default` for the default class. */
  readonly name: string;
  /** One a line, in canonical words, e.g. `['inspect']`, `['drop', 'log']`, `['mask']`. */
  readonly actions: readonly (readonly string[])[];
}

export interface ParameterMap {
  readonly name: string;
  readonly kind: 'inspect' | 'regex';
  /** Body lines in canonical words. */
  readonly lines: readonly (readonly string[])[];
}

/** The `postern …` lines of our own. */
export interface PosternOptions {
  readonly defaults?: 'classic' | 'modern';
  readonly queueCount?: number;
  readonly queueLengthPackets?: number;
  readonly fail?: 'closed' | 'open';
  readonly offload?: boolean;
  /** `postern syn-proxy`: in aggressive mode the kernel answers for the flooded destinations. */
  readonly synProxy?: 'off' | 'aggressive';
  readonly hostname?: string;
  /**
   * `postern chunking {mask|inspect}`: CHUNKING is taken out of the EHLO reply as in IOS (R5), or BDAT passes and its
   * chunks are read as the message they are.
   */
  readonly chunking?: 'mask' | 'inspect';
  /** `postern recipient-count {connection|message}` (D-41). */
  readonly recipientCount?: 'connection' | 'message';
}

export const EMPTY_CONFIGURATION: Configuration = {
  inspect: {},
  rules: [],
  interfaces: [],
  accessLists: [],
  portMaps: [],
  classMaps: [],
  policyMaps: [],
  parameterMaps: [],
  zones: [],
  zonePairs: [],
  postern: {},
};
