/** What the server answers: a line of a reply, whole or as far as it has come, judged against what it answers. */
import { type ForeignProtocol, type Opening, readOpening, SERVER_OPENINGS } from '../../inspect/foreign.ts';
import type { Reason } from '../../inspect/reasons.ts';
import { type CommandRule, EMPTY_LINE, GREETING } from './grammar.ts';
import { isReplyText } from './octets.ts';
import { firstRefusal } from './prefixes.ts';
import type { SmtpState } from './state.ts';

const CODE = /^[2-5][0-9][0-9]$/;
const CODE_UNDER_WAY = /^(?:[2-5][0-9]?)?$/;
/** A server may give up at any time (RFC 5321 3.8). */
const CLOSING = '421';

export interface ReplyLine {
  readonly kind: 'reply';
  readonly code: string;
  /** Whether another line of the same reply follows. */
  readonly continued: boolean;
  /** The text behind the code and its separator. */
  readonly text: string;
  /** What it answers; nothing for a 421 that nobody asked for. */
  readonly answers: CommandRule | undefined;
  /** What stays unanswered when the reply is over. */
  readonly remaining: readonly CommandRule[];
}

export interface RefusedReply {
  readonly kind: 'refused';
  readonly reason: Reason;
  readonly foreign?: ForeignProtocol;
}

/** The beginning of what may be another protocol's greeting. */
interface UndecidedReply {
  readonly kind: 'undecided';
}

type ReplyVerdict = ReplyLine | RefusedReply | UndecidedReply;

/** Judges a line (RFC 5321 4.2), or with `whole` false its first octets; a CR at their end must have been taken off. */
export function judgeReply(state: SmtpState, line: string, whole: boolean): ReplyVerdict {
  const verdict = judge(state, line, whole);
  if (verdict.kind !== 'refused') return verdict;
  return firstRefusal(line, (head) => judge(state, head, false), verdict);
}

function judge(state: SmtpState, line: string, whole: boolean): ReplyVerdict {
  const [answers, remaining] = answeredBy(state, line);
  const code = line.slice(0, 3);
  const separator = line.slice(3, 4);
  const wellFormed =
    isReplyText(line) &&
    (whole || code.length === 3 ? CODE : CODE_UNDER_WAY).test(code) &&
    (separator === '' || separator === ' ' || separator === '-') &&
    (state.replyCode === undefined || state.replyCode.startsWith(code));
  if (answers === GREETING && !(wellFormed && mayAnswer(answers, code))) {
    return judgeNoGreeting(state.replyCode === undefined ? readOpening(line, SERVER_OPENINGS) : NONE, whole);
  }
  if (!wellFormed) return refused('invalid-reply');
  if (!mayAnswer(answers, code)) return refused('unexpected-reply');
  return { kind: 'reply', code, continued: separator === '-', text: line.slice(4), answers, remaining };
}

const NONE: Opening = { kind: 'none' };

function judgeNoGreeting(opening: Opening, whole: boolean): RefusedReply | UndecidedReply {
  if (opening.kind === 'foreign') return { kind: 'refused', reason: 'foreign-protocol', foreign: opening.spoken };
  return opening.kind === 'undecided' && !whole ? { kind: 'undecided' } : refused('invalid-greeting');
}

function refused(reason: Reason): RefusedReply {
  return { kind: 'refused', reason };
}

/** An empty command line need not be answered: a reply that is no syntax error belongs to what was sent after it. */
function answeredBy(
  { unanswered, replyCode }: SmtpState,
  line: string,
): readonly [CommandRule | undefined, readonly CommandRule[]] {
  let first = 0;
  if (replyCode === undefined && line !== '' && !line.startsWith('5')) {
    while (unanswered[first] === EMPTY_LINE) first += 1;
  }
  return [unanswered[first], unanswered.slice(first + 1)];
}

/** Whether a code, or one that begins so, can answer the command. */
function mayAnswer(command: CommandRule | undefined, code: string): boolean {
  if (CLOSING.startsWith(code)) return true;
  if (command === undefined) return false;
  if (code.startsWith('2')) return command.success?.some((success) => success.startsWith(code)) ?? true;
  if (code.startsWith('3')) return command.goAhead?.code.startsWith(code) ?? false;
  return true;
}
