import type { Action, Step } from '../../inspect/inspector.ts';
import { literalAtEnd } from './literals.ts';
import { countedInitiator, STRICT_LINES } from './not-authenticated.ts';
import { factsOf, type Refusal, refuse } from './refusal.ts';
import { readResponse } from './replies.ts';
import { type Authenticated, type ImapPolicy, type ImapState, NOT_AUTHENTICATED } from './state.ts';

/**
 * After authentication nothing is judged (cisco-ios 3.7). The client's lines are followed past its literals, so that a
 * LOGOUT is told from text that looks like one; the server's side is opaque.
 */

const FORWARD: Action = { kind: 'forward' };
const RESUME_INITIATOR: Action = { kind: 'resume', side: 'initiator' };
/** Enough for a tag, a verb and the head of a literal; the framer keeps a long line's end as well. */
const AUTHENTICATED_LINE_BYTES_MAX = 512;

const TOLERANT_LINES = { kind: 'lines', budgetBytes: AUTHENTICATED_LINE_BYTES_MAX, tolerant: true } as const;

type Result = Step<ImapState>;

/** `greeted`: by PREAUTH. `nonSynchronising`: what the server takes unasked before a login. */
export function beginAuthenticated({ greeted, nonSynchronising }: Omit<Authenticated, 'at' | 'midCommand'>): Result {
  return {
    state: { at: 'AUTHENTICATED', midCommand: false, greeted, nonSynchronising },
    actions: [
      FORWARD,
      { kind: 'stopInspecting', because: 'authenticated' },
      { kind: 'frameAs', from: 'initiator', mode: TOLERANT_LINES },
      RESUME_INITIATOR,
    ],
  };
}

/** A whole line from the client. `midCommand` says that it goes on with a command, behind a literal. */
export function onAuthenticatedLine(state: Authenticated, text: string, policy: ImapPolicy): Result {
  const [, tag = '', verb = ''] = state.midCommand ? [] : (/^([^ ]+) +([A-Z]+)(?: |$)/i.exec(text) ?? []);
  switch (verb.toUpperCase()) {
    case 'LOGOUT':
      return afterLogout(state);
    case 'STARTTLS':
      if (state.greeted) return refuseStarttls(state, tag, policy);
      return followLiteral(state, text);
    case 'UNAUTHENTICATE':
      return awaitAnswer(state, tag);
    case 'COMPRESS':
      // RFC 4978 3: from here on the client deflates, and there is no LOGOUT to be seen.
      return {
        state: { ...state, midCommand: false },
        actions: [FORWARD, { kind: 'frameAs', from: 'initiator', mode: { kind: 'opaque' } }],
      };
    default:
      return followLiteral(state, text);
  }
}

/**
 * RFC 9051 6.2.1 has STARTTLS before authentication only. Behind a PREAUTH greeting, which somebody on the way may have
 * made, a client that goes on in what it takes for TLS would go on in a session that is not its own.
 */
function refuseStarttls(state: Authenticated, tag: string, policy: ImapPolicy): Result {
  const why: Refusal = { reason: 'command-out-of-state', text: 'STARTTLS', tag };
  return { state, actions: refuse(why, policy), facts: factsOf(why) };
}

/** Both kinds of literal are counted. README.md says what that means when the server refuses a synchronising one. */
function followLiteral(state: Authenticated, text: string): Result {
  const literal = literalAtEnd(text);
  const counted = literal === undefined || literal.bytes === 0 ? [] : [countedInitiator(literal.bytes)];
  return { state: { ...state, midCommand: literal !== undefined }, actions: [FORWARD, ...counted] };
}

/** LOGOUT ends the session at once: RFC 9051 6.1.3 leaves the server no way to refuse it. */
function afterLogout({ nonSynchronising }: Authenticated): Result {
  return {
    state: { ...NOT_AUTHENTICATED, nonSynchronising, ended: true, responderOpaque: true },
    actions: [FORWARD, ...STRICT_LINES.filter((action) => action.kind === 'frameAs' && action.from === 'initiator')],
  };
}

/** RFC 8437 3: whether the client is still who it was depends on the answer, which has to be read for that. */
function awaitAnswer(before: Authenticated, tag: string): Result {
  return {
    state: { at: 'LEAVING', tag, before },
    actions: [
      FORWARD,
      { kind: 'inspectAgain' },
      { kind: 'frameAs', from: 'responder', mode: TOLERANT_LINES },
      { kind: 'pause', side: 'initiator' },
    ],
  };
}

/** Answers to earlier commands may still be on their way; only the tag tells. */
export function onLeavingLine(state: Extract<ImapState, { at: 'LEAVING' }>, text: string): Result {
  const response = readResponse(text);
  if (response.kind !== 'tagged' || response.tag !== state.tag) return { state, actions: [FORWARD] };
  if (response.status !== 'OK') return beginAuthenticated(state.before);
  const { nonSynchronising } = state.before;
  return { state: { ...NOT_AUTHENTICATED, nonSynchronising }, actions: [FORWARD, ...STRICT_LINES, RESUME_INITIATOR] };
}
