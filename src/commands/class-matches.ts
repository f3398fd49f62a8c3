import type { Arguments } from '../language/match.ts';
import { MATCHED_WORD_CHARACTERS_MAX } from '../limits.ts';
import { type Draft, note } from './draft.ts';
import { MAIL_PROTOCOLS, OTHER_PROTOCOLS, protocolChoice, TLS_PROTOCOLS } from './protocols.ts';

/** The `match` lines of classes: their grammar, and the one spelling in which they are kept (cisco-ios 1.6 to 1.8). */

const VERBS: readonly string[] = [
  ...['AUTH', 'DATA', 'EHLO', 'ETRN', 'EXPN', 'HELO', 'HELP', 'MAIL', 'NOOP', 'QUIT', 'RCPT', 'RSET', 'SAML', 'SEND'],
  ...['SOML', 'STARTTLS', 'VERB', 'VRFY'],
];
const EHLO_KEYWORDS: readonly string[] = [
  ...['8BITMIME', 'AUTH', 'BINARYMIME', 'CHUNKING', 'DELIVERBY', 'DSN', 'ENHANCEDSTATUSCODES', 'ETRN', 'EXPN', 'HELP'],
  ...['PIPELINING', 'SIZE', 'SMTPUTF8', 'STARTTLS', 'VRFY', 'XCLIENT', 'XFORWARD'],
];
const ENCODINGS: readonly string[] = [
  ...['7-bit', '8-bit', 'base64', 'binary', 'quoted-printable', 'unknown', 'x-uuencode'],
];
/** Other spellings of the guides (D-12). */
const ENCODING_ALIASES: Readonly<Record<string, string>> = { '7bit': '7-bit', '8bit': '8-bit', uuencode: 'x-uuencode' };

const NUMBER = '(1-65535)';

/** Known words, which `?` lists, beside any other word. */
const anyOf = (known: readonly string[]): string => `<${known.map((word) => `"${word}"`).join('|')}|WORD>`;

export const SMTP_MATCHES: readonly string[] = [
  'protocol smtp',
  'sender address regex NAME',
  'recipient address regex NAME',
  `recipient count gt ${NUMBER}`,
  `recipient invalid count gt ${NUMBER}`,
  'sender learned [domain]',
  'client learned',
  `cmd verb ${anyOf(VERBS)}$upper`,
  `cmd line length gt ${NUMBER}`,
  `cmd-line length gt ${NUMBER}`,
  `header length gt ${NUMBER}`,
  'header regex NAME',
  'body regex NAME [decoded]',
  'mime content-type regex NAME',
  `mime encoding ${anyOf(ENCODINGS)}$encodingName`,
  `reply ehlo ${anyOf(EHLO_KEYWORDS)}$upper`,
  `ehlo reply ${anyOf(EHLO_KEYWORDS)}$upper`,
  'data-length gt (1-4294967295)',
  'starttls <missing|stripped>',
];

export const MAIL_LOGIN_MATCHES: readonly string[] = ['invalid-command', 'login clear-text'];

export const LAYER_4_MATCHES: readonly string[] = [
  'protocol smtp extended',
  `protocol ${protocolChoice(MAIL_PROTOCOLS, TLS_PROTOCOLS, OTHER_PROTOCOLS)}`,
  'access-group <(1-199)$ACL|(1300-2699)$ACL|name ACL>',
  'class-map NAME',
];

export const MATCH_HELP: Readonly<Record<string, string>> = {
  match: 'A condition',
  protocol: 'The protocol',
  'access-group': 'An access list',
  ACL: 'The access list',
  'class-map': 'What is in another class',
  NAME: 'Name',
  sender: 'The argument of MAIL FROM',
  recipient: 'The arguments of RCPT TO',
  client: 'The address of the client',
  learned: 'Recorded before by the action `learn sender`',
  domain: 'Anybody of the same domain',
  address: 'The address',
  count: 'Number of recipients',
  invalid: 'Recipients that the server refused',
  cmd: 'A command',
  'cmd-line': 'Accepted for `cmd line`',
  WORD: 'Any other word',
  verb: 'The verb, also one that nobody has standardised',
  line: 'The whole line',
  length: 'Number of octets',
  gt: 'More than so many',
  header: 'The header of a message',
  body: 'The body of a message: its text in 7-bit and 8-bit parts',
  decoded: 'Text in base64 and quoted-printable parts too',
  mime: 'A MIME part',
  'content-type': 'Its type',
  encoding: 'Its transfer encoding',
  unknown: 'None of those listed here',
  reply: 'The answer of the server',
  ehlo: 'A keyword of the answer to EHLO',
  'data-length': 'Octets of mail data',
  starttls: 'STARTTLS in the answer of the server to EHLO',
  missing: 'It is not offered, or refused',
  stripped: 'The same where it was offered before, or a word was overwritten in its place',
  regex: 'By the patterns of a parameter map',
  'invalid-command': 'A command that is not valid at this point',
  login: 'A login',
  'clear-text': 'That sends its secret in clear',
  extended: 'Extended SMTP',
};

/**
 * The condition of a line in the spelling that is saved; `from` is the index of the word behind `match`. Other
 * spellings of the seed guides are told of (D-12).
 */
export function canonicalMatch(draft: Draft, args: Arguments, from: number): readonly string[] {
  const typed = args.words.slice(from);
  const words = spell(args, typed);
  const renamed = words.join(' ').toLowerCase() !== typed.join(' ').toLowerCase();
  if (renamed) note(draft, `% notice: read as 'match ${words.join(' ')}', saved so`);
  return words;
}

function spell(args: Arguments, typed: readonly string[]): readonly string[] {
  const last = typed.at(-1) ?? '';
  if (typed[0] === 'cmd-line') return ['cmd', 'line', ...typed.slice(1)];
  if (typed[0] === 'ehlo') return ['reply', 'ehlo', last.toUpperCase()];
  if (args.has('upper')) return typed.with(-1, last.toUpperCase());
  if (args.has('encodingName')) return typed.with(-1, ENCODING_ALIASES[last.toLowerCase()] ?? last.toLowerCase());
  return typed;
}

/** A word of the user's own that cannot stand on the wire: where it is, for the caret, and what is wrong with it. */
export function wordMistake(args: Arguments): { readonly column: number; readonly message: string } | undefined {
  const name = ['upper', 'encodingName'].find((candidate) => args.has(candidate));
  if (name === undefined || new RegExp(`^[!-~]{1,${MATCHED_WORD_CHARACTERS_MAX}}$`).test(args.text(name))) return;
  const message = `% A word to match has at most ${MATCHED_WORD_CHARACTERS_MAX} characters, all of them printable ASCII`;
  return { column: args.column(name), message };
}

/** The parameter-map of type regex that a condition of an application class goes by. */
export function patternMapOf(words: readonly string[]): string | undefined {
  const [first = ''] = words;
  if (first === 'header' || first === 'body') return words[1] === 'regex' ? words[2] : undefined;
  if (first === 'sender' || first === 'recipient' || first === 'mime')
    return words[2] === 'regex' ? words[3] : undefined;
  return undefined;
}

/** The access list that a condition of layer 3/4 goes by. */
export function accessListOf(words: readonly string[]): string | undefined {
  return words[0] === 'access-group' ? words.at(-1) : undefined;
}
