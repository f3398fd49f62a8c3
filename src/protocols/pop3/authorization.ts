import { CLIENT_OPENINGS, readOpening } from '../../inspect/foreign.ts';
import type { Action, Step } from '../../inspect/inspector.ts';
import { isSaslResponse } from '../../inspect/sasl.ts';
import { AWAIT_TLS } from '../../inspect/tls-start.ts';
import { type WordTable, withoutUndecidedCr } from '../../inspect/words.ts';
import { POP3_REPLY_BYTES_MAX, POP3_SASL_BYTES_MAX, UNANSWERED_COMMANDS_MAX } from '../../limits.ts';
import { type Judgement, type JudgingContext, judgeCommand } from './command-line.ts';
import { AUTHORIZATION_VERBS, BEFORE_TLS_VERBS, SECURE_AUTHORIZATION_VERBS } from './grammar.ts';
import { factsOf, foreign, type Refusal, refuse } from './refusal.ts';
import { readReply } from './replies.ts';
import {
  AUTHORIZATION,
  type Authorization,
  isInitiatorPaused,
  type Pop3Policy,
  type Pop3State,
  type Unanswered,
} from './state.ts';

/** AUTHORIZATION (RFC 1939 4): commands are judged, and only the server's answers move the session. */

const FORWARD: Action = { kind: 'forward' };
const PAUSE_INITIATOR: Action = { kind: 'pause', side: 'initiator' };
const RESUME_INITIATOR: Action = { kind: 'resume', side: 'initiator' };
/** After authentication only QUIT matters; what else a line holds is not looked at. */
const TRANSACTION_LINE_BYTES_MAX = 512;

type Result = Step<Pop3State>;

/** Judges what the initiator sent, or the beginning of it: a command, or its turn in a SASL exchange. */
export function onInitiator(state: Authorization, text: string, complete: boolean, policy: Pop3Policy): Result {
  if (isInitiatorPaused(state)) return refusal(state, { reason: reasonWhilePaused(state) }, policy);
  if (state.challenged) return onSaslResponse(state, text, complete, policy);
  const decided = complete ? text : withoutUndecidedCr(text);
  // After QUIT whatever is no login is late, and that is what is told of it.
  const opening = readOpening(state.ended ? '' : decided, CLIENT_OPENINGS);
  if (opening.kind === 'foreign') return refusal(state, foreign(opening.spoken, 'initiator'), policy);
  const judged = judgeInitiator(state, text, complete, policy);
  if (judged.kind === 'refused' && !complete && opening.kind === 'undecided') return { state, actions: [FORWARD] };
  switch (judged.kind) {
    case 'growing':
      return { state, actions: [FORWARD] };
    case 'refused':
      return refusal(state, judged.refusal, policy);
    case 'command':
      return onCommand(state, judged, policy);
  }
}

function verbsBy({ requireTls = false, secureLogin }: Pop3Policy): WordTable {
  if (requireTls) return BEFORE_TLS_VERBS;
  return secureLogin ? SECURE_AUTHORIZATION_VERBS : AUTHORIZATION_VERBS;
}

/** What the line comes to as a command. */
function judgeInitiator(state: Authorization, text: string, complete: boolean, policy: Pop3Policy): Judgement {
  const context: JudgingContext = {
    verbs: verbsBy(policy),
    secureLogin: policy.secureLogin,
    requireTls: policy.requireTls ?? false,
    passInvalid: policy.invalidCommand === 'pass',
    userTold: state.userTold,
    ended: state.ended,
    secretMayFollow: state.secretMayFollow,
  };
  return judgeCommand(text, complete, context);
}

function onCommand(state: Authorization, judged: Extract<Judgement, { kind: 'command' }>, policy: Pop3Policy): Result {
  const { verb, command, fact } = judged;
  if (state.unanswered.length >= UNANSWERED_COMMANDS_MAX) {
    return refusal(state, { reason: 'too-many-unanswered', text: verb }, policy);
  }
  const next: Authorization = {
    ...state,
    unanswered: [...state.unanswered, command],
    responderOpaque: false,
    // A secret may come in more lines than one, and none of them is a command.
    secretMayFollow: fact?.kind === 'invalidCommand' && state.secretMayFollow,
    userTold: verb === 'USER' || (state.userTold && verb !== 'PASS'),
  };
  return {
    ...(fact === undefined ? {} : { facts: [fact] }),
    state: next,
    actions: [
      FORWARD,
      ...(state.responderOpaque ? readAgain() : []),
      ...(isInitiatorPaused(next) ? [PAUSE_INITIATOR] : []),
    ],
  };
}

/** A client that goes on after QUIT is read from here as strictly as at the beginning. */
function readAgain(): readonly Action[] {
  return [
    { kind: 'inspectAgain' },
    { kind: 'frameAs', from: 'initiator', mode: { kind: 'lines', budgetBytes: POP3_SASL_BYTES_MAX } },
    { kind: 'frameAs', from: 'responder', mode: { kind: 'lines', budgetBytes: POP3_REPLY_BYTES_MAX } },
  ];
}

function onSaslResponse(state: Authorization, line: string, complete: boolean, policy: Pop3Policy): Result {
  const text = complete ? line : withoutUndecidedCr(line);
  if (!isSaslResponse(text, complete)) return refusal(state, { reason: 'invalid-sasl-response' }, policy);
  if (!complete) return { state, actions: [FORWARD] };
  return { state: { ...state, challenged: false }, actions: [FORWARD, PAUSE_INITIATOR] };
}

/** The beginning of a line from the server, of one octet or more. */
export function onReplyBegun(state: Authorization, text: string, policy: Pop3Policy): Result {
  return isUnasked(state, text) ? refuseReply(state, 'unexpected-reply', policy) : { state, actions: [FORWARD] };
}

/**
 * An answer is known to be one too many at its first octet. Its end may come when a command has been sent, which it
 * would then seem to answer. -ERR may come unasked; nothing is settled while the server's own challenge is open.
 */
function isUnasked({ inListing, unanswered, challenged }: Authorization, text: string): boolean {
  return !inListing && text.startsWith('+') && (unanswered.length === 0 || challenged);
}

/** A whole line from the server. */
export function onReply(state: Authorization, text: string, policy: Pop3Policy): Result {
  if (state.inListing) return onListed(state, text);
  if (isUnasked(state, text)) return refuseReply(state, 'unexpected-reply', policy);
  const reply = readReply(text);
  const [answered, ...unanswered] = state.unanswered;
  switch (reply) {
    case 'malformed':
      return refuseReply(state, 'invalid-reply', policy);
    case 'challenge':
      if (answered?.challenges !== true) return refuseReply(state, 'unexpected-reply', policy);
      return {
        state: { ...state, unanswered: [{ ...answered, awaitsChallenge: false }, ...unanswered], challenged: true },
        actions: [FORWARD, RESUME_INITIATOR],
      };
    case 'negative':
      return onNegative(state, answered, unanswered);
    case 'affirmative':
      if (answered === undefined) return refuseReply(state, 'unexpected-reply', policy);
      // RFC 4422 3: every exchange has a challenge or an initial response, so the +OK is another command's.
      if (answered.awaitsChallenge === true) return refuseReply(state, 'unexpected-reply', policy);
      return onAffirmative({ ...state, unanswered }, answered);
  }
}

/** Its first octets may have gone ahead, and words behind them would be read as its end. */
function refuseReply(state: Authorization, reason: 'invalid-reply' | 'unexpected-reply', policy: Pop3Policy): Result {
  return refusal(state, { reason }, { ...policy, reset: true });
}

/** RFC 2595 4: the keyword is STLS. Other firewalls leave as many X of what they overwrite. */
const OVERWRITTEN = /^X{3}[A-Z](?: |$)/;

function onListed(state: Authorization, text: string): Result {
  const { stls } = state;
  if (text === '.') {
    const step: Result = { state: { ...state, inListing: false, stls: undefined }, actions: [FORWARD] };
    return stls === undefined ? step : { ...step, facts: [{ kind: 'starttls', offer: stls }] };
  }
  if (stls === undefined || stls === 'offered') return { state, actions: [FORWARD] };
  if (/^STLS(?: |$)/i.test(text)) return { state: { ...state, stls: 'offered' }, actions: [FORWARD] };
  return { state: OVERWRITTEN.test(text) ? { ...state, stls: 'overwritten' } : state, actions: [FORWARD] };
}

/** A server may also say -ERR unasked, before it closes for its own reasons (RFC 1939 3, autologout). */
function onNegative(state: Authorization, answered: Unanswered | undefined, unanswered: readonly Unanswered[]): Result {
  if (answered === undefined) return { state, actions: [FORWARD] };
  const waited = isInitiatorPaused(state) && unanswered.length === 0;
  const secretMayFollow = state.secretMayFollow || answered.onOk === 'authenticates';
  return {
    state: { ...state, unanswered, challenged: false, secretMayFollow },
    actions: waited ? [FORWARD, RESUME_INITIATOR] : [FORWARD],
    // RFC 2595 4: the client may go on in clear.
    ...(answered.onOk === 'startsTls' ? { facts: [{ kind: 'starttls', offer: 'refused' }] } : {}),
  };
}

function onAffirmative(state: Authorization, answered: Unanswered): Result {
  switch (answered.onOk) {
    case 'nothing':
      return {
        state: { ...state, inListing: answered.multi, stls: answered.capabilities === true ? 'missing' : undefined },
        actions: [FORWARD],
      };
    case 'ends':
      return { state: { ...state, ended: true }, actions: [FORWARD, RESUME_INITIATOR] };
    case 'authenticates':
      return { state: { at: 'TRANSACTION' }, actions: [FORWARD, ...stopJudging()] };
    case 'startsTls':
      return { state: { at: 'TLS_HELLO', awaits: 'initiator' }, actions: [FORWARD, ...AWAIT_TLS] };
  }
}

function stopJudging(): readonly Action[] {
  const mode = { kind: 'lines', budgetBytes: TRANSACTION_LINE_BYTES_MAX, tolerant: true } as const;
  return [
    { kind: 'stopInspecting', because: 'authenticated' },
    { kind: 'frameAs', from: 'initiator', mode },
    RESUME_INITIATOR,
  ];
}

/** QUIT after authentication ends the session whatever the server answers (RFC 1939 6). */
export function afterQuit(): Result {
  return {
    state: { ...AUTHORIZATION, ended: true, responderOpaque: true },
    actions: [
      FORWARD,
      { kind: 'frameAs', from: 'initiator', mode: { kind: 'lines', budgetBytes: POP3_SASL_BYTES_MAX } },
    ],
  };
}

/** RFC 2595 4: nothing may follow STLS before its answer; a server that read ahead would take it for encrypted. */
function reasonWhilePaused(state: Authorization): 'plaintext-after-starttls' | 'unexpected-frame' {
  return state.unanswered.at(-1)?.onOk === 'startsTls' ? 'plaintext-after-starttls' : 'unexpected-frame';
}

function refusal(state: Pop3State, why: Refusal, policy: Pop3Policy): Result {
  return { state, actions: refuse(why, policy), facts: factsOf(why) };
}
