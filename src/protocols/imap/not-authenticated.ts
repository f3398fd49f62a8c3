import type { Fact } from '../../inspect/facts.ts';
import { isSshIdentification, readOpening, TAGGED_OPENINGS } from '../../inspect/foreign.ts';
import type { Action, Frame, LineEnd, Step } from '../../inspect/inspector.ts';
import { isSaslResponse } from '../../inspect/sasl.ts';
import { withoutUndecidedCr } from '../../inspect/words.ts';
import {
  IMAP_COMMAND_BYTES_MAX,
  IMAP_LITERALS_A_COMMAND_MAX,
  IMAP_REPLY_BYTES_MAX,
  SASL_RESPONSE_BYTES_MAX,
  UNANSWERED_COMMANDS_MAX,
} from '../../limits.ts';
import type { ArgumentsReading } from './arguments.ts';
import { type Judgement, judgeCommand, judgeRest } from './command-line.ts';
import {
  BEFORE_TLS_VERBS,
  COMMANDS,
  NOT_AUTHENTICATED_VERBS,
  SECURE_NOT_AUTHENTICATED_VERBS,
  type VerbTables,
} from './grammar.ts';
import { isOffered, isReadToItsEnd, type Literal } from './literals.ts';
import { factsOf, foreign, type Refusal, refuse } from './refusal.ts';
import { type ImapPolicy, type ImapState, isInitiatorPaused, type NotAuthenticated, type Unfinished } from './state.ts';

/** What a client may say before it is authenticated (RFC 9051 6.1 and 6.2). */

const FORWARD: Action = { kind: 'forward' };
const PAUSE_INITIATOR: Action = { kind: 'pause', side: 'initiator' };

type Result = Step<ImapState>;
type TextFrame = Extract<Frame, { kind: 'line' | 'partial' }>;

/**
 * Judges what the initiator sent, or the beginning of it: a command, the rest of one, or its turn in a SASL exchange.
 */
export function onInitiator(state: NotAuthenticated, frame: TextFrame, policy: ImapPolicy): Result {
  const step = onLine(state, frame, policy);
  if (frame.kind === 'partial' || isRefused(step)) return step;
  if (typeof state.idAnswer === 'object') return afterEarlyAnswer(state, step, state.idAnswer.earlyTag, policy);
  if (!state.earlyGoAhead) return step;
  // The server's `+` was for nothing, unless this line ends in the literal that it let through.
  const used = step.state.at === 'NOT_AUTHENTICATED' && !step.state.earlyGoAhead;
  return used ? step : refusal(state, { reason: 'unexpected-reply' }, policy);
}

/** The line that was answered before its end must be the command that the answer named, and such as is done with it. */
function afterEarlyAnswer(before: NotAuthenticated, step: Result, tag: string, policy: ImapPolicy): Result {
  const after = step.state;
  const command = after.at === 'NOT_AUTHENTICATED' ? after.unanswered.at(-1) : undefined;
  if (after.at !== 'NOT_AUTHENTICATED' || command?.tag !== tag || command.onOk !== 'nothing') {
    return refusal(before, { reason: 'unexpected-reply' }, policy);
  }
  return { ...step, state: { ...after, unanswered: after.unanswered.slice(0, -1), idAnswer: 'none' } };
}

function isRefused(step: Result): boolean {
  return step.actions.some((action) => action.kind === 'refuse');
}

function onLine(state: NotAuthenticated, frame: TextFrame, policy: ImapPolicy): Result {
  const { text } = frame;
  const complete = frame.kind === 'line';
  if (isInitiatorPaused(state)) return refusal(state, { reason: reasonWhilePaused(state) }, policy);
  if (state.challenged) return onSaslResponse(state, text, complete, policy);
  if (state.unfinished !== undefined) return onRest(state, state.unfinished, frame, policy);
  const decided = complete ? text : withoutUndecidedCr(text);
  // After LOGOUT whatever is no login is late, and that is what is told of it.
  const opening = readOpening(state.ended ? '' : decided, TAGGED_OPENINGS);
  if (opening.kind === 'foreign') return refusal(state, foreign(opening.spoken, 'initiator'), policy);
  const judged = judge(state, text, complete, policy);
  if (judged.kind === 'refused' && !complete && opening.kind === 'undecided') return { state, actions: [FORWARD] };
  if (isSshClient(text, judged)) return refusal(state, foreign('SSH', 'initiator'), policy);
  switch (judged.kind) {
    case 'growing':
      return { state, actions: [FORWARD] };
    case 'refused':
      return refusal(state, judged.refusal, policy);
    case 'command':
      return telling(judged.fact, onWholeCommand(state, judged, policy));
    case 'unfinished':
      return telling(
        judged.fact,
        onLiteral(state, toUnfinished(judged), { ...judged.reading, line: text, end: endOf(frame) }, policy),
      );
  }
}

/**
 * `SSH-2.0-OpenSSH_9.2` is a tag, so only what stands behind it tells: no command that IMAP has, in a line that is
 * refused for that or would go on all the same.
 */
function isSshClient(text: string, judged: Judgement): boolean {
  if (!isSshIdentification(text)) return false;
  if (judged.kind === 'refused') return judged.refusal.reason === 'invalid-command';
  return judged.kind === 'command' && !COMMANDS.has(judged.verb.toUpperCase());
}

/** What was refused after all tells of itself. */
function telling(fact: Fact | undefined, step: Result): Result {
  return fact === undefined || isRefused(step) ? step : { ...step, facts: [fact] };
}

function verbsBy({ requireTls = false, secureLogin }: ImapPolicy): VerbTables {
  if (requireTls) return BEFORE_TLS_VERBS;
  return secureLogin ? SECURE_NOT_AUTHENTICATED_VERBS : NOT_AUTHENTICATED_VERBS;
}

function judge(state: NotAuthenticated, text: string, complete: boolean, policy: ImapPolicy): Judgement {
  return judgeCommand(text, complete, {
    verbs: verbsBy(policy)[state.offers.language ? 'withLanguage' : 'usual'],
    secureLogin: policy.secureLogin,
    requireTls: policy.requireTls ?? false,
    passInvalid: policy.invalidCommand === 'pass',
    ended: state.ended,
    secretMayFollow: state.secretMayFollow,
    isTagInUse: (tag) => state.unanswered.some((command) => command.tag === tag),
  });
}

type WholeCommand = Pick<Extract<Judgement, { kind: 'command' }>, 'verb' | 'command' | 'fact'>;

function onWholeCommand(state: NotAuthenticated, { verb, command, fact }: WholeCommand, policy: ImapPolicy): Result {
  if (state.unanswered.length >= UNANSWERED_COMMANDS_MAX) {
    return refusal(state, { reason: 'too-many-unanswered', text: verb, tag: command.tag }, policy);
  }
  const next: NotAuthenticated = {
    ...state,
    unanswered: [...state.unanswered, command],
    unfinished: undefined,
    responderOpaque: false,
    // A secret may come in more lines than one, and none of them is a command.
    secretMayFollow: fact?.kind === 'invalidCommand' && state.secretMayFollow,
  };
  const pauses = isInitiatorPaused(next) ? [PAUSE_INITIATOR] : [];
  return { state: next, actions: [FORWARD, ...readAgain(state), ...pauses] };
}

type Unread = Extract<ArgumentsReading, { kind: 'literal' }> & { readonly line: string; readonly end: LineEnd };

/** A literal's head is read at the end of its line only. */
const endOf = (frame: TextFrame): LineEnd => (frame.kind === 'line' ? frame.end : 'crlf');

function toUnfinished({ command, verb, reading }: Extract<Judgement, { kind: 'unfinished' }>): Unfinished {
  const { place } = reading;
  return { command, verb, place, literals: 0, literalBytes: 0, bytes: 0, awaits: 'goAhead', answeredEarly: false };
}

/** The line ends in a literal: what its octets are is settled before the first of them goes ahead. */
function onLiteral(
  state: NotAuthenticated,
  before: Unfinished,
  { literal, place, line, end }: Unread,
  policy: ImapPolicy,
): Result {
  const { tag } = before.command;
  // RFC 9051 9: CRLF follows the brace. At an LF alone Cyrus (getxstring) says BAD, and runs the octets as commands.
  if (end === 'bareLf') return refusal(state, { reason: 'invalid-literal', text: before.verb, tag }, policy);
  const literals = before.literals + 1;
  if (literals > IMAP_LITERALS_A_COMMAND_MAX || !isOffered(literal, state.offers.nonSynchronising)) {
    return refusal(state, { reason: 'invalid-literal', text: before.verb, tag }, policy);
  }
  // Dovecot says BAD to a command of more octets where its next argument begins, and skips the rest of that line.
  const bytes = before.bytes + line.length + '\r\n'.length + literal.bytes;
  if (!literal.synchronising && (bytes > IMAP_COMMAND_BYTES_MAX || !isReadToItsEnd(line, tag))) {
    return refusal(state, { reason: 'invalid-literal', text: before.verb, tag }, policy);
  }
  // The server refused the command and reads it to its end: it will send no go-ahead.
  if (before.answeredEarly && literal.synchronising) {
    return refusal(state, { reason: 'invalid-literal', text: before.verb, tag }, policy);
  }
  const letThrough = literal.synchronising && state.earlyGoAhead;
  const { awaits, actions } = awaitingOf(literal, letThrough);
  const command = literal.synchronising ? before.command : { ...before.command, literalUnasked: true };
  const unfinished: Unfinished = { ...before, command, place, literals, literalBytes: literal.bytes, bytes, awaits };
  const earlyGoAhead = state.earlyGoAhead && !letThrough;
  return {
    state: { ...state, unfinished, earlyGoAhead, responderOpaque: false },
    actions: [FORWARD, ...readAgain(state), ...actions],
  };
}

function awaitingOf(literal: Literal, letThrough: boolean): Pick<Unfinished, 'awaits'> & Pick<Result, 'actions'> {
  if (literal.synchronising && !letThrough) return { awaits: 'goAhead', actions: [PAUSE_INITIATOR] };
  if (literal.bytes === 0) return { awaits: 'rest', actions: [] };
  return { awaits: 'octets', actions: [countedInitiator(literal.bytes)] };
}

/** How the octets of a literal are let through. */
export function countedInitiator(bytes: number): Action {
  return { kind: 'frameAs', from: 'initiator', mode: { kind: 'counted', bytes } };
}

/** What stands behind a literal belongs to the same command. */
function onRest(state: NotAuthenticated, unfinished: Unfinished, frame: TextFrame, policy: ImapPolicy): Result {
  if (unfinished.awaits !== 'rest') return refusal(state, { reason: 'unexpected-frame' }, policy);
  const { command, verb } = unfinished;
  const { text } = frame;
  const reading = judgeRest(text, frame.kind === 'line', unfinished.place);
  switch (reading.kind) {
    case 'growing':
      return { state, actions: [FORWARD] };
    case 'offence':
      return refusal(state, { reason: reading.reason, text: verb, tag: command.tag }, policy);
    case 'literal':
      return onLiteral(state, unfinished, { ...reading, line: text, end: endOf(frame) }, policy);
    case 'complete':
      if (unfinished.answeredEarly) return { state: { ...state, unfinished: undefined }, actions: [FORWARD] };
      return onWholeCommand(state, { verb, command }, policy);
  }
}

/** A literal's octets have passed; the line goes on. */
export function onLiteralEnd(state: NotAuthenticated, bytes: number, policy: ImapPolicy): Result {
  const { unfinished } = state;
  if (unfinished?.awaits !== 'octets' || unfinished.literalBytes !== bytes) {
    return refusal(state, { reason: 'unexpected-frame' }, policy);
  }
  return { state: { ...state, unfinished: { ...unfinished, awaits: 'rest' } }, actions: [FORWARD] };
}

function onSaslResponse(state: NotAuthenticated, line: string, complete: boolean, policy: ImapPolicy): Result {
  const text = complete ? line : withoutUndecidedCr(line);
  const tag = state.unanswered.at(-1)?.tag;
  if (!isSaslResponse(text, complete)) return refusal(state, { reason: 'invalid-sasl-response', tag }, policy);
  if (!complete) return { state, actions: [FORWARD] };
  return { state: { ...state, challenged: false }, actions: [FORWARD, PAUSE_INITIATOR] };
}

/** A client that goes on after LOGOUT is read from here as strictly as at the beginning. */
function readAgain(state: NotAuthenticated): readonly Action[] {
  return state.responderOpaque ? [{ kind: 'inspectAgain' }, ...STRICT_LINES] : [];
}

export const STRICT_LINES: readonly Action[] = [
  { kind: 'frameAs', from: 'initiator', mode: { kind: 'lines', budgetBytes: SASL_RESPONSE_BYTES_MAX } },
  { kind: 'frameAs', from: 'responder', mode: { kind: 'lines', budgetBytes: IMAP_REPLY_BYTES_MAX } },
];

/**
 * RFC 9051 6.2.1: nothing may follow STARTTLS before its answer; a server that read ahead would take it for encrypted.
 */
function reasonWhilePaused(state: NotAuthenticated): 'plaintext-after-starttls' | 'unexpected-frame' {
  return state.unanswered.at(-1)?.onOk === 'startsTls' ? 'plaintext-after-starttls' : 'unexpected-frame';
}

function refusal(state: ImapState, why: Refusal, policy: ImapPolicy): Result {
  return { state, actions: refuse(why, policy), facts: factsOf(why) };
}
