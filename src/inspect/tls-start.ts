import type { Action, Frame, Side } from './inspector.ts';
import type { Reason } from './reasons.ts';
import { tlsAlert } from './tls-alert.ts';
import { tlsVersionName } from './tls-hello.ts';

/** What a side's first octets after the go-ahead for TLS come to. */
export type TlsStart =
  | { readonly kind: 'refused'; readonly reason: Reason }
  | { readonly kind: 'awaitsResponder'; readonly actions: readonly Action[] }
  | { readonly kind: 'encrypted'; readonly actions: readonly Action[] };

/**
 * To be done when STLS or STARTTLS is accepted: the client's hello comes first, and the server says no more before it.
 */
export const AWAIT_TLS: readonly Action[] = [
  { kind: 'pause', side: 'responder' },
  { kind: 'frameAs', from: 'initiator', mode: { kind: 'tls' } },
  { kind: 'resume', side: 'initiator' },
];

const AWAIT_SERVER: Action = { kind: 'frameAs', from: 'responder', mode: { kind: 'tls', alerts: true } };

/**
 * A handshake has to follow from both sides (RFC 2595 3.1 and 4). What a client pipelined behind its STARTTLS was held
 * until now and shows here as something that is no hello.
 */
export function judgeTlsStart(awaits: Side, frame: Extract<Frame, { kind: 'tlsStart' }>): TlsStart {
  if (frame.from !== awaits) return { kind: 'refused', reason: 'unexpected-frame' };
  // RFC 8446 6.2: so a server says why it takes no hello, and closes. One that only warns (RFC 6066 3) goes on with
  // its own hello; anything else behind an alert is refused as it would be in its place.
  if (awaits === 'responder' && frame.alert === true) {
    return { kind: 'awaitsResponder', actions: [{ kind: 'forward' }, AWAIT_SERVER] };
  }
  if (!frame.wellFormed) {
    return { kind: 'refused', reason: awaits === 'initiator' ? 'plaintext-after-starttls' : 'tls-expected' };
  }
  if (awaits === 'responder') {
    return { kind: 'encrypted', actions: [{ kind: 'forward' }, { kind: 'stopInspecting', because: 'tls' }] };
  }
  return {
    kind: 'awaitsResponder',
    actions: [
      { kind: 'forward' },
      { kind: 'frameAs', from: 'initiator', mode: { kind: 'opaque' } },
      AWAIT_SERVER,
      { kind: 'resume', side: 'responder' },
    ],
  };
}

/**
 * `tls minimum-version`, for any dialogue: held to it are the client's highest offer and what the server chose, as
 * numbers of the wire (0x0303 for TLS 1.2). A hello of which nothing is known is below any minimum. The client reads
 * the alert that a server would send for it (RFC 8446 4.2.1). Undefined: the dialogue judges the frame.
 */
export function refuseTlsVersion(frame: Frame, minimum: number | undefined): readonly Action[] | undefined {
  if (minimum === undefined || frame.kind !== 'tlsStart' || !frame.wellFormed) return undefined;
  const version = frame.hello?.version ?? 0;
  if (version >= minimum) return undefined;
  return [
    {
      kind: 'alert',
      alert: { id: 'TLS_VERSION', version: tlsVersionName(version), minimum: tlsVersionName(minimum) },
    },
    { kind: 'refuse', reason: 'tls-version', how: 'words', words: tlsAlert('protocol_version') },
  ];
}
