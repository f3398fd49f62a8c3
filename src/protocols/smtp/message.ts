/**
 * When one message ends and the next begins, for what latches per message (D-46). MAIL behind a MAIL may be refused as
 * nested (RFC 5321 4.1.4), and a RSET that the server does not take undoes nothing: as long as the transaction may go
 * on, what was said in it goes on too. Clients pipeline, so the next message may begin before the last one is answered.
 */
import type { Fact } from '../../inspect/facts.ts';
import { type CommandRule, DOUBTFUL_RESET, LAST_CHUNK } from './grammar.ts';
import type { SmtpState } from './state.ts';

export interface Told {
  readonly state: SmtpState;
  readonly facts: readonly Fact[];
}

/** A legal command is on its way. The facts come before the command's own. */
export function commandIsSent(state: SmtpState, rule: CommandRule): Told {
  if (isTrustedReset(rule)) return { state: closing(state), facts: [] };
  if (rule.effect !== 'opensMail' || state.message === 'open') return { state, facts: [] };
  const ends: readonly Fact[] = state.message === 'closing' ? [{ kind: 'messageEnds' }] : [];
  return {
    state: { ...state, message: 'open', chunksBegun: false },
    facts: [...ends, { kind: 'messageBegins' }],
  };
}

/** A chunk of so many octets is announced (RFC 3030 2). The facts come behind the command's own. */
export function chunkIsSent(state: SmtpState, bytes: number, last: boolean): Told {
  const begins: readonly Fact[] = state.chunksBegun ? [] : [{ kind: 'dataBegins', form: 'chunks' }];
  const ends: readonly Fact[] = last && bytes === 0 ? [{ kind: 'dataEnds' }] : [];
  const after = { ...state, chunksBegun: !last, lastChunk: last };
  return { state: last ? closing(after) : after, facts: [...begins, ...ends] };
}

/** The message is on its way as a whole, or a RSET that no server refuses. */
export function closing(state: SmtpState): SmtpState {
  return state.message === 'open' ? { ...state, message: 'closing' } : state;
}

/** A RSET, or a last chunk, was refused behind which the client went on as if it had been accepted. */
export function isEndUndone(over: SmtpState, rule: CommandRule, code: string): boolean {
  if (code.startsWith('2') || code === '421') return false;
  if (isTrustedReset(rule)) return over.unanswered.some(mayCarryMail);
  if (rule !== LAST_CHUNK) return false;
  const cleared = over.unanswered.findIndex(isTrustedReset);
  return over.unanswered.slice(0, cleared < 0 ? undefined : cleared).some(mayCarryMail);
}

/** The last line of the answer to `rule` has come; `over` is the state behind it. */
export function commandIsAnswered(over: SmtpState, rule: CommandRule, code: string): Told {
  if (endsMessage(over, rule, code.startsWith('2'))) {
    // What was sent behind it is another message, or chunks without a MAIL, and was told as such or as the same.
    if (over.message === 'none' || over.unanswered.some(mayCarryMail)) return { state: over, facts: [] };
    return { state: { ...over, message: 'none', chunksBegun: false }, facts: [{ kind: 'messageEnds' }] };
  }
  const goesOn = (isTrustedReset(rule) || rule === LAST_CHUNK) && over.message === 'closing';
  return { state: goesOn ? { ...over, message: 'open' } : over, facts: [] };
}

/**
 * RFC 3030 2: where a chunk is refused the state is indeterminate, and a RSET must clear it. Exim, which wants a
 * recipient first, drops the chunk and goes on with the transaction; Postfix ends it.
 */
function endsMessage(over: SmtpState, rule: CommandRule, accepted: boolean): boolean {
  const { effect } = rule;
  if (effect === 'closesMail') return accepted || rule !== LAST_CHUNK;
  if (accepted) return effect === 'greets' || effect === 'resets';
  return effect === 'opensMail' && over.envelope === 'none';
}

function isTrustedReset(rule: CommandRule): boolean {
  return rule.effect === 'resets' && rule !== DOUBTFUL_RESET;
}

function mayCarryMail(rule: CommandRule): boolean {
  return rule.effect === 'opensMail' || rule.legal === 'chunking' || rule === LAST_CHUNK;
}
