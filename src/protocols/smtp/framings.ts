/** What the client sends that is no command line: SASL responses, message text, chunks, TLS. */
import type { Action, Frame, Step } from '../../inspect/inspector.ts';
import { isSaslResponse } from '../../inspect/sasl.ts';
import { judgeTlsStart } from '../../inspect/tls-start.ts';
import { MESSAGE, SASL_RESPONSE } from './grammar.ts';
import { closing } from './message.ts';
import { refuseWithReset, refuseWithWords, type SmtpPolicy } from './policy.ts';
import { moveTo, type SmtpState } from './state.ts';

const FORWARD: Action = { kind: 'forward' };
const OVERWRITE: Action = { kind: 'mask', start: 0, length: 1, fill: ' ', what: 'end-of-data-look-alike' };

export function onSaslLine(state: SmtpState, text: string, policy: SmtpPolicy): Step<SmtpState> {
  if (!isSaslResponse(text, true)) return { state, actions: refuseWithWords(policy, 'invalid-sasl-response') };
  const unanswered = [...state.unanswered, SASL_RESPONSE];
  return moveTo(state, { ...state, expecting: 'commands', unanswered }, [FORWARD]);
}

export function onPartialSaslLine(text: string, policy: SmtpPolicy): readonly Action[] {
  return isSaslResponse(text, false) ? [FORWARD] : refuseWithWords(policy, 'invalid-sasl-response');
}

/** RFC 5321 4.1.1.4. The server answers for the whole message; commands may follow at once (RFC 2920 3.1). */
export function onDataEnd(state: SmtpState): Step<SmtpState> {
  if (state.expecting !== 'data') return unexpected(state);
  const unanswered = [...state.unanswered, MESSAGE];
  const after: SmtpState = { ...closing(state), expecting: 'commands', unanswered, recipients: 0, mended: false };
  return { ...moveTo(state, after, [FORWARD]), facts: [{ kind: 'dataEnds' }] };
}

/** `line-endings tolerant`: made harmless where one held octet can do it, and told once a message. */
export function onLookAlike(
  state: SmtpState,
  { mendable = false }: Extract<Frame, { kind: 'endOfDataLookAlike' }>,
  policy: SmtpPolicy,
): Step<SmtpState> {
  if (state.expecting !== 'data') return unexpected(state);
  if (policy.lineEndings === 'tolerant' && mendable) {
    const told: readonly Action[] = state.mended
      ? []
      : [{ kind: 'alert', alert: { id: 'SMTP_END_OF_DATA_OVERWRITTEN' } }];
    return { state: { ...state, mended: true }, actions: [OVERWRITE, FORWARD, ...told] };
  }
  return { state, actions: refuseWithWords(policy, 'end-of-data-look-alike') };
}

export function onChunkEnd(state: SmtpState): Step<SmtpState> {
  if (state.expecting !== 'chunk') return unexpected(state);
  const step: Step<SmtpState> = {
    state: { ...state, expecting: 'commands', lastChunk: false },
    actions: [FORWARD],
  };
  return state.lastChunk ? { ...step, facts: [{ kind: 'dataEnds' }] } : step;
}

/** `max-data`: the message is cut off before its end, so the server never has the whole of it. */
export function onDataOverBudget(policy: SmtpPolicy): readonly Action[] {
  return refuseWithWords(policy, 'data-too-long', { id: 'SMTP_MAX_DATA', maxDataBytes: policy.maxDataBytes });
}

/** RFC 3207 4.2: behind the 220 comes TLS from both sides. */
export function onTlsStart(
  state: SmtpState,
  frame: Extract<Frame, { kind: 'tlsStart' }>,
  policy: SmtpPolicy,
): Step<SmtpState> {
  if (state.expecting !== 'clientHello' && state.expecting !== 'serverHello') return unexpected(state);
  const start = judgeTlsStart(state.expecting === 'clientHello' ? 'initiator' : 'responder', frame);
  switch (start.kind) {
    case 'awaitsResponder':
      return { state: { ...state, expecting: 'serverHello' }, actions: start.actions };
    case 'encrypted':
      return { state: { ...state, expecting: 'tls' }, actions: start.actions };
    case 'refused': {
      // A client that speaks in clear reads our words; one that awaits TLS would take them for a broken handshake.
      const words = frame.from === 'initiator';
      return { state, actions: words ? refuseWithWords(policy, start.reason) : refuseWithReset(start.reason) };
    }
  }
}

export function unexpected(state: SmtpState): Step<SmtpState> {
  return { state, actions: refuseWithReset('unexpected-frame') };
}
