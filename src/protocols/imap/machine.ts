import { CLIENT_OPENINGS, readOpening, SERVER_OPENINGS } from '../../inspect/foreign.ts';
import { type Frame, type Inspector, type Step, unreachable } from '../../inspect/inspector.ts';
import { refuseLineFault } from '../../inspect/line-ends.ts';
import { judgeTlsStart } from '../../inspect/tls-start.ts';
import { withoutUndecidedCr } from '../../inspect/words.ts';
import { IMAP_REPLY_BYTES_MAX, SASL_RESPONSE_BYTES_MAX } from '../../limits.ts';
import { onResponderLine, onResponseBegun } from './answers.ts';
import { beginAuthenticated, onAuthenticatedBegun, onAuthenticatedLine, onLeavingLine } from './authenticated.ts';
import { judgeCommand } from './command-line.ts';
import { CLOSED_VERBS } from './grammar.ts';
import { onInitiator, onLiteralEnd } from './not-authenticated.ts';
import { offersOf } from './offers.ts';
import { factsOf, foreign, type Refusal, refuse } from './refusal.ts';
import { canBeGreeting, capabilitiesIn, readResponse } from './replies.ts';
import { type ImapPolicy, type ImapState, NOT_AUTHENTICATED } from './state.ts';

type Result = Step<ImapState>;

/** IMAP up to the client's authentication or its encryption (cisco-ios 3.7), and the end of the session after that. */
export const imap: Inspector<ImapState, ImapPolicy> = {
  name: 'imap',
  initial: { at: 'GREETING' },
  // AUTHENTICATE with its initial response is the longest line; others are held to IMAP_COMMAND_BYTES_MAX as one
  // reads.
  lineBytesMax: { initiator: SASL_RESPONSE_BYTES_MAX, responder: IMAP_REPLY_BYTES_MAX },

  step(state, frame, policy) {
    switch (frame.kind) {
      case 'line':
      case 'partial':
        return onText(state, frame, policy);
      case 'countedEnd':
        return onCountedEnd(state, frame, policy);
      case 'tlsStart':
        return onTlsStart(state, frame, policy);
      case 'overBudget':
        return onOverBudget(state, frame, policy);
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
      case 'NOT_AUTHENTICATED':
        if (state.ended) return 'ended';
        return state.unanswered.at(-1)?.challenges === true ? 'sasl' : 'not-authenticated';
      case 'TLS_HELLO':
        return 'starttls';
      case 'ENCRYPTED':
        return 'encrypted';
      case 'AUTHENTICATED':
      case 'LEAVING':
        return 'authenticated';
      case 'CLOSED':
        return 'closed';
      default:
        return unreachable(state);
    }
  },
};

type TextFrame = Extract<Frame, { kind: 'line' | 'partial' }>;

function onText(state: ImapState, frame: TextFrame, policy: ImapPolicy): Result {
  return onLineFault(state, frame, policy) ?? judgeText(state, frame, policy);
}

/** What peers may read as another line than we do, where lines are read strictly. */
function onLineFault(state: ImapState, frame: TextFrame, policy: ImapPolicy): Result | undefined {
  if (!isReadStrictly(state)) return undefined;
  return refuseLineFault(frame, policy.lineEndings ?? 'normalize', {
    judgeHead: (head) => judgeText(state, head, policy),
    // Words behind the beginning of a reply would be read as its end.
    refuse: (reason, byResponder) => refusal(state, { reason }, byResponder ? { ...policy, reset: true } : policy),
  });
}

/** Before authentication; after it nothing is judged. */
function isReadStrictly({ at }: ImapState): boolean {
  return at === 'GREETING' || at === 'NOT_AUTHENTICATED' || at === 'CLOSED';
}

function judgeText(state: ImapState, frame: TextFrame, policy: ImapPolicy): Result {
  const whole = frame.kind === 'line';
  const fromInitiator = frame.from === 'initiator';
  switch (state.at) {
    case 'GREETING':
      return fromInitiator ? onEarlyTalk(frame, policy) : onGreeting(frame, policy);
    case 'NOT_AUTHENTICATED':
      if (fromInitiator) return onInitiator(state, frame, policy);
      return (whole ? onResponderLine : onResponseBegun)(state, frame.text, policy);
    case 'AUTHENTICATED':
      if (!fromInitiator) return forward(state);
      return whole ? onAuthenticatedLine(state, frame.text, policy) : onAuthenticatedBegun(state, frame.text, policy);
    case 'LEAVING':
      return !fromInitiator && whole ? onLeavingLine(state, frame.text) : forward(state);
    case 'CLOSED':
      return fromInitiator ? onClosed(state, frame, policy) : forward(state);
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
function onEarlyTalk(frame: TextFrame, policy: ImapPolicy): Result {
  const state = imap.initial;
  const opening = readOpening(decided(frame), CLIENT_OPENINGS);
  if (opening.kind === 'foreign') return refusal(state, foreign(opening.spoken, 'initiator'), policy);
  const mayYet = frame.kind === 'partial' && opening.kind === 'undecided';
  return mayYet ? forward(state) : refusal(state, { reason: 'early-talk' }, policy);
}

function onGreeting(frame: TextFrame, policy: ImapPolicy): Result {
  const state = imap.initial;
  const possible =
    frame.kind === 'line' ? canBeGreeting(`${frame.text} `) : canBeGreeting(withoutUndecidedCr(frame.text));
  if (!possible) return onNoGreeting(frame, policy);
  if (frame.kind === 'partial') return forward(state);
  const response = readResponse(frame.text);
  const status = response.kind === 'untagged' ? response.status : undefined;
  if (status === 'PREAUTH') {
    // Its beginning has gone ahead; words behind it would be read as its end.
    return policy.requireTls === true
      ? refusal(state, { reason: 'tls-required' }, { ...policy, reset: true })
      : beginAuthenticated({ greeted: true, mayHaveLeft: false, offers: offersOf(capabilitiesIn(frame.text) ?? []) });
  }
  if (status === 'BYE') return forward({ at: 'CLOSED' });
  // Read once more as a response: its code may name capabilities, and hold a literal.
  return onResponderLine(NOT_AUTHENTICATED, frame.text, policy);
}

/** What another protocol's server may greet with has gone ahead where it came in pieces: words would be its end. */
function onNoGreeting(frame: TextFrame, policy: ImapPolicy): Result {
  const state = imap.initial;
  const opening = readOpening(decided(frame), SERVER_OPENINGS);
  if (opening.kind === 'foreign') return refusal(state, foreign(opening.spoken, 'responder'), policy);
  if (frame.kind === 'partial' && opening.kind === 'undecided') return forward(state);
  const hasBegun = readOpening(frame.text.slice(0, 1), SERVER_OPENINGS).kind === 'undecided';
  return refusal(state, { reason: 'invalid-greeting' }, hasBegun ? { ...policy, reset: true } : policy);
}

function onClosed(state: ImapState, frame: TextFrame, policy: ImapPolicy): Result {
  const judged = judgeCommand(frame.text, frame.kind === 'line', {
    verbs: CLOSED_VERBS,
    secureLogin: false,
    requireTls: false,
    passInvalid: false,
    ended: true,
    secretMayFollow: false,
    isTagInUse: () => false,
  });
  return judged.kind === 'refused' ? refusal(state, judged.refusal, policy) : forward(state);
}

function onCountedEnd(state: ImapState, frame: Extract<Frame, { kind: 'countedEnd' }>, policy: ImapPolicy): Result {
  const fromInitiator = frame.from === 'initiator';
  if (state.at === 'AUTHENTICATED' && fromInitiator && state.midCommand) return forward(state);
  if (state.at !== 'NOT_AUTHENTICATED') return refusal(state, { reason: 'unexpected-frame' }, policy);
  if (fromInitiator) return onLiteralEnd(state, frame.bytes, policy);
  return state.response === 'whole' ? refusal(state, { reason: 'unexpected-frame' }, policy) : forward(state);
}

function onTlsStart(state: ImapState, frame: Extract<Frame, { kind: 'tlsStart' }>, policy: ImapPolicy): Result {
  if (state.at !== 'TLS_HELLO') return refusal(state, { reason: 'unexpected-frame' }, policy);
  const start = judgeTlsStart(state.awaits, frame);
  switch (start.kind) {
    case 'refused':
      return refusal(state, { reason: start.reason }, policy);
    case 'awaitsResponder':
      return { state: { at: 'TLS_HELLO', awaits: 'responder' }, actions: start.actions };
    case 'encrypted':
      return { state: { at: 'ENCRYPTED' }, actions: start.actions };
  }
}

/** The head of an over-long line is judged first: what is refused for its beginning stays that, however long it is. */
function onOverBudget(state: ImapState, frame: Extract<Frame, { kind: 'overBudget' }>, policy: ImapPolicy): Result {
  const judged = onText(state, { kind: 'partial', from: frame.from, text: frame.text }, policy);
  if (judged.actions.some((action) => action.kind === 'refuse')) return judged;
  return refusal(state, { reason: 'line-too-long' }, policy);
}

function forward(state: ImapState): Result {
  return { state, actions: [{ kind: 'forward' }] };
}

function refusal(state: ImapState, why: Refusal, policy: ImapPolicy): Result {
  return { state, actions: refuse(why, policy), facts: factsOf(why) };
}
