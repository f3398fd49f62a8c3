import type { Action, Frame, Side } from './inspector.ts';
import type { Reason } from './reasons.ts';
import type { TlsHello } from './tls-hello.ts';

/** What a side's first octets after the go-ahead for TLS come to. */
export type TlsStart =
  | { readonly kind: 'refused'; readonly reason: Reason }
  | { readonly kind: 'awaitsResponder'; readonly actions: readonly Action[] }
  | { readonly kind: 'encrypted'; readonly actions: readonly Action[] };

/** What a policy asks of TLS. */
export interface TlsPolicy {
  /** As on the wire (0x0303 for TLS 1.2); absent: any. */
  readonly tlsMinimumVersion?: number;
}

/**
 * To be done when STLS or STARTTLS is accepted: the client's hello comes first, and the server says no more before it.
 */
export const AWAIT_TLS: readonly Action[] = [
  { kind: 'pause', side: 'responder' },
  { kind: 'frameAs', from: 'initiator', mode: { kind: 'tls' } },
  { kind: 'resume', side: 'initiator' },
];

/**
 * A handshake has to follow from both sides (RFC 2595 3.1 and 4). What a client pipelined behind its STARTTLS was held
 * until now and shows here as something that is no hello.
 *
 * Held to `tls minimum-version` are the client's highest offer and what the server chose. A refusal for that, like one
 * of the server's octets, is to be a reset: words are no TLS.
 */
export function judgeTlsStart(
  awaits: Side,
  frame: Extract<Frame, { kind: 'tlsStart' }>,
  { tlsMinimumVersion = 0 }: TlsPolicy = {},
): TlsStart {
  if (frame.from !== awaits) return { kind: 'refused', reason: 'unexpected-frame' };
  if (!frame.wellFormed) {
    return { kind: 'refused', reason: awaits === 'initiator' ? 'plaintext-after-starttls' : 'tls-expected' };
  }
  if (isBelow(tlsMinimumVersion, frame.hello)) return { kind: 'refused', reason: 'tls-version' };
  if (awaits === 'responder') {
    return { kind: 'encrypted', actions: [{ kind: 'forward' }, { kind: 'stopInspecting', because: 'tls' }] };
  }
  return {
    kind: 'awaitsResponder',
    actions: [
      { kind: 'forward' },
      { kind: 'frameAs', from: 'initiator', mode: { kind: 'opaque' } },
      { kind: 'frameAs', from: 'responder', mode: { kind: 'tls' } },
      { kind: 'resume', side: 'responder' },
    ],
  };
}

/** A hello of which nothing is known is below any minimum. */
function isBelow(minimum: number, hello: TlsHello | undefined): boolean {
  return minimum > 0 && (hello?.version ?? 0) < minimum;
}
