import type { Frame, Step } from '../../inspect/inspector.ts';
import { refuse } from './refusal.ts';
import type { Pop3Policy, Pop3State } from './state.ts';

/**
 * STLS was accepted (RFC 2595 4): a handshake has to follow from both sides, the client's first. Whatever was pipelined
 * behind STLS was held until now and shows here as something that is no hello.
 */
export function onTlsStart(
  state: Extract<Pop3State, { at: 'TLS_HELLO' }>,
  frame: Extract<Frame, { kind: 'tlsStart' }>,
  policy: Pop3Policy,
): Step<Pop3State> {
  if (frame.from !== state.awaits) return { state, actions: refuse({ reason: 'unexpected-frame' }, policy) };
  if (frame.from === 'initiator') {
    if (!frame.wellFormed) return { state, actions: refuse({ reason: 'plaintext-after-starttls' }, policy) };
    return {
      state: { at: 'TLS_HELLO', awaits: 'responder' },
      actions: [
        { kind: 'forward' },
        { kind: 'frameAs', from: 'initiator', mode: { kind: 'opaque' } },
        { kind: 'frameAs', from: 'responder', mode: { kind: 'tls' } },
        { kind: 'resume', side: 'responder' },
      ],
    };
  }
  if (!frame.wellFormed) return { state, actions: refuse({ reason: 'tls-expected' }, policy) };
  return { state: { at: 'ENCRYPTED' }, actions: [{ kind: 'forward' }, { kind: 'stopInspecting', because: 'tls' }] };
}
