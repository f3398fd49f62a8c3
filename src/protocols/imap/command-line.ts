import type { Fact } from '../../inspect/facts.ts';
import type { Reason } from '../../inspect/reasons.ts';
import { cleartextMechanismAt, isInitialResponse, readMechanism } from '../../inspect/sasl.ts';
import {
  isControl,
  quotable,
  quotableVerb,
  readWord,
  type WordTable,
  withoutUndecidedCr,
} from '../../inspect/words.ts';
import { IMAP_COMMAND_BYTES_MAX } from '../../limits.ts';
import { type ArgumentsReading, readArguments } from './arguments.ts';
import { COMMANDS } from './grammar.ts';
import type { Refusal } from './refusal.ts';
import type { Unanswered } from './state.ts';
import { readTag } from './tag.ts';

/** What a client's line, or the beginning of one, comes to. */
export type Judgement =
  /** Only a beginning, and nothing speaks against it yet. */
  | { readonly kind: 'growing' }
  | { readonly kind: 'command'; readonly verb: string; readonly command: Unanswered; readonly fact?: Fact }
  /** The line ends in a literal; the command goes on behind it. */
  | {
      readonly kind: 'unfinished';
      readonly verb: string;
      readonly command: Unanswered;
      readonly reading: Extract<ArgumentsReading, { kind: 'literal' }>;
      readonly fact?: Fact;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface JudgingContext {
  readonly verbs: WordTable;
  readonly secureLogin: boolean;
  readonly requireTls: boolean;
  /** Unknown commands and those out of state go on where their answer can be followed. */
  readonly passInvalid: boolean;
  /** The reason for anything that is not allowed here, instead of what is wrong with it. */
  readonly ended: boolean;
  readonly secretMayFollow: boolean;
  readonly isTagInUse: (tag: string) => boolean;
}

/** An octet that speaks against the line, or a lack that shows at its end. */
interface Offence {
  readonly reason: Reason;
  readonly tag?: string;
  readonly mechanism?: string;
}

const CREDENTIAL_VERBS = ['LOGIN', 'AUTHENTICATE'];

/** Judges from left to right and stops at the first offence: the answer is that of the shortest prefix refused. */
export function judgeCommand(line: string, complete: boolean, context: JudgingContext): Judgement {
  const text = complete ? line : withoutUndecidedCr(line);
  const tag = readTag(text, complete);
  switch (tag.kind) {
    case 'growing':
      return { kind: 'growing' };
    case 'offence':
      return refused(text, context, { reason: reasonAt(text, tag.at, 'invalid-command') });
    case 'tag':
      // Two answers with one tag could be taken for each other: OK to a NOOP for OK to a LOGIN.
      if (context.isTagInUse(tag.tag)) return refused(text, context, { reason: 'invalid-command', tag: tag.tag });
      return judgeVerb(text, tag.tag, complete, context);
  }
}

function judgeVerb(text: string, tag: string, complete: boolean, context: JudgingContext): Judgement {
  const verb = readWord(text, tag.length + 1, context.verbs, complete);
  switch (verb.kind) {
    case 'growing':
      return { kind: 'growing' };
    case 'unknown':
      return judgeInvalid(text, complete, context, { reason: reasonAt(text, verb.at, 'invalid-command'), tag });
    case 'forbidden': {
      const rule = COMMANDS.get(verb.word);
      if (context.requireTls && rule?.onOk === 'authenticates')
        return refused(text, context, { reason: 'tls-required', tag });
      const cleartext = context.secureLogin && rule?.cleartextLogin === true;
      const offence: Offence = cleartext
        ? { reason: 'cleartext-login', mechanism: verb.word, tag }
        : { reason: 'command-out-of-state', tag };
      return judgeInvalid(text, complete, context, offence);
    }
    case 'word':
      return judgeArguments(text, { tag, verb: verb.word, from: verb.end }, complete, context);
  }
}

/**
 * A command that is unknown or out of state: refused, or let on where it is an atom and its line holds no literal. A
 * server that does not know the command may take a literal's octets for commands, and one that skips a blank before
 * the verb for a login.
 */
function judgeInvalid(text: string, complete: boolean, context: JudgingContext, offence: Offence): Judgement {
  const { reason, tag = '' } = offence;
  const followed = context.passInvalid && !context.ended && /^[^ ]+ [!#-'+-Z[^-z|}~]*(?: |$)/.test(text);
  if (!followed || (reason !== 'invalid-command' && reason !== 'command-out-of-state')) {
    return refused(text, context, offence);
  }
  if (text.startsWith(' ', tag.length + 1)) return refused(text, context, offence);
  for (let at = 0; at < text.length; at += 1) {
    if (isControl(text.charCodeAt(at))) return refused(text, context, { reason: 'control-character', tag });
    if (at >= IMAP_COMMAND_BYTES_MAX) return refused(text, context, { reason: 'line-too-long', tag });
  }
  if (!complete) return { kind: 'growing' };
  const [, verb = ''] = text.split(' ', 2);
  if (verb === '') return refused(text, context, offence);
  if (/\{[^{}]*\}$/.test(text)) return refused(text, context, { reason: 'invalid-literal', tag });
  return {
    kind: 'command',
    verb,
    command: { tag, onOk: 'nothing', challenges: false },
    fact: { kind: 'invalidCommand', text: quotedVerb(text, context) },
  };
}

interface CommandHead {
  readonly tag: string;
  readonly verb: string;
  readonly from: number;
}

function judgeArguments(text: string, head: CommandHead, complete: boolean, context: JudgingContext): Judgement {
  const { tag, verb, from } = head;
  const rule = COMMANDS.get(verb);
  if (rule === undefined || rule.arguments === 'unread') throw new Error(`${verb} is permitted but has no arguments`);
  const challenges = rule.arguments === 'sasl';
  const reading =
    rule.arguments === 'sasl'
      ? readSasl(text, from, complete, context.secureLogin)
      : readWithinBudget(text, from, rule.arguments, complete);
  const exchange = challenges && !/^[^ ]+ [^ ]+ [^ ]+ [^ ]/.test(text) ? { awaitsChallenge: true } : {};
  const command: Unanswered = { tag, onOk: rule.onOk, challenges, ...exchange };
  switch (reading.kind) {
    case 'growing':
      return { kind: 'growing' };
    case 'offence':
      return refused(text, context, { ...reading, tag });
    case 'literal':
      return { kind: 'unfinished', verb, command, reading, ...loginFact(text, head) };
    case 'complete':
      return { kind: 'command', verb, command, ...loginFact(text, head) };
  }
}

/** A login in clear that passes, told with the first line of its command. */
function loginFact(text: string, { verb, from }: CommandHead): { readonly fact?: Fact } {
  const rule = COMMANDS.get(verb);
  const mechanism = rule?.arguments === 'sasl' ? cleartextMechanismAt(text, from + 1) : verb;
  if (mechanism === undefined || (mechanism === verb && rule?.cleartextLogin !== true)) return {};
  return { fact: { kind: 'clearTextLogin', text: loginText(text, mechanism), mechanism } };
}

/** The rest of a command behind a literal, judged from the place where the grammar stood. */
export function judgeRest(
  line: string,
  complete: boolean,
  place: Parameters<typeof readArguments>[2],
): ArgumentsReading {
  return readWithinBudget(complete ? line : withoutUndecidedCr(line), 0, place, complete);
}

/** Only AUTHENTICATE with its initial response may use the framer's whole budget. */
function readWithinBudget(
  text: string,
  from: number,
  place: Parameters<typeof readArguments>[2],
  complete: boolean,
): ArgumentsReading {
  if (text.length <= IMAP_COMMAND_BYTES_MAX) return readArguments(text, from, place, complete);
  const head = readArguments(text.slice(0, IMAP_COMMAND_BYTES_MAX), from, place, false);
  if (head.kind === 'offence') return head;
  return { kind: 'offence', at: IMAP_COMMAND_BYTES_MAX, reason: 'line-too-long' };
}

type SaslReading = Exclude<ArgumentsReading, { kind: 'literal' }> & { readonly mechanism?: string };

/** RFC 9051 6.2.2 and RFC 4959 3: SP mechanism [SP initial-response]. The mechanism is an atom, never a literal. */
function readSasl(text: string, from: number, complete: boolean, secureOnly: boolean): SaslReading {
  if (from === text.length) {
    return complete ? { kind: 'offence', at: from, reason: 'invalid-arguments' } : { kind: 'growing' };
  }
  const mechanism = readMechanism(text, from + 1, { secureOnly, complete });
  switch (mechanism.kind) {
    case 'growing':
      return { kind: 'growing' };
    case 'cleartext':
      return { kind: 'offence', at: mechanism.at, reason: 'cleartext-login', mechanism: mechanism.name };
    case 'malformed':
      return { kind: 'offence', at: mechanism.at, reason: reasonAt(text, mechanism.at, 'invalid-arguments') };
    case 'mechanism': {
      if (mechanism.end === text.length) return complete ? { kind: 'complete' } : { kind: 'growing' };
      const response = text.slice(mechanism.end + 1);
      if (isInitialResponse(response, complete)) return { kind: complete ? 'complete' : 'growing' };
      return { kind: 'offence', at: text.length, reason: 'invalid-sasl-response' };
    }
  }
}

function reasonAt(text: string, at: number, otherwise: Reason): Reason {
  return at < text.length && isControl(text.charCodeAt(at)) ? 'control-character' : otherwise;
}

function refused(text: string, context: JudgingContext, { reason, tag, mechanism }: Offence): Judgement {
  if (mechanism !== undefined) {
    return { kind: 'refused', refusal: { reason, tag, mechanism, text: loginText(text, mechanism) } };
  }
  if (reason === 'tls-required') return { kind: 'refused', refusal: { reason, tag } };
  const { ended } = context;
  return {
    kind: 'refused',
    refusal: { reason: ended ? 'data-after-end' : reason, tag, text: quotedVerb(text, context) },
  };
}

/** The line behind a refused login may be the secret itself: only a verb that is one is quoted. */
function quotedVerb(text: string, { secretMayFollow }: JudgingContext): string {
  const [first = '', second] = text.split(' ', 2);
  const verb = quotableVerb(second ?? first, CREDENTIAL_VERBS);
  return !secretMayFollow || COMMANDS.has(verb) ? verb : '*';
}

/** `LOGIN mrose` names who tried, when a second argument shows that the first is the name. */
function loginText(text: string, mechanism: string): string {
  if (mechanism !== 'LOGIN' || !/^[^ ]+ LOGIN/i.test(text)) return quotable(`AUTHENTICATE ${mechanism}`);
  const [, quoted, atom] = /^[^ ]+ LOGIN (?:"((?:[^"\\]|\\.)*)"|([^ "{(]+)) [^ ]/i.exec(text) ?? [];
  const user = quoted ?? atom;
  return user === undefined ? 'LOGIN' : quotable(`LOGIN ${user}`);
}
