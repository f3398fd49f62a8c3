import { SMTP_MAX_DATA_BYTES_DEFAULT } from '../limits.ts';
import type { Configuration } from '../policy/configuration.ts';
import type { EffectiveInspection } from '../policy/defaults.ts';
import type { PortProtocol } from '../policy/ports.ts';
import { decideByPair, decideZone } from '../policy/zone-classify.ts';
import {
  usesZones,
  type ZoneDecision,
  type ZonedFlow,
  type ZoneInspection,
  type ZonePlace,
} from '../policy/zone-decision.ts';
import type { OpenedFlow } from './opening.ts';
import type { FlowPlace } from './selection.ts';

export type InspectedByZone = Extract<ZoneDecision, { readonly kind: 'inspect' }>;
export type RefusedByZone = Extract<ZoneDecision, { readonly kind: 'drop' }>;

const UNZONED: ZoneDecision = { kind: 'unzoned' };

/** What the zones of a configuration say of flows. */
export class ZoneDecisions {
  /** Whether any flow needs a decision. */
  readonly exist: boolean;
  /** Whether two flows of one protocol between the same interfaces may be decided differently. */
  readonly dependOnAddresses: boolean;
  readonly #configuration: Configuration;
  readonly #withoutInterfaces: boolean;

  /** `withoutInterfaces`: flows of a capture, which tells nothing of interfaces; see `#byFirstClass`. */
  constructor(configuration: Configuration, withoutInterfaces: boolean) {
    this.#configuration = configuration;
    this.#withoutInterfaces = withoutInterfaces;
    this.exist = usesZones(configuration);
    this.dependOnAddresses =
      this.exist &&
      configuration.classMaps.some(
        ({ protocol, matches }) => protocol === undefined && matches.some(({ words }) => words[0] === 'access-group'),
      );
  }

  decide(flow: OpenedFlow, names: FlowPlace): ZoneDecision {
    if (!this.exist) return UNZONED;
    const { protocol, initiator, responder } = flow;
    const zoned: ZonedFlow = { protocol, initiator, responder, ...names };
    return this.#withoutInterfaces ? this.#byFirstClass(zoned) : decideZone(this.#configuration, zoned);
  }

  /** The first zone-pair of which a class other than class-default matches decides, whatever its zones are. */
  #byFirstClass(flow: ZonedFlow): ZoneDecision {
    for (const pair of this.#configuration.zonePairs) {
      const decision = decideByPair(this.#configuration, pair, flow);
      const className = decision.kind === 'unzoned' ? undefined : decision.place?.className;
      if (className !== undefined && className !== 'class-default') return decision;
    }
    return UNZONED;
  }
}

/** The parameter-map of a class in the terms of an inspection rule. */
export function asInspection(protocol: PortProtocol, settings: ZoneInspection): EffectiveInspection {
  const { alert, auditTrail } = settings;
  return {
    protocol,
    alert,
    auditTrail,
    timeoutSeconds: idleSeconds(protocol, settings),
    maxDataBytes: SMTP_MAX_DATA_BYTES_DEFAULT,
    reset: false,
    secureLogin: false,
    routerTraffic: false,
    ...(settings.tlsMinimumVersion === undefined ? {} : { tlsMinimumVersion: settings.tlsMinimumVersion }),
    lineEndings: settings.lineEndings,
    requireTls: requiredTls(protocol, settings),
  };
}

function requiredTls(protocol: PortProtocol, { requireTls, requireTlsForLogin }: ZoneInspection) {
  if (protocol === 'smtp') return requireTls;
  return requireTlsForLogin && (protocol === 'pop3' || protocol === 'imap') ? 'login' : 'never';
}

function idleSeconds(protocol: PortProtocol, settings: ZoneInspection): number {
  if (protocol === 'udp') return settings.udpIdleSeconds;
  return protocol === 'icmp' ? settings.icmpIdleSeconds : settings.tcpIdleSeconds;
}

/** What sessions of a class are counted as: no rule has such a name, for there is a blank in it. */
export function zoneCountName({ zonePair, className }: Pick<ZonePlace, 'zonePair' | 'className'>): string {
  return `${zonePair} ${className}`;
}
