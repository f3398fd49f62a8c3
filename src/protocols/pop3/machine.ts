import { CLIENT_OPENINGS, readOpening, SERVER_OPENINGS } from '../../inspect/foreign.ts';
import { type Frame, type Inspector, type Step, unreachable } from '../../inspect/inspector.ts';
import { refuseLineFault } from '../../inspect/line-ends.ts';
import { withoutUndecidedCr } from '../../inspect/words.ts';
import { POP3_REPLY_BYTES_MAX, POP3_SASL_BYTES_MAX } from '../../limits.ts';
import { afterQuit, onInitiator, onReply, onReplyBegun } from './authorization.ts';
import { judgeCommand } from './command-line.ts';
import { CLOSED_VERBS } from './grammar.ts';
import { factsOf, foreign, type Refusal, refuse } from './refusal.ts';
import { canBeGreeting, readReply } from './replies.ts';
import { AUTHORIZATION, type Pop3Policy, type Pop3State } from './state.ts';
import { onTlsStart } from './tls.ts';

type Result = Step<Pop3State>;

/** POP3 up to the client's authentication or its encryption (cisco-ios 3.7), and the end of the session after that. */
export const pop3: Inspector<Pop3State, Pop3Policy> = {
  name: 'pop3',
  initial: { at: 'GREETING' },
  // AUTH with its initial response is the longest line; others are held to POP3_COMMAND_BYTES_MAX as one reads.
  lineBytesMax: { initiator: POP3_SASL_BYTES_MAX, responder: POP3_REPLY_BYTES_MAX },

  step(state, frame, policy) {
    switch (frame.kind) {
      case 'line':
      case 'partial':
        return onText(state, frame, policy);
      case 'tlsStart':
        return state.at === 'TLS_HELLO'
          ? onTlsStart(state, frame, policy)
          : refusal(state, { reason: 'unexpected-frame' }, policy);
      case 'overBudget':
        return onOverBudget(state, frame, policy);
      case 'countedEnd':
      case 'dataEnd':
      case 'endOfDataLookAlike':
      case 'content':
        return refusal(state, { reason: 'unexpected-frame' }, policy);
      default:
        return unreachable(frame);
    }
  },

  stage(state) {
    switch (state.at) {
      case 'GREETING':
        return 'greeting';
      case 'AUTHORIZATION':
        if (state.ended) return 'ended';
        return state.unanswered.at(-1)?.challenges === true ? 'sasl' : 'authorization';
      case 'TLS_HELLO':
        return 'starttls';
      case 'ENCRYPTED':
        return 'encrypted';
      case 'TRANSACTION':
        return 'transaction';
      case 'CLOSED':
        return 'closed';
      default:
        return unreachable(state);
    }
  },
};

type TextFrame = Extract<Frame, { kind: 'line' | 'partial' }>;

function onText(state: Pop3State, frame: TextFrame, policy: Pop3Policy): Result {
  return onLineFault(state, frame, policy) ?? judgeText(state, frame, policy);
}

/** What peers may read as another line than we do, where lines are read strictly. */
function onLineFault(state: Pop3State, frame: TextFrame, policy: Pop3Policy): Result | undefined {
  if (!isReadStrictly(state)) return undefined;
  return refuseLineFault(frame, policy.lineEndings ?? 'normalize', {
    judgeHead: (head) => judgeText(state, upToBareCr(frame, head), policy),
    // Words behind the beginning of a reply would be read as its end.
    refuse: (reason, byResponder) => refusal(state, { reason }, byResponder ? { ...policy, reset: true } : policy),
  });
}

/** A CR may have been the last octet to come before the one that tells what it is: judged as it was then. */
function upToBareCr({ text }: TextFrame, head: Extract<Frame, { kind: 'partial' }>): TextFrame {
  return text[head.text.length] === '\r' ? { ...head, text: `${head.text}\r` } : head;
}

/** Before authentication; after it only QUIT matters. */
function isReadStrictly({ at }: Pop3State): boolean {
  return at === 'GREETING' || at === 'AUTHORIZATION' || at === 'CLOSED';
}

function judgeText(state: Pop3State, frame: TextFrame, policy: Pop3Policy): Result {
  switch (state.at) {
    case 'GREETING':
      return frame.from === 'initiator' ? onEarlyTalk(frame, policy) : onGreeting(frame, policy);
    case 'AUTHORIZATION':
      if (frame.from === 'initiator') return onInitiator(state, frame.text, frame.kind === 'line', policy);
      return (frame.kind === 'line' ? onReply : onReplyBegun)(state, frame.text, policy);
    case 'TRANSACTION':
      return frame.from === 'initiator' && frame.kind === 'line' && isQuit(frame.text) ? afterQuit() : forward(state);
    case 'CLOSED':
      return frame.from === 'initiator' ? onClosed(state, frame, policy) : forward(state);
    case 'TLS_HELLO':
    case 'ENCRYPTED':
      return refusal(state, { reason: 'unexpected-frame' }, policy);
    default:
      return unreachable(state);
  }
}

/** The text of a line, or what of its beginning is settled. */
function decided({ kind, text }: TextFrame): string {
  return kind === 'line' ? text : withoutUndecidedCr(text);
}

/** Refused in any case; what may yet turn out to be another protocol a few octets later, when it can be named. */
function onEarlyTalk(frame: TextFrame, policy: Pop3Policy): Result {
  const state = pop3.initial;
  const opening = readOpening(decided(frame), CLIENT_OPENINGS);
  if (opening.kind === 'foreign') return refusal(state, foreign(opening.spoken, 'initiator'), policy);
  const mayYet = frame.kind === 'partial' && opening.kind === 'undecided';
  return mayYet ? forward(state) : refusal(state, { reason: 'early-talk' }, policy);
}

function onGreeting(frame: TextFrame, policy: Pop3Policy): Result {
  const state = pop3.initial;
  const possible =
    frame.kind === 'line' ? canBeGreeting(`${frame.text} `) : canBeGreeting(withoutUndecidedCr(frame.text));
  if (!possible) return onNoGreeting(frame, policy);
  if (frame.kind === 'partial') return forward(state);
  return forward(readReply(frame.text) === 'affirmative' ? AUTHORIZATION : { at: 'CLOSED' });
}

/** Servers take QUIT in any case, and some do with arguments behind it; either ends the session. */
function isQuit(text: string): boolean {
  return /^ *QUIT(?: |$)/i.test(text);
}

/** What another protocol's server may greet with has gone ahead where it came in pieces: words would be its end. */
function onNoGreeting(frame: TextFrame, policy: Pop3Policy): Result {
  const state = pop3.initial;
  const opening = readOpening(decided(frame), SERVER_OPENINGS);
  if (opening.kind === 'foreign') return refusal(state, foreign(opening.spoken, 'responder'), policy);
  if (frame.kind === 'partial' && opening.kind === 'undecided') return forward(state);
  const hasBegun = readOpening(frame.text.slice(0, 1), SERVER_OPENINGS).kind === 'undecided';
  return refusal(state, { reason: 'invalid-greeting' }, hasBegun ? { ...policy, reset: true } : policy);
}

function onClosed(state: Pop3State, frame: TextFrame, policy: Pop3Policy): Result {
  const context = {
    verbs: CLOSED_VERBS,
    secureLogin: false,
    requireTls: false,
    passInvalid: false,
    userTold: false,
    ended: true,
    secretMayFollow: false,
  };
  const judged = judgeCommand(frame.text, frame.kind === 'line', context);
  return judged.kind === 'refused' ? refusal(state, judged.refusal, policy) : forward(state);
}

/** The head of an over-long line is judged first: what is refused for its beginning stays that, however long it is. */
function onOverBudget(state: Pop3State, frame: Extract<Frame, { kind: 'overBudget' }>, policy: Pop3Policy): Result {
  const judged = onText(state, { kind: 'partial', from: frame.from, text: frame.text }, policy);
  if (judged.actions.some((action) => action.kind === 'refuse')) return judged;
  return refusal(state, { reason: 'line-too-long' }, policy);
}

function forward(state: Pop3State): Result {
  return { state, actions: [{ kind: 'forward' }] };
}

function refusal(state: Pop3State, why: Refusal, policy: Pop3Policy): Result {
  return { state, actions: refuse(why, policy), facts: factsOf(why) };
}
