import type { SmtpPolicy } from './policy.ts';

/** What the session does when the server says yes (2xx) to a command, or any answer where it says so. */
export type Effect =
  | 'none'
  /** HELO, EHLO: the envelope is gone (RFC 5321 4.1.4). */
  | 'greets'
  | 'opensMail'
  | 'addsRecipient'
  | 'resets'
  /** The message is over, whatever the answer (RFC 5321 4.1.1.4). */
  | 'closesMail'
  | 'startsTls'
  | 'ends';

export interface CommandRule {
  readonly verb: string;
  /**
   * When the verb is legal. `smtp`: always. `esmtp`: with extended inspection. `starttls`: unless masked.
   * `chunking`: when allowed and the server offered it. `never`: known, and known to be unwanted.
   */
  readonly legal: 'smtp' | 'esmtp' | 'starttls' | 'chunking' | 'never';
  /** The word that must open the argument, with its colon. */
  readonly keyword?: 'FROM:' | 'TO:';
  /** Success codes the RFC gives; absent: any 2xx. */
  readonly success?: readonly string[];
  /** The 3xx code that asks for more, and what for. */
  readonly goAhead?: { readonly code: string; readonly wants: 'data' | 'sasl' };
  readonly effect: Effect;
  /** Nothing of the client is judged until the answer says what it is: text, SASL, TLS or a command. */
  readonly holdsInitiator: boolean;
  /** The signature that its mere use raises (cisco-ios 3.8). */
  readonly signature?: 3103 | 3104;
}

const plain = { legal: 'smtp', effect: 'none', holdsInitiator: false } as const;
const mail = { ...plain, keyword: 'FROM:', effect: 'opensMail' } as const;
const never = { ...plain, legal: 'never' } as const;
const exchangeLogin = { ...never, goAhead: { code: '334', wants: 'sasl' }, holdsInitiator: true } as const;

const RULES: readonly CommandRule[] = [
  // RFC 5321 4.1.1
  { ...plain, verb: 'EHLO', legal: 'esmtp', effect: 'greets' },
  { ...plain, verb: 'HELO', effect: 'greets' },
  { ...mail, verb: 'MAIL' },
  { ...plain, verb: 'RCPT', keyword: 'TO:', effect: 'addsRecipient' },
  { ...plain, verb: 'DATA', success: [], goAhead: { code: '354', wants: 'data' }, holdsInitiator: true },
  { ...plain, verb: 'RSET', effect: 'resets' },
  { ...plain, verb: 'VRFY', signature: 3103 },
  { ...plain, verb: 'EXPN', signature: 3103 },
  { ...plain, verb: 'HELP' },
  { ...plain, verb: 'NOOP' },
  { ...plain, verb: 'QUIT', effect: 'ends' },
  // RFC 821 3.4: retired by RFC 5321 F.6, legal in IOS
  { ...mail, verb: 'SEND' },
  { ...mail, verb: 'SOML' },
  { ...mail, verb: 'SAML' },
  // RFC 4954 4; the answer to the exchange is 235, but any 2xx ends it
  { ...plain, verb: 'AUTH', legal: 'esmtp', goAhead: { code: '334', wants: 'sasl' }, holdsInitiator: true },
  // RFC 1985
  { ...plain, verb: 'ETRN', legal: 'esmtp' },
  // RFC 3207 4
  {
    ...plain,
    verb: 'STARTTLS',
    legal: 'starttls',
    success: ['220'],
    effect: 'startsTls',
    holdsInitiator: true,
  },
  // RFC 3030 2
  { ...plain, verb: 'BDAT', legal: 'chunking' },
  // RFC 4468: BURL fetches the text from elsewhere; nothing of it would be seen
  { ...never, verb: 'BURL' },
  // RFC 2645, RFC 821 3.8: the session turns round, client becomes server
  { ...never, verb: 'ATRN' },
  { ...never, verb: 'TURN' },
  // sendmail of the eighties
  { ...never, verb: 'DEBUG', signature: 3104 },
  { ...never, verb: 'WIZ', signature: 3104 },
  { ...never, verb: 'VERB' },
  { ...never, verb: 'ONEX' },
  // Private: they claim another client address or another framing
  { ...never, verb: 'XCLIENT' },
  { ...never, verb: 'XFORWARD' },
  { ...never, verb: 'XEXCH50' },
  // Exchange's own names for AUTH
  { ...exchangeLogin, verb: 'XEXPS' },
  { ...exchangeLogin, verb: 'X-EXPS' },
];

/** Every command of the RFCs, by verb. A verb that is not here is illegal like one that is never legal. */
export const COMMANDS: ReadonlyMap<string, CommandRule> = new Map(RULES.map((rule) => [rule.verb, rule]));

/** RSET with an argument may be refused (RFC 5321 4.1.1.5); a lone RSET is not. */
export const DOUBTFUL_RESET: CommandRule = { ...plain, verb: 'RSET', effect: 'resets' };
/** What else the server answers. */
export const GREETING: CommandRule = { ...plain, verb: '(greeting)', success: ['220'] };
export const MESSAGE: CommandRule = { ...plain, verb: '(message)', effect: 'closesMail' };
export const LAST_CHUNK: CommandRule = { ...plain, verb: 'BDAT LAST', effect: 'closesMail' };
/** A SASL response is answered like AUTH itself. */
export const SASL_RESPONSE: CommandRule = {
  ...plain,
  verb: '(SASL response)',
  goAhead: { code: '334', wants: 'sasl' },
  holdsInitiator: true,
};
/** A line that reached the server as `xxxx`, and changed nothing there. */
export const MASKED: CommandRule = { ...plain, verb: '(masked)' };
/**
 * A verb that the table lacks, where policy lets such pass: nothing is known of it but that it asks for no go-ahead.
 */
const OTHER: CommandRule = { ...plain, verb: '(other)' };
/** An empty line: most servers answer 500, one may not answer at all. */
export const EMPTY_LINE: CommandRule = { ...plain, verb: '(empty)' };

/** What the session knows that decides about verbs. */
export interface Offered {
  readonly chunking: boolean;
}

function isLegal(rule: CommandRule, policy: SmtpPolicy, offered: Offered): boolean {
  const extended = policy.extended || policy.verbs === 'open';
  switch (rule.legal) {
    case 'smtp':
      return true;
    case 'esmtp':
      return extended;
    case 'starttls':
      return extended && policy.starttls === 'allow';
    case 'chunking':
      return extended && policy.chunking === 'allow' && offered.chunking;
    case 'never':
      // Text that BURL fetches would not be seen, and archaic attacks stay attacks.
      return policy.verbs === 'open' && rule.verb !== 'BURL' && rule.signature === undefined;
  }
}

/** The rule of a verb in any case of letters, when it is legal. */
export function legalRule(verb: string, policy: SmtpPolicy, offered: Offered): CommandRule | undefined {
  if (isMaskedVerb(verb, policy)) return undefined;
  const rule = COMMANDS.get(upper(verb));
  if (rule !== undefined) return isLegal(rule, policy, offered) ? rule : undefined;
  if (beginsMasked(verb, policy)) return undefined;
  return verb !== '' && mayBeAnyVerb(verb, policy, offered) ? OTHER : undefined;
}

/** Whether a legal verb begins so. */
export function beginsLegalVerb(prefix: string, policy: SmtpPolicy, offered: Offered): boolean {
  const wanted = upper(prefix);
  const masked = isMaskedVerb(prefix, policy);
  const mayBecome = (rule: CommandRule): boolean =>
    rule.verb.startsWith(wanted) && isLegal(rule, policy, offered) && !(masked && isMaskedVerb(rule.verb, policy));
  if (RULES.some(mayBecome)) return true;
  return !beginsMasked(prefix, policy) && mayBeAnyVerb(prefix, policy, offered);
}

/** Whether policy masks this verb: it, and no other that begins so. */
export function isMaskedVerb(verb: string, { maskedVerbs }: SmtpPolicy): boolean {
  return maskedVerbs.has(upper(verb));
}

/**
 * Whether a word begins with a verb that policy masks. The octet that completes one cannot pass (cisco-ios 3.9), unless
 * a known verb may still come of it: a server would read the masked verb in what has gone ahead. So what begins so and
 * is no known verb is masked too.
 */
export function beginsMasked(word: string, { maskedVerbs }: SmtpPolicy): boolean {
  const wanted = upper(word);
  for (const masked of maskedVerbs) if (masked !== '' && wanted.startsWith(masked)) return true;
  return false;
}

/**
 * Whether a word that is no known verb may pass all the same, or grow into one that may. Not if it begins with a known
 * verb that may not pass, nor if a lenient server could read it as a known one: `MAIL,`, `MAILFROM:<x>`. Nor a dot: a
 * server that answers twice may be in the middle of a message where commands are judged, and no message may end there.
 */
function mayBeAnyVerb(word: string, policy: SmtpPolicy, offered: Offered): boolean {
  if (policy.verbs !== 'open' || !/^(?!\.)[!-~]*$/.test(word)) return false;
  const wanted = upper(word);
  for (const rule of RULES) {
    if (!wanted.startsWith(rule.verb)) continue;
    const rest = wanted.slice(rule.verb.length);
    if (!isLegal(rule, policy, offered)) return false;
    if (/^[^A-Z0-9-]/.test(rest) || (rule.keyword !== undefined && rest.startsWith(rule.keyword))) return false;
  }
  return true;
}

/** Upper case of ASCII letters only: `toUpperCase` would turn some octets into letters (0xDF into SS). */
export function upper(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}
