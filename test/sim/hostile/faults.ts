import type { Action, Frame, Side } from '../../../src/inspect/inspector.ts';
import { FLAG, type ReadSegment } from './packets.ts';

/** A deliberate fault between the firewall and the oracle, which has to see it. */
export interface Fault {
  /** What leaves instead of this segment. */
  readonly leaves?: (segment: ReadSegment) => readonly ReadSegment[];
  /** What is carried out instead of what was judged. */
  readonly carriesOut?: (frame: Frame, actions: readonly Action[]) => readonly Action[];
  /** Packets that go on at once, beside what becomes of them. */
  readonly passesAt?: (segment: ReadSegment) => boolean;
  readonly heldAtTheEnd?: number;
}

const FORWARD: Action = { kind: 'forward' };
const spoil = (payload: string): string =>
  `${payload.slice(0, -1)}${String.fromCharCode(payload.charCodeAt(payload.length - 1) ^ 1)}`;
const hasText = (segment: ReadSegment, from: Side, pattern: RegExp): boolean =>
  segment.from === from && pattern.test(segment.payload);

const changed =
  (is: (segment: ReadSegment) => boolean, change: (segment: ReadSegment) => ReadSegment | undefined) =>
  (segment: ReadSegment): readonly ReadSegment[] => {
    if (!is(segment)) return [segment];
    const instead = change(segment);
    return instead === undefined ? [] : [instead];
  };

export const FAULTS: Readonly<Record<string, Fault>> = {
  'an octet toward the server is another one': {
    leaves: changed(
      (segment) => hasText(segment, 'initiator', /RCPT|LOGIN|PASS/),
      (segment) => ({ ...segment, payload: spoil(segment.payload) }),
    ),
  },
  'an octet toward the client is another one': {
    leaves: changed(
      (segment) => hasText(segment, 'responder', /bye/),
      (segment) => ({ ...segment, payload: spoil(segment.payload) }),
    ),
  },
  'a repetition carries other octets': {
    leaves: (segment) =>
      segment.payload === '' || segment.sequence % 8 > 0
        ? [segment]
        : [segment, { ...segment, payload: spoil(segment.payload) }],
  },
  'the server is not reset': {
    leaves: changed(
      ({ flags }) => (flags & FLAG.rst) !== 0,
      () => undefined,
    ),
  },
  'octets go on behind the reset': {
    leaves: (segment) =>
      (segment.flags & FLAG.rst) === 0 ? [segment] : [segment, { ...segment, flags: FLAG.ack, payload: 'DATA\r\n' }],
  },
  'an acknowledgement runs ahead of what was let through': {
    leaves: changed(
      ({ from, payload }) => from === 'responder' && payload !== '',
      (segment) => ({ ...segment, acknowledgement: (segment.acknowledgement + 20) >>> 0 }),
    ),
  },
  'data stays urgent': {
    leaves: changed(
      ({ payload }) => payload !== '',
      (segment) => ({ ...segment, flags: segment.flags | FLAG.urg, urgent: 1 }),
    ),
  },
  'a held packet leaks': { passesAt: ({ from, payload }) => from === 'initiator' && payload.length > 30 },
  'a SYN takes its octets along': { passesAt: ({ flags, payload }) => (flags & FLAG.syn) !== 0 && payload !== '' },
  'a segment behind the FIN passes': { passesAt: ({ payload }) => payload.includes('VRFY late') },
  'a mask is not carried out': {
    carriesOut: (_frame, actions) => actions.filter(({ kind }) => kind !== 'mask'),
  },
  'a refusal is not carried out': {
    carriesOut: (_frame, actions) => actions.map((action) => (action.kind === 'refuse' ? FORWARD : action)),
  },
  'half a line goes ahead unjudged': {
    carriesOut: (frame, actions) => (frame.kind === 'partial' ? [FORWARD] : actions),
  },
  'a packet is never given a verdict': { heldAtTheEnd: 1 },
};
