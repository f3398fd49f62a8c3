import { IMAP_LITERAL_BYTES_MAX } from '../../limits.ts';

/**
 * Literals: a length in braces at the end of a line, then that many octets, then the rest of the line (RFC 9051 4.3).
 */

export interface Literal {
  readonly bytes: number;
  /** Whether the client has to wait for the server's `+` before it sends the octets (RFC 7888). */
  readonly synchronising: boolean;
}

/** Which literals the server takes without being asked (RFC 7888 4 and 5): none until it has said so. */
export type NonSynchronising = 'any' | 'short' | 'none';

/** RFC 7888 5: the longest literal that LITERAL- lets a client send without asking. */
const LITERAL_MINUS_BYTES_MAX = 4_096;
/** More digits than a 32-bit number has; a longer run of zeros is nobody's literal either. */
const LITERAL_DIGITS_MAX = 10;

export type LiteralReading =
  | { readonly kind: 'growing' }
  | { readonly kind: 'literal'; readonly literal: Literal }
  | { readonly kind: 'malformed'; readonly at: number };

/**
 * Reads the literal's head that starts with the brace at `from`. It is the last of its line: what stands behind it
 * would be read as text by one server and as a new command by the next.
 */
export function readLiteral(text: string, from: number, complete: boolean): LiteralReading {
  let at = from + 1;
  let bytes = 0;
  while (at < text.length && /[0-9]/.test(text.charAt(at))) {
    bytes = bytes * 10 + Number(text.charAt(at));
    if (bytes > IMAP_LITERAL_BYTES_MAX || at - from > LITERAL_DIGITS_MAX) return { kind: 'malformed', at };
    at += 1;
  }
  const hasDigits = at > from + 1;
  const synchronising = !(hasDigits && text[at] === '+');
  if (!synchronising) at += 1;
  if (at === text.length) return complete ? { kind: 'malformed', at } : { kind: 'growing' };
  if (!hasDigits || text[at] !== '}') return { kind: 'malformed', at };
  if (at + 1 < text.length) return { kind: 'malformed', at: at + 1 };
  return complete ? { kind: 'literal', literal: { bytes, synchronising } } : { kind: 'growing' };
}

/**
 * Whether the server will read this literal as one. A server that does not know `{5+}` runs the octets as commands
 * (Courier), so what it has not offered is not let through: the octets would be gone before its answer tells.
 */
export function isOffered({ bytes, synchronising }: Literal, offered: NonSynchronising): boolean {
  if (synchronising || offered === 'any') return true;
  return offered === 'short' && bytes <= LITERAL_MINUS_BYTES_MAX;
}

/**
 * Whether every server reads this line, which ends in a literal, to its end. One that answers BAD to the line skips it
 * and runs the octets of a literal that did not wait: Dovecot does at `]` in a tag and at UTF-8 in an atom. So octets
 * that are let pass elsewhere although no atom may hold them are not let pass here (RFC 9051 9).
 */
export function isReadToItsEnd(line: string, tag: string): boolean {
  if (/[\]}~]/.test(tag) || /[\x80-\xff]/.test(line)) return false;
  return !/[%*\\]/.test(line.replace(/"(?:[^"\\]|\\.)*"/g, ''));
}

/** What a capability list says about literals. IMAP4rev2 has LITERAL- built in (RFC 9051 4.3). */
export function nonSynchronisingOf(capabilities: readonly string[]): NonSynchronising {
  const names = new Set(capabilities.map((name) => name.toUpperCase()));
  if (names.has('LITERAL+')) return 'any';
  return names.has('LITERAL-') || names.has('IMAP4REV2') ? 'short' : 'none';
}

/** The literal at the end of a line after authentication, where nothing but the octets' number matters. */
export function literalAtEnd(text: string): Literal | undefined {
  const [, digits, plus] = /\{(\d{1,15})(\+?)\}$/.exec(text) ?? [];
  return digits === undefined ? undefined : { bytes: Number(digits), synchronising: plus === '' };
}
