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

const STRICT_INITIATOR = STRICT_LINES.filter((action) => action.kind === 'frameAs' && action.from === 'initiator');
const TOLERANT_LINES = { kind: 'lines', budgetBytes: AUTHENTICATED_LINE_BYTES_MAX, tolerant: true } as const;

type Result = Step<ImapState>;

/** `greeted`: by PREAUTH. `offers`: what the server takes before a login. */
export function beginAuthenticated({ greeted, mayHaveLeft, offers }: Omit<Authenticated, 'at' | 'midCommand'>): Result {
  return {
    state: { at: 'AUTHENTICATED', midCommand: false, greeted, mayHaveLeft, offers },
    actions: [
      FORWARD,
      { kind: 'stopInspecting', because: 'authenticated' },
      // Of a tolerant line nothing is held but its end: a secret would go before it is refused.
      ...(mayHaveLeft ? STRICT_INITIATOR : [{ kind: 'frameAs', from: 'initiator', mode: TOLERANT_LINES } as const]),
      RESUME_INITIATOR,
    ],
  };
}

/** A whole line from the client. `midCommand` says that it goes on with a command, behind a literal. */
export function onAuthenticatedLine(state: Authenticated, text: string, policy: ImapPolicy): Result {
  const early = earlyVerb(state, text);
  if (early !== undefined) return refuseEarlyVerb(state, early, policy);
  const [, tag = '', verb = ''] = state.midCommand ? [] : (/^([^ ]+) +([A-Z]+)(?: |$)/i.exec(text) ?? []);
  switch (verb.toUpperCase()) {
    case 'LOGOUT':
      return afterLogout(state);
    case 'STARTTLS':
      // RFC 9051 6.2.1 has it before authentication only. Behind a PREAUTH greeting, which somebody on the way may have
      // made, a client that goes on in what it takes for TLS would go on in a session that is not its own.
      if (state.greeted) return refuseVerb(state, { verb: 'STARTTLS', tag }, policy);
      return followLiteral(state, text);
    case 'UNAUTHENTICATE':
      return awaitAnswer(state, tag);
    default:
      return followLiteral(state, text);
  }
}

/** The beginning of such a line: a login behind what may have been UNAUTHENTICATE is refused before its secret goes. */
export function onAuthenticatedBegun(state: Authenticated, text: string, policy: ImapPolicy): Result {
  const early = earlyVerb(state, text);
  return early === undefined ? { state, actions: [FORWARD] } : refuseEarlyVerb(state, early, policy);
}

interface EarlyVerb {
  readonly verb: string;
  readonly tag: string;
}

/** Tag and verb, parted by whatever a server may take for a blank. */
const TAGGED = /^[\0- ]*([^\0- ]+)[\0- ]+([^\0- ]+)/;
/** What belongs before a login (RFC 9051 6.2), as far as it takes to be known. */
const EARLY_VERB = /^(?:LOGIN|AUTHENTICATE|STARTTLS)/i;

/**
 * A command that belongs before a login, where UNAUTHENTICATE may have succeeded although an answer with its tag was
 * NO: that can have been to another command, or have stood in the text of a message.
 */
function earlyVerb({ mayHaveLeft, midCommand }: Authenticated, text: string): EarlyVerb | undefined {
  if (!mayHaveLeft || midCommand) return undefined;
  const [, tag = '', verb = ''] = TAGGED.exec(text) ?? [];
  const [early] = EARLY_VERB.exec(verb) ?? [];
  return early === undefined ? undefined : { verb: early.toUpperCase(), tag };
}

/** The server may be in the middle of a line or a literal, which nobody follows: no words may stand behind it. */
function refuseEarlyVerb(state: Authenticated, early: EarlyVerb, policy: ImapPolicy): Result {
  return refuseVerb(state, early, { ...policy, reset: true });
}

function refuseVerb(state: Authenticated, { verb, tag }: EarlyVerb, policy: ImapPolicy): Result {
  const why: Refusal = { reason: 'command-out-of-state', text: verb, tag };
  return { state, actions: refuse(why, policy), facts: factsOf(why) };
}

/** Both kinds of literal are counted. README.md says what that means when the server refuses a synchronising one. */
function followLiteral(state: Authenticated, text: string): Result {
  const literal = literalAtEnd(text);
  const counted = literal === undefined || literal.bytes === 0 ? [] : [countedInitiator(literal.bytes)];
  return { state: { ...state, midCommand: literal !== undefined }, actions: [FORWARD, ...counted] };
}

/** LOGOUT ends the session at once: RFC 9051 6.1.3 leaves the server no way to refuse it. */
function afterLogout({ offers }: Authenticated): Result {
  return {
    state: { ...NOT_AUTHENTICATED, offers, ended: true, responderOpaque: true },
    actions: [FORWARD, ...STRICT_INITIATOR],
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
  if (response.status !== 'OK') return beginAuthenticated({ ...state.before, mayHaveLeft: true });
  const { offers } = state.before;
  return { state: { ...NOT_AUTHENTICATED, offers }, actions: [FORWARD, ...STRICT_LINES, RESUME_INITIATOR] };
}
