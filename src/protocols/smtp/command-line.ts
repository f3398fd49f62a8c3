/**
 * One command line of the client, whole or as far as it has come: may it pass? Read from left to right, so that what
 * is said of a line under way holds for the whole line.
 */
import { CLIENT_OPENINGS, type ForeignProtocol, readOpening } from '../../inspect/foreign.ts';
import type { Reason } from '../../inspect/reasons.ts';
import { SASL_RESPONSE_BYTES_MAX, SMTP_CHUNK_BYTES_MAX, SMTP_COMMAND_BYTES_MAX } from '../../limits.ts';
import { pathEnd } from '../../mail/address.ts';
import {
  beginsLegalVerb,
  COMMANDS,
  type CommandRule,
  isMaskedVerb,
  legalRule,
  type Offered,
  upper,
} from './grammar.ts';
import { controlCharacterAt } from './octets.ts';
import type { SmtpPolicy } from './policy.ts';
import { firstRefusal } from './prefixes.ts';
import type { SmtpState } from './state.ts';

export type CommandVerdict =
  | { readonly kind: 'legal'; readonly rule: CommandRule; readonly argument: string }
  | { readonly kind: 'empty' }
  /** A line under way that may yet become legal. */
  | { readonly kind: 'undecided' }
  | { readonly kind: 'illegal'; readonly verb: string }
  | { readonly kind: 'attack'; readonly signature: AttackSignature }
  | { readonly kind: 'refused'; readonly reason: Reason; readonly foreign?: ForeignProtocol };

/** What the session knows that decides about lines. */
export type KnownOfSession = Offered & Pick<SmtpState, 'envelope'>;

export type AttackSignature = 3100 | 3101 | 3102;

/** RFC 3030 2, strictly: servers read leading zeros, signs, further words and sizes past 32 bits in different ways. */
const CHUNK = /^(?:0|[1-9][0-9]{0,14})(?: LAST)?$/i;
const CHUNK_UNDER_WAY = /^(?:(?:0|[1-9][0-9]{0,14})(?: (?:L(?:A(?:S(?:T)?)?)?)?)?)?$/i;
/** What a shell, or a mailer's own string expansion, would run. */
const COMMAND_SUBSTITUTION = /`|\$[({]/;

/** Logins and what begins a message. */
const NEEDING_TLS = [...COMMANDS.values()].filter(
  ({ goAhead, effect }) => goAhead?.wants === 'sasl' || effect === 'opensMail',
);
const LONGEST_NEEDING_TLS = Math.max(...NEEDING_TLS.map(({ verb }) => verb.length));

/** Judges a whole line, or with `whole` false its first octets; a CR at their end must have been taken off. */
export function judgeCommandLine(
  text: string,
  whole: boolean,
  policy: SmtpPolicy,
  known: KnownOfSession,
): CommandVerdict {
  const verdict = judge(text, whole, policy, known);
  if (verdict.kind !== 'refused') return verdict;
  return firstRefusal(text, (head) => judge(head, false, policy, known), verdict);
}

function judge(text: string, whole: boolean, policy: SmtpPolicy, known: KnownOfSession): CommandVerdict {
  const foreign = foreignIn(text, known);
  if (foreign !== undefined) return { kind: 'refused', reason: 'foreign-protocol', foreign };
  const space = text.indexOf(' ');
  const verb = space < 0 ? text : text.slice(0, space);
  const rule = legalRule(verb, policy, known);
  // RFC 4954 4: AUTH with an initial response may be as long as any response.
  const lengthMax = rule?.goAhead?.wants === 'sasl' && space > 0 ? SASL_RESPONSE_BYTES_MAX : SMTP_COMMAND_BYTES_MAX;
  if (text.length > lengthMax) return { kind: 'refused', reason: 'line-too-long' };
  // Servers disagree on a bare CR, and one that was let go as the first half of a line end cannot be masked any more.
  if (text.includes('\r')) return { kind: 'refused', reason: 'control-character' };
  if (isRefusedBeforeTls(text, policy)) return { kind: 'refused', reason: 'tls-required' };
  if (text === '') return { kind: whole ? 'empty' : 'undecided' };
  if (space < 0 && !whole) {
    return beginsLegalVerb(verb, policy, known) ? { kind: 'undecided' } : { kind: 'illegal', verb };
  }
  if (rule === undefined) return { kind: 'illegal', verb };
  return judgeArgument(rule, text.slice(verb.length + 1), whole);
}

/**
 * Any line outside of a transaction, not the first alone: a browser that is made to speak SMTP has the commands in the
 * body of its request. Inside of one a client that goes on after its DATA was refused sends lines of a message.
 */
function foreignIn(text: string, { envelope }: KnownOfSession): ForeignProtocol | undefined {
  if (envelope !== 'none') return undefined;
  const opening = readOpening(text, CLIENT_OPENINGS);
  return opening.kind === 'foreign' ? opening.spoken : undefined;
}

/**
 * `require-tls`: the octet that completes the verb is refused, so that no argument passes. Verbs that policy masks
 * reach nobody.
 */
function isRefusedBeforeTls(text: string, policy: SmtpPolicy): boolean {
  if (policy.requireTls === 'never') return false;
  const begun = upper(text.slice(0, LONGEST_NEEDING_TLS));
  return NEEDING_TLS.some(
    (rule) =>
      begun.startsWith(rule.verb) &&
      !isMaskedVerb(rule.verb, policy) &&
      (rule.legal !== 'never' || policy.verbs === 'open') &&
      (rule.effect !== 'opensMail' || policy.requireTls === 'mail'),
  );
}

/**
 * Where the path of `MAIL FROM:` or `RCPT TO:` begins in the argument; nothing for other commands or where it is
 * missing.
 */
export function pathStart({ keyword }: CommandRule, argument: string): number | undefined {
  if (keyword === undefined) return undefined;
  const spaces = leadingSpaces(argument);
  return upper(argument).startsWith(keyword, spaces) ? spaces + keyword.length : undefined;
}

function judgeArgument(rule: CommandRule, argument: string, whole: boolean): CommandVerdict {
  const start = pathStart(rule, argument);
  // `MAIL FROM :` runs on Sendmail, and a sender rule would look for it in the wrong place.
  if (start === undefined && !mayYetOpen(rule, argument, whole)) return { kind: 'illegal', verb: rule.verb };
  const attack = start === undefined ? undefined : findAttack(rule, argument, start);
  const control = controlCharacterAt(argument);
  // The octet that comes first decides, as it does when they arrive one at a time.
  if (attack !== undefined && (control < 0 || attack.at < control))
    return { kind: 'attack', signature: attack.signature };
  if (control >= 0) return { kind: 'refused', reason: 'control-character' };
  if (rule.legal === 'chunking' && !isChunk(argument, whole)) {
    return { kind: 'refused', reason: 'invalid-arguments' };
  }
  return whole ? { kind: 'legal', rule, argument } : { kind: 'undecided' };
}

function isChunk(argument: string, whole: boolean): boolean {
  if (!(whole ? CHUNK : CHUNK_UNDER_WAY).test(argument)) return false;
  return argument === '' || Number.parseInt(argument, 10) <= SMTP_CHUNK_BYTES_MAX;
}

/**
 * Whether an argument without its opening word can get one, or is missing as a whole, which the server answers with
 * 501.
 */
function mayYetOpen({ keyword }: CommandRule, argument: string, whole: boolean): boolean {
  if (keyword === undefined) return true;
  const rest = upper(argument.slice(leadingSpaces(argument)));
  return rest === '' || (!whole && keyword.startsWith(rest));
}

function leadingSpaces(text: string): number {
  return text.length - text.replace(/^ +/, '').length;
}

interface Attack {
  readonly at: number;
  readonly signature: AttackSignature;
}

/** The first octet of a path that makes it a program to run (signatures 3100 to 3102). */
function findAttack(rule: CommandRule, argument: string, start: number): Attack | undefined {
  const path = attackedText(argument.slice(start));
  const pipe = path.indexOf('|');
  const substitution = path.search(COMMAND_SUBSTITUTION);
  if (pipe >= 0 && (substitution < 0 || pipe < substitution)) {
    return { at: start + pipe, signature: rule.keyword === 'TO:' ? 3101 : 3102 };
  }
  return substitution < 0 ? undefined : { at: start + substitution, signature: 3100 };
}

/**
 * Servers read on where something else than parameters follows a path: `<(a>b)|sh@y.test>`, `<>|sh@y.test>`. Where no
 * bracket closes it, up to the first parameter: `x< |sh@y.test>`.
 */
function attackedText(text: string): string {
  const end = pathEnd(text);
  if (text[leadingSpaces(text)] === '<' && text[end - 1] === '>') {
    return text.slice(0, text[end] === ' ' ? end : undefined);
  }
  const parameter = / [A-Za-z][A-Za-z0-9-]*=/.exec(text.slice(end));
  return parameter === null ? text : text.slice(0, end + parameter.index);
}
