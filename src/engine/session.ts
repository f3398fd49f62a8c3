import type { Endpoint } from '../firewall/snapshot.ts';
import type { Action, Frame, Inspector, Side, Step } from '../inspect/inspector.ts';
import type { Reason } from '../inspect/reasons.ts';
import type { TlsFacts } from '../inspect/tls-hello.ts';
import type { SessionContext } from '../log/reason-messages.ts';
import type { PortProtocol } from '../policy/ports.ts';
import type { ZonePlace } from '../policy/zone-decision.ts';
import type { StarttlsOffer } from './starttls-memory.ts';

/**
 * An inspector with its state and policy, types hidden: the engine steps it without knowing the protocol. `step` moves
 * the state on whole frames only; a partial frame leaves it (inspector.ts).
 */
export interface Dialogue {
  readonly lineBytesMax: { readonly initiator: number; readonly responder: number };
  /** Where the session does not begin with lines (Inspector.begin). */
  readonly begin?: readonly Action[] | undefined;
  step(frame: Frame): Step<unknown>['actions'];
  /** What the last whole frame told of the server's STARTTLS. */
  readonly starttls?: StarttlsOffer | undefined;
  stage(): string;
}

/** What the dialogues of one place have in common: one object for all of them. */
export interface DialogueScript<State, Policy> {
  readonly inspector: Inspector<State, Policy>;
  readonly policy: Policy;
}

/** A dialogue at its beginning. A hundred thousand of them wait at once, so each keeps its state and nothing else. */
export function startDialogue<State, Policy>(script: DialogueScript<State, Policy>): Dialogue {
  return new ScriptedDialogue(script);
}

class ScriptedDialogue<State, Policy> implements Dialogue {
  readonly #script: DialogueScript<State, Policy>;
  #state: State;
  starttls: StarttlsOffer | undefined = undefined;

  constructor(script: DialogueScript<State, Policy>) {
    this.#script = script;
    // The inspector's own initial state, shared by all until the first frame.
    this.#state = script.inspector.initial;
  }

  get lineBytesMax(): Dialogue['lineBytesMax'] {
    return this.#script.inspector.lineBytesMax;
  }

  get begin(): readonly Action[] | undefined {
    return this.#script.inspector.begin;
  }

  step(frame: Frame): Step<unknown>['actions'] {
    const next = this.#script.inspector.step(this.#state, frame, this.#script.policy);
    if (frame.kind !== 'partial') {
      this.#state = next.state;
      this.starttls = offerIn(next.facts);
    }
    return next.actions;
  }

  stage(): string {
    return this.#script.inspector.stage(this.#state);
  }
}

function offerIn(facts: Step<unknown>['facts']): StarttlsOffer | undefined {
  if (facts === undefined) return undefined;
  for (const fact of facts) if (fact.kind === 'starttls') return fact.offer;
  return undefined;
}

/** One flow as the worker's JavaScript knows it: made when the handshake is complete, gone with the flow. */
export interface Session {
  readonly id: string;
  readonly flow: number;
  readonly generation: number;
  /** What it is inspected as: its mail protocol, or its transport. */
  readonly protocol: PortProtocol;
  readonly rule: string;
  /** Where a zone policy inspects it: its names. */
  readonly zonePlace?: ZonePlace | undefined;
  /** Of its application policy, where that looks at content (Addon.definePlan). */
  readonly contentPlan?: number | undefined;
  readonly initiator: Endpoint;
  readonly responder: Endpoint;
  readonly alert: boolean;
  readonly auditTrail: boolean;
  /** For look-ups of names the packet loop knows better (dns-timeout). */
  readonly idleSeconds: number;
  /** `tls minimum-version`, as on the wire. */
  readonly tlsMinimumVersion?: number | undefined;
  /** Once a client's hello passed. */
  tls?: TlsFacts | undefined;
  /** Absent for generic inspection, flows picked up under way, and when the session is over. */
  dialogue?: Dialogue | undefined;
  refusedFor?: Reason | undefined;
  /** The flow has ended; what is left is for `show`, until the flow's index is given away. */
  ended?: boolean;
}

/** A session as its log messages name it. */
export function sessionContext({ protocol, initiator, responder, rule, id, zonePlace }: Session): SessionContext {
  const place = zonePlace === undefined ? { rule } : { zonePair: zonePlace.zonePair, class: zonePlace.className };
  return { protocol, initiator, responder, session: id, ...place };
}

/** Both sides, in the order in which orders name them. */
export const SIDES: readonly Side[] = ['initiator', 'responder'];

const FLOW_BITS = 18;
const GENERATION_BITS = 11;
const ENTRY_BITS = 20;
const TOP = 2 ** 31;
const GENERATIONS = 2 ** GENERATION_BITS;

/**
 * A session's id for `show` and `clear`: eight upper-case hex digits, top bit 0, made of the worker (two bits), the
 * flow's generation and its index, which for datagram sessions begins at 2^17.
 */
export function sessionId(worker: number, flow: number, generation: number): string {
  const low = (((generation + 1) & (GENERATIONS - 1)) << FLOW_BITS) | flow;
  return hex(low + (worker & 3) * 2 ** (FLOW_BITS + GENERATION_BITS));
}

/** Whether `id` (any case) names this flow. */
export function isSessionId(id: string, worker: number, flow: number, generation: number): boolean {
  return id.toUpperCase().padStart(8, '0') === sessionId(worker, flow, generation);
}

/** The id of a half-open session, which is an entry of the gate and no flow yet: top bit 1, generation, entry. */
export function halfOpenId(entry: number, generation: number): string {
  return hex(TOP + (generation & (GENERATIONS - 1)) * 2 ** ENTRY_BITS + (entry & (2 ** ENTRY_BITS - 1)));
}

/** The gate's entry that `id` (any case) may name; undefined when it is the id of a flow, or none. */
export function halfOpenEntry(id: string): number | undefined {
  const number = /^[0-9a-f]{8}$/i.test(id) ? Number.parseInt(id, 16) : 0;
  return number < TOP ? undefined : number % 2 ** ENTRY_BITS;
}

function hex(number: number): string {
  return number.toString(16).toUpperCase().padStart(8, '0');
}
