import type { Session } from './session.ts';

/** Indexes of datagram sessions begin here (native/engine/datagram_flows.h). */
const DATAGRAM_FLOW_FIRST = 1 << 17;

type Slots = (Session | undefined)[];

/**
 * Sessions by the index of their flow. Streams and datagram sessions have ranges of their own, far apart, so they are
 * two arrays: one with a hole of a hundred thousand places would be a slow one.
 */
export class SessionTable {
  readonly #streams: Slots = [];
  readonly #datagrams: Slots = [];

  /** The session of a flow, unless the index has been given to another flow since. */
  get(flow: number, generation: number): Session | undefined {
    const session = flow < DATAGRAM_FLOW_FIRST ? this.#streams[flow] : this.#datagrams[flow - DATAGRAM_FLOW_FIRST];
    return session?.generation === generation ? session : undefined;
  }

  set(flow: number, session: Session | undefined): void {
    if (flow < DATAGRAM_FLOW_FIRST) put(this.#streams, flow, session);
    else put(this.#datagrams, flow - DATAGRAM_FLOW_FIRST, session);
  }

  clear(): void {
    this.#streams.length = 0;
    this.#datagrams.length = 0;
  }
}

/** Grows place by place: V8 keeps an array without holes dense. */
function put(slots: Slots, index: number, session: Session | undefined): void {
  while (slots.length < index) slots.push(undefined);
  slots[index] = session;
}
