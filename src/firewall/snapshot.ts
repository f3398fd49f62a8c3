import type { TlsFacts } from '../inspect/tls-hello.ts';

/**
 * What the engine tells about itself: the material of `show`, of the metrics and of the JSON shapes in the contract.
 */
export type SessionState = 'SIS_OPENING' | 'SIS_OPEN' | 'SIS_CLOSING' | 'SIS_CLOSED';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface SessionSnapshot {
  /** Eight upper-case hex digits, unique while the daemon runs. */
  readonly id: string;
  /** smtp, pop3, imap, their TLS twins smtps, pop3s, imaps, or tcp, udp, icmp of generic inspection. */
  readonly protocol: string;
  readonly state: SessionState;
  readonly stage: string;
  readonly initiator: Endpoint;
  readonly responder: Endpoint;
  /** Payload bytes that each peer sent and that were forwarded. */
  readonly bytes: { readonly initiator: number; readonly responder: number };
  /** Packets of both sides that came to the queue and went on; absent for half-open sessions. */
  readonly packets?: number;
  /** Segments whose octets differed from those seen first; absent where there were none. */
  readonly altered?: number;
  readonly createdSecondsAgo: number;
  readonly lastHeardSecondsAgo: number;
  readonly offloaded: boolean;
  /** The inspection rule's name; empty when none applied. */
  readonly rule: string;
  /** Where a zone policy inspects it: the zone-pair, the policy's class and its application policy. */
  readonly zonePair?: string;
  readonly className?: string;
  readonly application?: string;
  /** Picked up under way (`postern fail open`). */
  readonly midstream?: boolean;
  /** Where its first packet came in and went out; empty for the router itself, absent while that is not known. */
  readonly inInterface?: string;
  readonly outInterface?: string;
  /** What the hellos of its TLS say, once the client's passed. */
  readonly tls?: TlsFacts;
  /** The access list that its answers pass because they are answers, and how many packets did (cisco-ios 3.1). */
  readonly opening?: { readonly list: string; readonly matches: number };
}

export interface Statistics {
  readonly packets: {
    readonly received: number;
    readonly accepted: number;
    readonly rewritten: number;
    readonly dropped: number;
    /** In hand at this moment, without a verdict. */
    readonly held: number;
    /** Lost in the kernel's queues, full queue and full socket together, the gate's included. */
    readonly kernelDropped: number;
    /** Of these, the ones lost in the gate's queue: SYNs of a flood, mostly. The rest are packets of sessions. */
    readonly gateKernelDropped: number;
    /** Built by Postern: refusals' words, acknowledgements and resets. */
    readonly injected: number;
  };
  /** Packets by transport and by mail protocol, `tcp` counting those of mail too. */
  readonly protocolPackets: Readonly<Record<string, number>>;
  readonly sessions: {
    readonly established: number;
    readonly halfOpen: number;
    readonly terminating: number;
    readonly created: number;
    readonly maxEstablished: number;
    readonly maxHalfOpen: number;
    readonly maxTerminating: number;
    /** Seconds ago; absent before the first. */
    readonly lastCreatedSecondsAgo?: number;
    /** In the last full minute, and the most of any minute. */
    readonly creationRate: number;
    readonly maxCreationRate: number;
    /** Begun and never established: given up for newer ones, timed out, refused by the server, cleared. */
    readonly setupsAborted: number;
    /** A second, over the last minute and the last five. */
    readonly setupRates: { readonly oneMinute: number; readonly fiveMinutes: number };
    /** The decaying estimate that `one-minute` is compared with (cisco-ios 3.2), a whole number. */
    readonly oneMinuteRate: number;
  };
  readonly reassembly: {
    readonly outOfOrderPackets: number;
    readonly droppedPackets: number;
    readonly peakBytes: number;
    readonly currentBytes: number;
    readonly peakQueueLength: number;
  };
  /** Sessions refused and packets dropped, by reason. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Packets dropped, each once, by the names that IOS XE gives its drops (cisco-ios 4.3). */
  readonly drops: Readonly<Record<string, number>>;
  /** What was overwritten, by what it was (verbs, EHLO keywords). */
  readonly masks: Readonly<Record<string, number>>;
  /** Octets of mail data that application policies with content conditions let by, and those that were searched. */
  readonly content: { readonly octets: number; readonly scannedOctets: number };
  readonly netlinkOverruns: number;
  readonly aggressive: boolean;
  /** Servers whose new connections are dropped at the moment. */
  readonly blockedHosts: number;
  /** Servers that the kernel answers for at the moment (`postern syn-proxy`). */
  readonly synProxyHosts: readonly string[];
  readonly workers: readonly WorkerHealth[];
  readonly startedSecondsAgo: number;
  /** `clear ip inspect statistics`; absent before the first. */
  readonly clearedSecondsAgo?: number;
}

/** What the classes of zone policies met since they were last cleared. A session counts from its handshake on. */
export interface PolicyStatistics {
  readonly classes: readonly ZoneClassCounts[];
  readonly applications: readonly ApplicationClassCounts[];
  /** Sessions and matches of classes beyond those that are counted one by one. */
  readonly uncounted: number;
}

/** Sessions of a class of a zone-pair's policy. */
export interface ZoneClassCounts {
  readonly zonePair: string;
  readonly className: string;
  /** Of sessions that are over, by their protocol. */
  readonly packets: Readonly<Record<string, number>>;
  readonly created: number;
  /** Now, and the most there ever were: the workers' peaks summed up. */
  readonly open: number;
  readonly maxOpen: number;
  /** Absent before the first. */
  readonly lastCreatedSecondsAgo?: number;
  /** In the last full minute, and the most of any minute. */
  readonly creationRate: number;
  readonly maxCreationRate: number;
  /** `clear zone-pair counter`; absent before the first. */
  readonly clearedSecondsAgo?: number;
}

/** Matches of a class of an application policy, below a class of a zone-pair's policy. */
export interface ApplicationClassCounts {
  readonly zonePair: string;
  readonly className: string;
  readonly policy: string;
  readonly applicationClass: string;
  readonly hits: HitCounts;
  /** Would-have hits of a class with `shadow`. */
  readonly shadow: HitCounts;
  /** Both together by what matched: a name of POLICY_EVENTS. */
  readonly events: Readonly<Record<string, HitCounts>>;
}

/** Times that something matched, and the octets of the lines that did. */
export interface HitCounts {
  readonly count: number;
  readonly bytes: number;
}

export interface WorkerHealth {
  readonly queue: number;
  readonly heartbeatAgeMs: number;
  readonly restarts: number;
}

/** A server that `tcp max-incomplete host … block-time` keeps new connections from. */
export interface BlockedHost {
  readonly address: string;
  /** How long it has been so, and how much longer it will be. */
  readonly blockedSeconds: number;
  readonly remainingSeconds: number;
}
