import type { Endpoint } from '../firewall/snapshot.ts';
import type { Frame, Inspector, Side, Step } from '../inspect/inspector.ts';
import type { Reason } from '../inspect/reasons.ts';
import type { SessionContext } from '../log/reason-messages.ts';
import type { PortProtocol } from '../policy/ports.ts';

/**
 * An inspector with its state and policy, types hidden: the engine steps it without knowing the protocol. `step` moves
 * the state on whole frames only; a partial frame leaves it (inspector.ts).
 */
export interface Dialogue {
  readonly lineBytesMax: { readonly initiator: number; readonly responder: number };
  step(frame: Frame): Step<unknown>['actions'];
  stage(): string;
}

export function startDialogue<State, Policy>(inspector: Inspector<State, Policy>, policy: Policy): Dialogue {
  let state = inspector.initial;
  return {
    lineBytesMax: inspector.lineBytesMax,
    step(frame) {
      const next = inspector.step(state, frame, policy);
      if (frame.kind !== 'partial') state = next.state;
      return next.actions;
    },
    stage: () => inspector.stage(state),
  };
}

/** One flow as the worker's JavaScript knows it: made when the handshake is complete, gone with the flow. */
export interface Session {
  readonly id: string;
  readonly flow: number;
  readonly generation: number;
  readonly protocol: PortProtocol;
  readonly rule: string;
  readonly initiator: Endpoint;
  readonly responder: Endpoint;
  readonly alert: boolean;
  readonly auditTrail: boolean;
  /** Absent for TLS ports, flows picked up under way and flows of no rule: TCP only. */
  readonly dialogue?: Dialogue;
  refusedFor?: Reason;
}

/** A session as its log messages name it. */
export function sessionContext({ protocol, initiator, responder, rule, id }: Session): SessionContext {
  return { protocol, initiator, responder, rule, session: id };
}

/** Both sides, in the order in which orders name them. */
export const SIDES: readonly Side[] = ['initiator', 'responder'];

const FLOW_BITS = 17;
const GENERATION_BITS = 13;

/**
 * A session's id for `show` and `clear`: eight upper-case hex digits made of the worker (two bits), the flow's
 * generation and its index, so that half-open flows, which have no session object, have one too.
 */
export function sessionId(worker: number, flow: number, generation: number): string {
  const low = (((generation + 1) & ((1 << GENERATION_BITS) - 1)) << FLOW_BITS) | flow;
  return (low + (worker & 3) * 2 ** (FLOW_BITS + GENERATION_BITS)).toString(16).toUpperCase().padStart(8, '0');
}

/** Whether `id` (any case) names this flow. */
export function isSessionId(id: string, worker: number, flow: number, generation: number): boolean {
  return id.toUpperCase().padStart(8, '0') === sessionId(worker, flow, generation);
}
