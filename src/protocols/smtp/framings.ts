/** What the client sends that is no command line: SASL responses, message text, chunks, TLS. */
import type { Action, Side, Step } from '../../inspect/inspector.ts';
import { MESSAGE, SASL_RESPONSE } from './grammar.ts';
import { refuseWithReset, refuseWithWords, type SmtpPolicy } from './policy.ts';
import { moveTo, type SmtpState } from './state.ts';

const FORWARD: Action = { kind: 'forward' };
/** RFC 4954 4: base64, or a lone asterisk that gives up. Empty is the response of no octets. */
const SASL = /^(?:\*|[A-Za-z0-9+/]*={0,2})$/;

export function onSaslLine(state: SmtpState, text: string, policy: SmtpPolicy): Step<SmtpState> {
  if (!SASL.test(text)) return { state, actions: refuseWithWords(policy, 'invalid-sasl-response') };
  const unanswered = [...state.unanswered, SASL_RESPONSE];
  return moveTo(state, { ...state, expecting: 'commands', unanswered }, [FORWARD]);
}

export function onPartialSaslLine(text: string, policy: SmtpPolicy): readonly Action[] {
  return SASL.test(text) ? [FORWARD] : refuseWithWords(policy, 'invalid-sasl-response');
}

/** RFC 5321 4.1.1.4. The server answers for the whole message; commands may follow at once (RFC 2920 3.1). */
export function onDataEnd(state: SmtpState): Step<SmtpState> {
  if (state.expecting !== 'data') return unexpected(state);
  const unanswered = [...state.unanswered, MESSAGE];
  return moveTo(state, { ...state, expecting: 'commands', unanswered, recipients: 0 }, [FORWARD]);
}

export function onLookAlike(state: SmtpState, policy: SmtpPolicy): Step<SmtpState> {
  if (state.expecting !== 'data') return unexpected(state);
  return { state, actions: refuseWithWords(policy, 'end-of-data-look-alike') };
}

export function onChunkEnd(state: SmtpState): Step<SmtpState> {
  if (state.expecting !== 'chunk') return unexpected(state);
  return { state: { ...state, expecting: 'commands' }, actions: [FORWARD] };
}

/** `max-data`: the message is cut off before its end, so the server never has the whole of it. */
export function onDataOverBudget(policy: SmtpPolicy): readonly Action[] {
  return refuseWithWords(policy, 'data-too-long', { id: 'SMTP_MAX_DATA', maxDataBytes: policy.maxDataBytes });
}

/**
 * RFC 3207 4.2: behind the 220 comes TLS from both sides, the client's hello first. What the client sent between STARTTLS and
 * the 220 was held, so it stands here and is refused before a server could take it for the first words of the secure session.
 */
export function onTlsStart(state: SmtpState, from: Side, wellFormed: boolean, policy: SmtpPolicy): Step<SmtpState> {
  if (state.expecting === 'clientHello' && from === 'initiator') {
    if (!wellFormed) return { state, actions: refuseWithWords(policy, 'plaintext-after-starttls') };
    return {
      state: { ...state, expecting: 'serverHello' },
      actions: [
        FORWARD,
        { kind: 'frameAs', from: 'initiator', mode: { kind: 'opaque' } },
        { kind: 'frameAs', from: 'responder', mode: { kind: 'tls' } },
        { kind: 'resume', side: 'responder' },
      ],
    };
  }
  if (state.expecting === 'serverHello' && from === 'responder') {
    if (!wellFormed) return { state, actions: refuseWithReset('tls-expected') };
    return { state: { ...state, expecting: 'tls' }, actions: [FORWARD, { kind: 'stopInspecting', because: 'tls' }] };
  }
  return unexpected(state);
}

export function unexpected(state: SmtpState): Step<SmtpState> {
  return { state, actions: refuseWithReset('unexpected-frame') };
}
