import type { Fact } from '../../inspect/facts.ts';
import type { Action, Step } from '../../inspect/inspector.ts';
import { AWAIT_TLS } from '../../inspect/tls-start.ts';
import { withoutUndecidedCr } from '../../inspect/words.ts';
import { beginAuthenticated } from './authenticated.ts';
import { countedInitiator } from './not-authenticated.ts';
import { offersOf } from './offers.ts';
import { type Refusal, refuse } from './refusal.ts';
import { capabilitiesIn, literalIn, readResponse, type Status } from './replies.ts';
import {
  type ImapPolicy,
  type ImapState,
  isInitiatorPaused,
  type NotAuthenticated,
  type Unanswered,
  type Unfinished,
} from './state.ts';

/** What the server says before authentication: its tagged answers, and nothing the client says, move the session. */

const FORWARD: Action = { kind: 'forward' };
const RESUME_INITIATOR: Action = { kind: 'resume', side: 'initiator' };

/** RFC 2971 3.2. */
const ID_RESPONSE = /^\* ID /i;

type Result = Step<ImapState>;

/** The beginning of a line from the server, of one octet or more. */
export function onResponseBegun(state: NotAuthenticated, text: string, policy: ImapPolicy): Result {
  return isOfNobody(state, withoutUndecidedCr(text), false)
    ? refusal(state, { reason: 'unexpected-reply' }, policy)
    : { state, actions: [FORWARD] };
}

/**
 * A tagged answer is known to be of no command as soon as no tag begins so. Its end may come when a command has been
 * sent, which it would then seem to answer. Only ID may be answered before its line is whole (`idAnswer`).
 */
function isOfNobody({ response, idAnswer, unanswered, unfinished }: NotAuthenticated, text: string, whole: boolean) {
  const [first = '', more] = text.split(' ', 2);
  if (response !== 'whole' || idAnswer !== 'none' || first === '' || /^[*+]/.test(first)) return false;
  const complete = whole || more !== undefined;
  const tags = [...unanswered.map(({ tag }) => tag), ...(unfinished === undefined ? [] : [unfinished.command.tag])];
  return !tags.some((tag) => (complete ? tag === first : tag.startsWith(first)));
}

/** A whole line from the server. */
export function onResponderLine(state: NotAuthenticated, text: string, policy: ImapPolicy): Result {
  if (isOfNobody(state, text, true)) return refusal(state, { reason: 'unexpected-reply' }, policy);
  const literal = literalIn(text, state.response === 'whole' ? 'start' : state.response);
  if (literal === 'oversized') return refusal(state, { reason: 'invalid-reply' }, policy);
  const step =
    state.response === 'whole'
      ? onResponse(state, text, policy)
      : { state: state, actions: [FORWARD] as readonly Action[] };
  if (step.state.at !== 'NOT_AUTHENTICATED' || step.actions.some((action) => action.kind === 'refuse')) return step;
  if (literal === undefined) return { ...step, state: { ...step.state, response: 'whole' } };
  // Zero octets are no run to count: the response goes on with the next line at once.
  const counted: readonly Action[] =
    literal.bytes === 0
      ? []
      : [{ kind: 'frameAs', from: 'responder', mode: { kind: 'counted', bytes: literal.bytes } }];
  return { ...step, state: { ...step.state, response: literal.within }, actions: [...step.actions, ...counted] };
}

function onResponse(state: NotAuthenticated, text: string, policy: ImapPolicy): Result {
  const response = readResponse(text);
  switch (response.kind) {
    case 'malformed':
      return refusal(state, { reason: 'invalid-reply' }, policy);
    case 'continuation':
      return onContinuation(state, policy);
    case 'untagged':
      // RFC 9051 7.1.4: a greeting and nothing else. A client could take its session for one that needs no login.
      if (response.status === 'PREAUTH') return refusal(state, { reason: 'unexpected-reply' }, policy);
      return telling(starttlsFacts(state, text), {
        state: noteUntagged(state, text, response.status === 'BYE'),
        actions: [FORWARD],
      });
    case 'tagged':
      return telling(
        starttlsFacts(state, text),
        onTagged(noteUntagged(state, text, false), response.tag, response.status, policy),
      );
  }
}

/** Other firewalls leave as many X of what they overwrite. */
const OVERWRITTEN = /^X{7}[A-Z]$/;

/**
 * What a list of capabilities says of STARTTLS. One that comes with a login's answer is that of the state behind it,
 * where there is no STARTTLS any more (RFC 9051 6.2.1).
 */
function starttlsFacts({ unanswered, ended }: NotAuthenticated, text: string): readonly Fact[] {
  const capabilities = capabilitiesIn(text)?.map((name) => name.toUpperCase());
  if (capabilities === undefined || ended || unanswered.some(({ onOk }) => onOk === 'authenticates')) return [];
  const overwritten = capabilities.some((name) => OVERWRITTEN.test(name));
  return [
    {
      kind: 'starttls',
      offer: capabilities.includes('STARTTLS') ? 'offered' : overwritten ? 'overwritten' : 'missing',
    },
  ];
}

function telling(facts: readonly Fact[], step: Result): Result {
  const refused = step.actions.some(({ kind }) => kind === 'refuse');
  return facts.length === 0 || refused ? step : { ...step, facts: [...(step.facts ?? []), ...facts] };
}

function noteUntagged(state: NotAuthenticated, text: string, bye: boolean): NotAuthenticated {
  const capabilities = capabilitiesIn(text);
  const offers = capabilities === undefined ? state.offers : offersOf(capabilities);
  const idAnswer = state.idAnswer === 'none' && ID_RESPONSE.test(text) ? 'untagged' : state.idAnswer;
  return { ...state, offers, idAnswer, ended: state.ended || bye };
}

/** `+` lets a client go on with a literal or with its turn in a SASL exchange; anywhere else it is nobody's. */
function onContinuation(state: NotAuthenticated, policy: ImapPolicy): Result {
  const { unfinished } = state;
  if (unfinished?.awaits === 'goAhead') {
    const { literalBytes } = unfinished;
    return {
      state: { ...state, unfinished: { ...unfinished, awaits: literalBytes > 0 ? 'octets' : 'rest' } },
      actions: [FORWARD, ...(literalBytes > 0 ? [countedInitiator(literalBytes)] : []), RESUME_INITIATOR],
    };
  }
  const last = state.unanswered.at(-1);
  if (unfinished === undefined && !state.challenged && last?.challenges === true) {
    const unanswered = [...state.unanswered.slice(0, -1), { ...last, awaitsChallenge: false }];
    return { state: { ...state, unanswered, challenged: true }, actions: [FORWARD, RESUME_INITIATOR] };
  }
  const mayBeEarly = unfinished === undefined || (unfinished.awaits === 'rest' && !unfinished.answeredEarly);
  if (!mayBeEarly || state.challenged || state.earlyGoAhead) {
    return refusal(state, { reason: 'unexpected-reply' }, policy);
  }
  return { state: { ...state, earlyGoAhead: true }, actions: [FORWARD] };
}

function onTagged(before: NotAuthenticated, tag: string, status: Status, policy: ImapPolicy): Result {
  const { unfinished } = before;
  const saidId = before.idAnswer === 'untagged';
  if (unfinished?.command.tag === tag && unfinished.verb === 'ID' && unfinished.awaits === 'rest' && saidId) {
    if (status === 'OK') return onEarlyId(before, unfinished);
  }
  const state: NotAuthenticated = saidId && isKnown(before, tag) ? { ...before, idAnswer: 'none' } : before;
  if (unfinished?.command.tag === tag) return onEarlyAnswer(state, unfinished, status, policy);
  const answered = state.unanswered.find((command) => command.tag === tag);
  if (answered === undefined) return onAnswerToLineUnderWay(state, tag, status, policy);
  const unanswered = state.unanswered.filter((command) => command !== answered);
  // RFC 7888: the server did not read the literal, so its octets, which have gone ahead, are commands there.
  if (status === 'BAD' && answered.literalUnasked === true) {
    return refusal(state, { reason: 'unexpected-reply' }, policy);
  }
  if (status !== 'OK') return onNegative(state, answered, unanswered);
  // Nothing is settled while the server's own challenge is open.
  if (answered.challenges && state.challenged) return refusal(state, { reason: 'unexpected-reply' }, policy);
  // RFC 4422 3: every exchange has a challenge or an initial response, so the OK is another command's.
  if (answered.awaitsChallenge === true) return refusal(state, { reason: 'unexpected-reply' }, policy);
  return onOk({ ...state, unanswered }, answered);
}

function isKnown({ unanswered }: NotAuthenticated, tag: string): boolean {
  return unanswered.some((command) => command.tag === tag);
}

function onEarlyId(state: NotAuthenticated, unfinished: Unfinished): Result {
  return {
    state: { ...state, idAnswer: 'none', unfinished: { ...unfinished, answeredEarly: true } },
    actions: [FORWARD],
  };
}

/** An answer to nothing that was sent to its end: ID's, if its response went before and nothing else can be meant. */
function onAnswerToLineUnderWay(state: NotAuthenticated, tag: string, status: Status, policy: ImapPolicy): Result {
  const mayBeId = state.idAnswer === 'untagged' && status === 'OK' && state.unfinished === undefined;
  if (!mayBeId || state.challenged || state.earlyGoAhead || isInitiatorPaused(state)) {
    return refusal(state, { reason: 'unexpected-reply' }, policy);
  }
  return { state: { ...state, idAnswer: { earlyTag: tag } }, actions: [FORWARD] };
}

/**
 * An answer before the command was sent to its end. To a literal that waits, NO and BAD are the other way to answer.
 * Behind one that does not wait, NO leaves the server reading the rest; but BAD says that it did not know the literal,
 * so that its octets, which have gone ahead, are commands there.
 */
function onEarlyAnswer(state: NotAuthenticated, unfinished: Unfinished, status: Status, policy: ImapPolicy): Result {
  const { command, awaits } = unfinished;
  const secretMayFollow = state.secretMayFollow || command.onOk === 'authenticates';
  const wasUnread = status === 'BAD' && (awaits !== 'goAhead' || command.literalUnasked === true);
  if (status === 'OK' || unfinished.answeredEarly || wasUnread) {
    return refusal(state, { reason: 'unexpected-reply' }, policy);
  }
  if (awaits === 'goAhead') {
    return { state: { ...state, unfinished: undefined, secretMayFollow }, actions: [FORWARD, RESUME_INITIATOR] };
  }
  return {
    state: { ...state, unfinished: { ...unfinished, answeredEarly: true }, secretMayFollow },
    actions: [FORWARD],
  };
}

function onNegative(state: NotAuthenticated, answered: Unanswered, unanswered: readonly Unanswered[]): Result {
  const waited = isInitiatorPaused(state) && state.unanswered.at(-1) === answered && state.unfinished === undefined;
  const secretMayFollow = state.secretMayFollow || answered.onOk === 'authenticates';
  return {
    state: { ...state, unanswered, challenged: state.challenged && !answered.challenges, secretMayFollow },
    actions: waited ? [FORWARD, RESUME_INITIATOR] : [FORWARD],
    // RFC 9051 6.2.1: the client may go on in clear. Behind BYE the server refuses whatever it is asked.
    ...(answered.onOk === 'startsTls' && !state.ended ? { facts: [{ kind: 'starttls', offer: 'refused' }] } : {}),
  };
}

function onOk(state: NotAuthenticated, answered: Unanswered): Result {
  switch (answered.onOk) {
    case 'nothing':
    case 'unauthenticates':
      return { state, actions: [FORWARD] };
    case 'ends':
      return { state: { ...state, ended: true }, actions: [FORWARD, RESUME_INITIATOR] };
    case 'authenticates':
      return beginAuthenticated({ greeted: false, mayHaveLeft: false, offers: state.offers });
    case 'startsTls':
      return { state: { at: 'TLS_HELLO', awaits: 'initiator' }, actions: [FORWARD, ...AWAIT_TLS] };
  }
}

/** A reply's first octets may have gone ahead, and words behind them would be read as its end. */
function refusal(state: ImapState, why: Refusal, policy: ImapPolicy): Result {
  return { state, actions: refuse(why, { ...policy, reset: true }) };
}
