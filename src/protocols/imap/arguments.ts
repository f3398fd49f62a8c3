import type { Reason } from '../../inspect/reasons.ts';
import { isControl } from '../../inspect/words.ts';
import { IMAP_ID_FIELD_BYTES_MAX } from '../../limits.ts';
import { type Literal, readLiteral } from './literals.ts';

/**
 * The arguments of the commands before authentication, read token by token with single spaces between (RFC 9051 9). A
 * command goes on behind a literal, so the place in the grammar is a value that the session keeps.
 */

type Token = 'space' | 'open' | 'close' | 'quoted' | 'literal' | 'atom' | 'nil';

export type Place = keyof typeof NEXT;

const string = <Next extends string>(next: Next) => ({ quoted: next, literal: next }) as const;
const astring = <Next extends string>(next: Next) => ({ ...string(next), atom: next }) as const;

/** Where each token leads. A list holds strings only, so that parentheses never nest (RFC 2971 3.1). */
const NEXT = {
  end: {},
  login: { space: 'login name' },
  'login name': astring('login gap'),
  'login gap': { space: 'login password' },
  'login password': astring('end'),
  id: { space: 'id parameters' },
  'id parameters': { nil: 'end', open: 'id first field' },
  'id first field': { ...string('id gap'), close: 'end' },
  'id field': string('id gap'),
  'id gap': { space: 'id value' },
  'id value': { ...string('id more'), nil: 'id more' },
  'id more': { space: 'id field', close: 'end' },
  language: { space: 'language tag' },
  'language tag': astring('language'),
} as const satisfies Record<string, Partial<Record<Token, string>>>;

/**
 * Where a string has a limit. RFC 2971 3.3: no field of ID is longer than 30 octets. Dovecot says BAD to a longer one
 * and skips the line, so that the octets of a literal behind it that does not wait are commands there.
 */
const STRING_BYTES_MAX: Partial<Record<Place, number>> = {
  'id first field': IMAP_ID_FIELD_BYTES_MAX,
  'id field': IMAP_ID_FIELD_BYTES_MAX,
};

/** Where a line may end. */
const ENDS: ReadonlySet<Place> = new Set<Place>(['end', 'language']);

export type ArgumentsReading =
  | { readonly kind: 'growing' }
  | { readonly kind: 'complete' }
  /** The line ends in a literal; behind its octets the arguments go on at `place`. */
  | { readonly kind: 'literal'; readonly literal: Literal; readonly place: Place }
  | { readonly kind: 'offence'; readonly at: number; readonly reason: Reason };

type TokenReading =
  | { readonly kind: 'growing' }
  | { readonly kind: 'token'; readonly end: number }
  | { readonly kind: 'literal'; readonly literal: Literal }
  | { readonly kind: 'offence'; readonly at: number; readonly reason: Reason };

/** Reads on at `from`, where the grammar stands at `place`. `complete` says that the text is a whole line. */
export function readArguments(text: string, from: number, place: Place, complete: boolean): ArgumentsReading {
  let at = from;
  let here = place;
  while (at < text.length) {
    const token = tokenAt(text, at, here);
    const next = (NEXT[here] as Partial<Record<Token, Place>>)[token];
    if (next === undefined) return offenceAt(text, at, token === 'literal' ? 'invalid-literal' : 'invalid-arguments');
    const reading = readToken(text, at, { token, bytesMax: STRING_BYTES_MAX[here] ?? Infinity }, complete);
    switch (reading.kind) {
      case 'growing':
      case 'offence':
        return reading;
      case 'literal':
        return { kind: 'literal', literal: reading.literal, place: next };
      case 'token':
        at = reading.end;
        here = next;
    }
  }
  if (!complete) return { kind: 'growing' };
  return ENDS.has(here) ? { kind: 'complete' } : offenceAt(text, at, 'invalid-arguments');
}

const TOKEN_BY_FIRST: Readonly<Record<string, Token>> = {
  ' ': 'space',
  '(': 'open',
  ')': 'close',
  '"': 'quoted',
  '{': 'literal',
};

function tokenAt(text: string, at: number, place: Place): Token {
  return TOKEN_BY_FIRST[text.charAt(at)] ?? ('nil' in NEXT[place] ? 'nil' : 'atom');
}

interface Wanted {
  readonly token: Token;
  /** Of a string. */
  readonly bytesMax: number;
}

function readToken(text: string, at: number, { token, bytesMax }: Wanted, complete: boolean): TokenReading {
  switch (token) {
    case 'space':
    case 'open':
    case 'close':
      return { kind: 'token', end: at + 1 };
    case 'quoted':
      return readQuoted(text, at, bytesMax, complete);
    case 'literal':
      return readLiteralToken(text, at, bytesMax, complete);
    case 'nil':
      return readNil(text, at, complete);
    case 'atom':
      return readAtom(text, at);
  }
}

/** A quoted string never spans lines: servers differ on what the next line would then be. */
function readQuoted(text: string, from: number, bytesMax: number, complete: boolean): TokenReading {
  for (let at = from + 1, bytes = 0; at < text.length; at += 1, bytes += 1) {
    if (isControl(text.charCodeAt(at))) return offenceAt(text, at, 'control-character');
    if (text[at] === '"') return { kind: 'token', end: at + 1 };
    if (bytes === bytesMax) return offenceAt(text, at, 'invalid-arguments');
    if (text[at] !== '\\') continue;
    at += 1;
    // RFC 9051 9, QUOTED-CHAR: a backslash escapes a quote or a backslash and nothing else.
    if (at < text.length && text[at] !== '"' && text[at] !== '\\') return offenceAt(text, at, 'invalid-arguments');
  }
  return complete ? offenceAt(text, text.length, 'invalid-arguments') : { kind: 'growing' };
}

function readLiteralToken(text: string, at: number, bytesMax: number, complete: boolean): TokenReading {
  const reading = readLiteral(text, at, complete);
  if (reading.kind === 'literal' && reading.literal.bytes > bytesMax) return offenceAt(text, at, 'invalid-literal');
  return reading.kind === 'malformed' ? { kind: 'offence', at: reading.at, reason: 'invalid-literal' } : reading;
}

function readNil(text: string, from: number, complete: boolean): TokenReading {
  for (let length = 1; length <= 'NIL'.length; length += 1) {
    const at = from + length - 1;
    if (at === text.length) return complete ? offenceAt(text, at, 'invalid-arguments') : { kind: 'growing' };
    if (text[at]?.toUpperCase() !== 'NIL'[length - 1]) return offenceAt(text, at, 'invalid-arguments');
  }
  return { kind: 'token', end: from + 'NIL'.length };
}

/**
 * Atoms may hold octets that the grammar forbids and clients send all the same (`DOMAIN\user`, `%`, UTF-8): they
 * change no reading. A brace would: where one server sees a literal's head, another sees text.
 */
function readAtom(text: string, from: number): TokenReading {
  for (let at = from; at < text.length; at += 1) {
    const octet = text.charAt(at);
    if (octet === ' ' || octet === ')') return { kind: 'token', end: at };
    if (octet === '{') return offenceAt(text, at, 'invalid-literal');
    if (octet === '"' || octet === '(') return offenceAt(text, at, 'invalid-arguments');
    if (isControl(text.charCodeAt(at))) return offenceAt(text, at, 'control-character');
  }
  return { kind: 'token', end: text.length };
}

function offenceAt(text: string, at: number, reason: Reason): Extract<TokenReading, { kind: 'offence' }> {
  const control = at < text.length && isControl(text.charCodeAt(at));
  return { kind: 'offence', at, reason: control ? 'control-character' : reason };
}
