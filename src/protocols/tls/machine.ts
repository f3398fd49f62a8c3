import type { Frame, Inspector, Side, Step } from '../../inspect/inspector.ts';
import type { Reason } from '../../inspect/reasons.ts';
import { AWAIT_TLS, judgeTlsStart } from '../../inspect/tls-start.ts';

/** Who has to send its hello; undefined: both have, and nothing is read any more. */
export interface TlsState {
  readonly awaits: Side | undefined;
}

type Result = Step<TlsState>;

/**
 * The TLS ports of mail (RFC 8314 3): the client's hello, then the server's, and the session goes on unread. Anything
 * else is reset, for a peer that speaks TLS reads no words. What a server says before the client's hello is held.
 */
export const tls: Inspector<TlsState, undefined> = {
  name: 'tls',
  initial: { awaits: 'initiator' },
  // Lines are never cut: `begin` sets the first framing.
  lineBytesMax: { initiator: 0, responder: 0 },
  begin: AWAIT_TLS,

  step(state, frame) {
    return frame.kind === 'tlsStart' && state.awaits !== undefined
      ? onTlsStart(state.awaits, frame)
      : refuse(state, 'unexpected-frame');
  },

  stage({ awaits }) {
    if (awaits === undefined) return 'encrypted';
    return awaits === 'initiator' ? 'client-hello' : 'server-hello';
  },
};

function onTlsStart(awaits: Side, frame: Extract<Frame, { kind: 'tlsStart' }>): Result {
  const start = judgeTlsStart(awaits, frame);
  switch (start.kind) {
    case 'awaitsResponder':
      return { state: { awaits: 'responder' }, actions: start.actions };
    case 'encrypted':
      return { state: { awaits: undefined }, actions: start.actions };
    case 'refused':
      return refuse({ awaits }, start.reason === 'unexpected-frame' ? start.reason : 'tls-expected');
  }
}

function refuse(state: TlsState, reason: Reason): Result {
  return { state, actions: [{ kind: 'refuse', reason, how: 'reset' }] };
}
