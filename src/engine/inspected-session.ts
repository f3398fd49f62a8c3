import type { Endpoint } from '../firewall/snapshot.ts';
import type { Reason } from '../inspect/reasons.ts';
import type { TlsFacts } from '../inspect/tls-hello.ts';
import type { PortProtocol } from '../policy/ports.ts';
import type { ZonePlace } from '../policy/zone-decision.ts';
import { type PackedEnds, unpackEnds } from './address.ts';
import type { OpenedFlow } from './opening.ts';
import type { Place } from './places.ts';
import { type Dialogue, type Session, sessionId } from './session.ts';

/**
 * A session of the packet engine. A router holds a hundred thousand of them at once, most of them idle: what they share
 * stands in their place, and what can be worked out again is not kept.
 */
export class InspectedSession implements Session {
  readonly flow: number;
  readonly generation: number;
  readonly place: Place;
  dialogue: Dialogue | undefined;
  refusedFor: Reason | undefined = undefined;
  tls: TlsFacts | undefined = undefined;
  ended = false;
  readonly #worker: number;
  readonly #ends: PackedEnds;

  constructor(worker: number, place: Place, opened: OpenedFlow) {
    this.flow = opened.flow;
    this.generation = opened.generation;
    this.place = place;
    this.dialogue = opened.midstream ? undefined : place.start?.(opened);
    this.#worker = worker;
    this.#ends = opened.ends;
  }

  get id(): string {
    return sessionId(this.#worker, this.flow, this.generation);
  }

  get protocol(): PortProtocol {
    return this.place.protocol;
  }

  get rule(): string {
    return this.place.rule;
  }

  get zonePlace(): ZonePlace | undefined {
    return this.place.zonePlace;
  }

  get contentPlan(): number | undefined {
    return this.place.content?.plan;
  }

  /** Refused when it was to be opened: it is counted nowhere. */
  get wasNeverOpen(): boolean {
    return this.refusedFor === 'session-limit' || this.place.refused !== undefined;
  }

  get initiator(): Endpoint {
    return unpackEnds(this.#ends)[0];
  }

  get responder(): Endpoint {
    return unpackEnds(this.#ends)[1];
  }

  get tlsMinimumVersion(): number | undefined {
    return this.place.inspection.tlsMinimumVersion;
  }

  get alert(): boolean {
    return this.place.inspection.alert;
  }

  get auditTrail(): boolean {
    return this.place.inspection.auditTrail;
  }

  get idleSeconds(): number {
    return this.place.inspection.timeoutSeconds;
  }
}
