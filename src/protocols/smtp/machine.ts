import { type Frame, type Inspector, type Side, type Step, unreachable } from '../../inspect/inspector.ts';
import { findLineFault, type TextFrame } from '../../inspect/line-ends.ts';
import { withoutUndecidedCr } from '../../inspect/words.ts';
import { SASL_RESPONSE_BYTES_MAX, SMTP_REPLY_BYTES_MAX } from '../../limits.ts';
import { onPartialReplyLine, onReplyLine, refuseReply } from './answers.ts';
import { onCommandLine, onPartialCommandLine } from './commands.ts';
import {
  onChunkEnd,
  onDataEnd,
  onDataOverBudget,
  onLookAlike,
  onPartialSaslLine,
  onSaslLine,
  onTlsStart,
  unexpected,
} from './framings.ts';
import { refuseWithReset, refuseWithWords, type SmtpPolicy } from './policy.ts';
import { initialSmtpState, type SmtpState, stageOf } from './state.ts';

/** SMTP and ESMTP (RFC 5321), between the connection and its end or the start of TLS. */
export const smtp: Inspector<SmtpState, SmtpPolicy> = {
  name: 'smtp',
  initial: initialSmtpState,
  // AUTH with an initial response and SASL responses are the longest lines; commands have a budget of their own.
  lineBytesMax: { initiator: SASL_RESPONSE_BYTES_MAX, responder: SMTP_REPLY_BYTES_MAX },
  step,
  stage: stageOf,
};

function step(state: SmtpState, frame: Frame, policy: SmtpPolicy): Step<SmtpState> {
  // RFC 5321 4.1.1.10: after the answer to QUIT nothing but the closing of the connection is left.
  if (state.expecting === 'nothing') return { state, actions: refuseWithReset('data-after-end') };
  if (frame.kind === 'line' || frame.kind === 'partial' || frame.kind === 'overBudget') {
    const refused = onLineFault(state, frame, policy);
    if (refused !== undefined) return refused;
  }
  switch (frame.kind) {
    case 'line':
      return onLine(state, frame, policy);
    case 'partial':
      return onPartial(state, frame, policy);
    case 'dataEnd':
      return onDataEnd(state);
    case 'endOfDataLookAlike':
      return onLookAlike(state, frame, policy);
    case 'countedEnd':
      return onChunkEnd(state);
    case 'tlsStart':
      return onTlsStart(state, frame, policy);
    case 'content':
      return unexpected(state);
    case 'overBudget':
      return onOverBudget(state, frame, policy);
    default:
      return unreachable(frame);
  }
}

/** `line-endings strict`. What stands before the octet in question may be refused for something else. */
function onLineFault(state: SmtpState, frame: TextFrame, policy: SmtpPolicy): Step<SmtpState> | undefined {
  if (policy.lineEndings !== 'strict') return undefined;
  const fault = findLineFault(frame);
  if (fault === undefined) return undefined;
  const { head, reason } = fault;
  const before = isLineGoingOn(state, frame.from) ? { state, actions: [] } : onHead(state, frame.from, head, policy);
  if (before.actions.some(({ kind }) => kind === 'refuse')) return before;
  const actions = frame.from === 'responder' ? refuseReply(reason, head, policy) : refuseWithWords(policy, reason);
  return { ...before, actions };
}

function onLine(state: SmtpState, frame: Extract<Frame, { kind: 'line' }>, policy: SmtpPolicy): Step<SmtpState> {
  if (frame.from === 'responder') return onReplyLine(state, frame.text, policy);
  switch (state.expecting) {
    case 'commands':
      return onCommandLine(state, frame.text, policy);
    case 'sasl':
      return onSaslLine(state, frame.text, policy);
    default:
      return unexpected(state);
  }
}

function onPartial(state: SmtpState, frame: Extract<Frame, { kind: 'partial' }>, policy: SmtpPolicy): Step<SmtpState> {
  return onHead(state, frame.from, withoutUndecidedCr(frame.text), policy);
}

/** A line without end. What an earlier partial would have been refused for is the reason here too. */
function onOverBudget(
  state: SmtpState,
  frame: Extract<Frame, { kind: 'overBudget' }>,
  policy: SmtpPolicy,
): Step<SmtpState> {
  if (frame.from === 'initiator' && state.expecting === 'data') return { state, actions: onDataOverBudget(policy) };
  const head = onHead(state, frame.from, frame.text, policy);
  if (head.actions.some((action) => action.kind === 'refuse')) return head;
  const byResponder = frame.from === 'responder';
  const actions = byResponder ? refuseWithReset('line-too-long') : refuseWithWords(policy, 'line-too-long');
  return { ...head, actions };
}

function onHead(state: SmtpState, from: Side, text: string, policy: SmtpPolicy): Step<SmtpState> {
  if (from === 'responder') return { state, actions: onPartialReplyLine(state, text, policy) };
  switch (state.expecting) {
    case 'commands':
      return onPartialCommandLine(state, text, policy);
    case 'sasl':
      return { state, actions: onPartialSaslLine(text, policy) };
    default:
      return text.includes('\r') ? { state, actions: refuseWithWords(policy, 'control-character') } : unexpected(state);
  }
}

/** A line was judged at its CR and changed the framing, and something else than LF follows: all of it comes again. */
function isLineGoingOn({ expecting }: SmtpState, from: Side): boolean {
  return from === 'initiator' && expecting !== 'commands' && expecting !== 'sasl';
}
