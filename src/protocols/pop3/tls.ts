import type { Frame, Step } from '../../inspect/inspector.ts';
import { judgeTlsStart } from '../../inspect/tls-start.ts';
import { refuse } from './refusal.ts';
import type { Pop3Policy, Pop3State } from './state.ts';

/** STLS was accepted (RFC 2595 4): both hellos are awaited, the client's first. */
export function onTlsStart(
  state: Extract<Pop3State, { at: 'TLS_HELLO' }>,
  frame: Extract<Frame, { kind: 'tlsStart' }>,
  policy: Pop3Policy,
): Step<Pop3State> {
  const start = judgeTlsStart(state.awaits, frame);
  switch (start.kind) {
    case 'refused':
      return { state, actions: refuse({ reason: start.reason }, policy) };
    case 'awaitsResponder':
      return { state: { at: 'TLS_HELLO', awaits: 'responder' }, actions: start.actions };
    case 'encrypted':
      return { state: { at: 'ENCRYPTED' }, actions: start.actions };
  }
}
