import type { LineEndings } from '../inspect/line-ends.ts';
import type { Configuration } from './configuration.ts';
import type { PortProtocol } from './ports.ts';

/** An address as `show` prints it, and a port. */
export interface FlowEnd {
  readonly address: string;
  readonly port: number;
}

/** A flow's first packet as zone policy sees it. Interface names are empty for the router itself. */
export interface ZonedFlow {
  /** By its destination port; `tcp`, `udp` or `icmp` where the port has none. */
  readonly protocol: PortProtocol;
  readonly initiator: FlowEnd;
  readonly responder: FlowEnd;
  readonly inInterface: string;
  readonly outInterface: string;
}

/** The names that a decision goes by: `class-default` where no class matched. */
export interface ZonePlace {
  readonly zonePair: string;
  readonly policy: string;
  readonly className: string;
}

/** What the zones say of a flow (cisco-ios 1.10). */
export type ZoneDecision =
  /** No zone is concerned: `ip inspect` rules decide. */
  | { readonly kind: 'unzoned' }
  /** Same zone, self without a policy, or the action pass. */
  | { readonly kind: 'pass'; readonly place?: ZonePlace; readonly log: boolean }
  | {
      readonly kind: 'drop';
      readonly reason: 'zone-drop' | 'no-zone-pair' | 'not-zoned';
      readonly place?: ZonePlace;
      readonly log: boolean;
    }
  | {
      readonly kind: 'inspect';
      readonly place: ZonePlace;
      /** The mail protocol of its port, or its transport; never more than layer 4 without `application`. */
      readonly protocol: PortProtocol;
      readonly settings: ZoneInspection;
      /** `service-policy {smtp|pop3|imap}` of the class, where it is of the flow's protocol. */
      readonly application?: string;
    };

/** The parameter-map of the action `inspect`, as it holds (cisco-ios 1.4). `Infinity` is unlimited. */
export interface ZoneInspection {
  /** `default` where none was named. */
  readonly parameterMap: string;
  readonly alert: boolean;
  readonly auditTrail: boolean;
  readonly tcpIdleSeconds: number;
  readonly udpIdleSeconds: number;
  readonly icmpIdleSeconds: number;
  readonly dnsTimeoutSeconds: number;
  readonly synwaitSeconds: number;
  readonly finwaitSeconds: number;
  readonly maxIncompleteLow: number;
  readonly maxIncompleteHigh: number;
  readonly oneMinuteLow: number;
  readonly oneMinuteHigh: number;
  readonly tcpMaxIncompleteHost: number;
  readonly tcpBlockTimeMinutes: number;
  readonly sessionsMaximum: number;
  readonly logDroppedPackets: boolean;
  /** `tls minimum-version` as on the wire; absent: any. */
  readonly tlsMinimumVersion?: number;
  /** Of sessions whose class has an application policy; others are not read. */
  readonly lineEndings: LineEndings;
  /** Of SMTP; and of POP3 and IMAP. */
  readonly requireTls: 'never' | 'auth' | 'mail';
  readonly requireTlsForLogin: boolean;
}

/** Whether the configuration has zones at all: an interface in one, or a zone-pair. */
export function usesZones({ interfaces, zonePairs }: Configuration): boolean {
  return zonePairs.length > 0 || interfaces.some(({ zone }) => zone !== undefined);
}
