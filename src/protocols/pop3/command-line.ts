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
import { POP3_COMMAND_BYTES_MAX } from '../../limits.ts';
import { COMMANDS, type CommandRule, logsIn } from './grammar.ts';
import type { Refusal } from './refusal.ts';
import type { Unanswered } from './state.ts';

/** What a client's line, or the beginning of one, comes to. */
export type Judgement =
  /** Only a beginning, and nothing speaks against it yet. */
  | { readonly kind: 'growing' }
  | { readonly kind: 'command'; readonly verb: string; readonly command: Unanswered; readonly fact?: Fact }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface JudgingContext {
  readonly verbs: WordTable;
  readonly secureLogin: boolean;
  readonly requireTls: boolean;
  /** Unknown commands and those out of state go on where their answer can be followed. */
  readonly passInvalid: boolean;
  /** A USER went before; PASS is no other login. */
  readonly userTold: boolean;
  /** The reason for anything that is not allowed here, instead of what is wrong with it. */
  readonly ended: boolean;
  readonly secretMayFollow: boolean;
}

/** An octet that speaks against the line, or a lack that shows at its end. */
interface Offence {
  readonly at: number;
  readonly reason: Reason;
  readonly mechanism?: string;
}

const CREDENTIAL_VERBS = ['USER', 'PASS', 'APOP', 'AUTH'];

/** Judges from left to right and stops at the first offence: the answer is that of the shortest prefix refused. */
export function judgeCommand(line: string, complete: boolean, context: JudgingContext): Judgement {
  const text = complete ? line : withoutUndecidedCr(line);
  const verb = readWord(text, 0, context.verbs, complete);
  switch (verb.kind) {
    case 'growing':
      return { kind: 'growing' };
    case 'unknown':
      return judgeInvalid(text, complete, context, { at: verb.at, reason: reasonAt(text, verb.at) });
    case 'forbidden':
      return judgeInvalid(text, complete, context, { at: verb.at, ...forbidden(verb.word, context) });
    case 'word':
      return judgeArguments(line, verb.word, complete, context);
  }
}

function judgeArguments(line: string, verb: string, complete: boolean, context: JudgingContext): Judgement {
  const text = complete ? line : withoutUndecidedCr(line);
  const rule = COMMANDS.get(verb);
  if (rule === undefined) throw new Error(`${verb} is permitted but has no rule`);
  const offence =
    verb === 'AUTH' ? findAuthOffence(line, complete, context.secureLogin) : findOffence(text, verb, rule, complete);
  if (offence !== undefined) return refused(text, context, offence);
  if (!complete) return { kind: 'growing' };
  const command = toUnanswered(text, verb, rule);
  const fact = loginFact(text, verb, context);
  return { kind: 'command', verb, command, ...(fact === undefined ? {} : { fact }) };
}

/** A login in clear that passes. USER and PASS are one. */
function loginFact(text: string, verb: string, { userTold }: JudgingContext): Fact | undefined {
  const mechanism = COMMANDS.get(verb)?.cleartextLogin === true ? 'USER/PASS' : cleartextMechanism(text, verb);
  if (mechanism === undefined || (verb === 'PASS' && userTold)) return undefined;
  return { kind: 'clearTextLogin', text: loginText(text, mechanism), mechanism };
}

function cleartextMechanism(text: string, verb: string): string | undefined {
  return verb === 'AUTH' ? cleartextMechanismAt(text, 'AUTH '.length) : undefined;
}

/**
 * A command that is unknown or out of state: refused, or let on where it is one word of printable octets and a line of
 * one-line answer. A blank before the verb, which some servers skip, would hide a login.
 */
function judgeInvalid(text: string, complete: boolean, context: JudgingContext, offence: Offence): Judgement {
  const { reason } = offence;
  const followed = context.passInvalid && !context.ended && /^[!-~]+(?: |$)/.test(text);
  if (!followed || (reason !== 'invalid-command' && reason !== 'command-out-of-state')) {
    return refused(text, context, offence);
  }
  for (let at = 0; at < text.length; at += 1) {
    if (isControl(text.charCodeAt(at))) return refused(text, context, { at, reason: 'control-character' });
    if (at >= POP3_COMMAND_BYTES_MAX) return refused(text, context, { at, reason: 'line-too-long' });
  }
  if (!complete) return { kind: 'growing' };
  const [verb = ''] = text.toUpperCase().split(' ', 1);
  const rule = reason === 'command-out-of-state' ? COMMANDS.get(verb) : undefined;
  const multi = rule !== undefined && toUnanswered(text, verb, rule).multi;
  return {
    kind: 'command',
    verb,
    command: { multi, onOk: 'nothing', challenges: false },
    fact: { kind: 'invalidCommand', text: quotedVerb(text, context) },
  };
}

function toUnanswered(text: string, verb: string, rule: CommandRule): Unanswered {
  const hasArguments = /[^ ]/.test(text.slice(verb.length));
  if (verb === 'AUTH' && !hasArguments) return { multi: true, onOk: 'nothing', challenges: false };
  const multi = rule.reply === 'multi' || (rule.reply === 'multiWithoutArgument' && !hasArguments);
  const capabilities = verb === 'CAPA' ? { capabilities: true } : {};
  const exchange = verb === 'AUTH' && !/^AUTH [^ ]+ [^ ]/i.test(text) ? { awaitsChallenge: true } : {};
  return { multi, onOk: rule.onOk, challenges: verb === 'AUTH', ...exchange, ...capabilities };
}

/** Arguments are set apart by single spaces; spaces at the end of the line are harmless and some clients send them. */
function findOffence(text: string, verb: string, rule: CommandRule, complete: boolean): Offence | undefined {
  const [min, max] = rule.argumentCount;
  let count = 0;
  for (let at = verb.length; at < text.length; at += 1) {
    if (isControl(text.charCodeAt(at))) return { at, reason: 'control-character' };
    if (at >= POP3_COMMAND_BYTES_MAX) return { at, reason: 'line-too-long' };
    const begins = text[at] !== ' ' && text[at - 1] === ' ';
    if (!begins || (rule.restOfLine && count === max)) continue;
    count += 1;
    // A password may begin with a space; elsewhere two spaces are read differently by different servers.
    const doubled = text[at - 2] === ' ' && verb !== 'PASS';
    if (count > max || doubled) return { at, reason: 'invalid-arguments' };
  }
  if (!complete) return undefined;
  const enough = count >= min && (verb !== 'APOP' || /^[^ ]+ [^ ]+ [0-9a-fA-F]{32} *$/.test(text));
  return enough ? undefined : { at: text.length, reason: 'invalid-arguments' };
}

/**
 * RFC 5034 4: AUTH [mechanism [initial-response]]. A blank with nothing behind it is refused at the CR: Dovecot
 * (pop3-login, cmd_auth) lists its mechanisms there and answers the line end as another command. Only very old
 * Outlooks send it.
 */
function findAuthOffence(line: string, complete: boolean, secureOnly: boolean): Offence | undefined {
  const from = 'AUTH '.length;
  const endsBehindBlank = line[from] === '\r' || (complete && line.length === from);
  if (endsBehindBlank) return { at: from, reason: 'invalid-arguments' };
  const text = complete ? line : withoutUndecidedCr(line);
  if (text.length <= from) return undefined;
  const mechanism = readMechanism(text, from, { secureOnly, complete });
  switch (mechanism.kind) {
    case 'growing':
      return undefined;
    case 'cleartext':
      return { at: mechanism.at, reason: 'cleartext-login', mechanism: mechanism.name };
    case 'malformed':
      return { at: mechanism.at, reason: argumentReasonAt(text, mechanism.at) };
    case 'mechanism': {
      const response = text.slice(mechanism.end + 1);
      const absent = response === '';
      if (absent || isInitialResponse(response, complete)) return undefined;
      return { at: text.length, reason: 'invalid-sasl-response' };
    }
  }
}

function forbidden(verb: string, { secureLogin, requireTls }: JudgingContext): Omit<Offence, 'at'> {
  const rule = COMMANDS.get(verb);
  if (requireTls && rule !== undefined && logsIn(rule)) return { reason: 'tls-required' };
  if (secureLogin && rule?.cleartextLogin) return { reason: 'cleartext-login', mechanism: 'USER/PASS' };
  return { reason: 'command-out-of-state' };
}

const reasonAt = (text: string, at: number): Reason =>
  at < text.length && isControl(text.charCodeAt(at)) ? 'control-character' : 'invalid-command';

const argumentReasonAt = (text: string, at: number): Reason =>
  at < text.length && isControl(text.charCodeAt(at)) ? 'control-character' : 'invalid-arguments';

function refused(text: string, context: JudgingContext, offence: Offence): Judgement {
  const { reason, mechanism } = offence;
  if (mechanism !== undefined) {
    return { kind: 'refused', refusal: { reason, mechanism, text: loginText(text, mechanism) } };
  }
  const { ended } = context;
  if (reason === 'tls-required') return { kind: 'refused', refusal: { reason } };
  return { kind: 'refused', refusal: { reason: ended ? 'data-after-end' : reason, text: quotedVerb(text, context) } };
}

/** The line behind a refused login may be the secret itself: only a verb that is one is quoted. */
function quotedVerb(text: string, { secretMayFollow }: JudgingContext): string {
  const verb = quotableVerb(/^[^ ]*/.exec(text)?.[0] ?? '', CREDENTIAL_VERBS);
  return !secretMayFollow || COMMANDS.has(verb) ? verb : '*';
}

/** `USER mrose` names who tried; PASS and AUTH tell no more than the verb and the mechanism. */
function loginText(text: string, mechanism: string): string {
  if (mechanism !== 'USER/PASS') return quotable(`AUTH ${mechanism}`);
  const user = /^USER ([^ ].*)$/i.exec(text)?.[1];
  return user === undefined ? quotable(text.slice(0, 'USER'.length).toUpperCase()) : quotable(`USER ${user}`);
}
