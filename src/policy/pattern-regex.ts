/**
 * The regular expressions of IOS (cisco-ios 1.5) in the words of the pattern engine: the metacharacters of SDM's table
 * and nothing else. What the engine would read in another way is translated, or refused with its column.
 */

export interface PatternMistake {
  /** Position in the pattern, from 0. */
  readonly index: number;
  readonly message: string;
}

/** A regular expression for the engine: its characters are octets. */
export interface EngineExpression {
  readonly text: string;
  /** Where in the pattern each character of the text stood, for the columns of the engine's own refusals. */
  readonly origins: readonly number[];
}

/** One element of a pattern: up to `end`, not included. */
interface Element {
  readonly end: number;
  readonly text: string;
  /** Whether a quantifier may follow. */
  readonly repeatable: boolean;
}

const QUANTIFIERS = '*+?{';
/** Behind a backslash; any other letter stands for itself, also those that mean classes elsewhere. */
const CONTROLS: Readonly<Record<string, number>> = { r: 0x0d, n: 0x0a, t: 0x09, f: 0x0c };
/** What needs no backslash in the engine's syntax. */
const PLAIN = /[\w !"#%&',\-/:;<=>@`~]/;

/** The expression of a pattern, or its first mistake. */
export function translateRegex(pattern: string): EngineExpression | PatternMistake {
  const open: number[] = [];
  const origins: number[] = [];
  let text = '';
  let repeatable = false;
  for (let at = 0; at < pattern.length; ) {
    const element = elementAt(pattern, at, repeatable);
    if ('message' in element) return element;
    if (pattern[at] === '(') open.push(at);
    if (pattern[at] === ')' && open.pop() === undefined) return { index: at, message: "A ')' closes nothing" };
    text += element.text;
    for (let count = element.text.length; count > 0; count -= 1) origins.push(at);
    repeatable = element.repeatable;
    at = element.end;
  }
  const unclosed = open.at(-1);
  return unclosed === undefined ? { text, origins } : { index: unclosed, message: "A '(' is not closed" };
}

/** An octet as the engine reads it literally. */
export function literalOctet(code: number): string {
  if (code >= 0x80) return String.fromCharCode(code);
  const char = String.fromCharCode(code);
  if (PLAIN.test(char)) return char;
  return code > 0x20 && code < 0x7f ? `\\${char}` : hexOctet(code);
}

/** The character at this place as the octets that stand for it on the wire (UTF-8). */
export function literalCharacter(text: string, at: number): { readonly text: string; readonly end: number } {
  const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
  const octets = [...new TextEncoder().encode(char)];
  return { text: octets.map(literalOctet).join(''), end: at + char.length };
}

function elementAt(pattern: string, at: number, repeatable: boolean): Element | PatternMistake {
  const char = pattern[at] ?? '';
  switch (char) {
    case '*':
    case '+':
    case '?':
    case '{':
      return quantifierAt(pattern, at, repeatable);
    case '\\':
      return escapeAt(pattern, at);
    case '[':
      return classAt(pattern, at);
    case '^':
    case '$':
      return anchorAt(pattern, at);
    case '(':
    case '|':
      return { end: at + 1, text: char, repeatable: false };
    case ')':
    case '.':
      return { end: at + 1, text: char, repeatable: true };
    default: {
      const literal = literalCharacter(pattern, at);
      // A character of several octets is repeated as a whole.
      const whole = char < '\x80' || !QUANTIFIERS.includes(pattern[literal.end] ?? ' ');
      return { ...literal, text: whole ? literal.text : `(?:${literal.text})`, repeatable: true };
    }
  }
}

/** The engine has no anchors in the middle, where they could not match; a literal one has a backslash. */
function anchorAt(pattern: string, at: number): Element | PatternMistake {
  const char = pattern[at] ?? '';
  const [neighbour, ends, place] = char === '^' ? [pattern[at - 1], '(|', 'beginning'] : [pattern[at + 1], ')|', 'end'];
  if (neighbour === undefined || ends.includes(neighbour)) return { end: at + 1, text: char, repeatable: false };
  return { index: at, message: `A '${char}' stands at the ${place}, or is written '\\${char}'` };
}

/** Lazy and possessive quantifiers are none of SDM's: a second quantifier has nothing to repeat. */
function quantifierAt(pattern: string, at: number, repeatable: boolean): Element | PatternMistake {
  const char = pattern[at] ?? '';
  if (!repeatable) return { index: at, message: `Nothing to repeat before '${char}'` };
  if (char !== '{') return { end: at + 1, text: char, repeatable: false };
  const [text, low = '', high = low] = /^\{(\d{1,4})(?:,(\d{0,4}))?\}/.exec(pattern.slice(at, at + 12)) ?? [];
  if (text === undefined) return { index: at, message: "A '{' needs a number and a '}'" };
  if (high !== '' && Number(high) === 0) return { index: at, message: "A '{' repeats at least once" };
  if (high !== '' && Number(high) < Number(low)) return { index: at, message: "The numbers of a '{' fall" };
  return { end: at + text.length, text, repeatable: false };
}

function escapeAt(pattern: string, at: number): Element | PatternMistake {
  const octet = escapedOctet(pattern, at);
  if ('message' in octet) return octet;
  if (octet.code < 0x80) return { end: octet.end, text: literalOctet(octet.code), repeatable: true };
  // By number it is an octet; as a character it stands for its octets.
  if (octet.numeric) return { end: octet.end, text: hexOctet(octet.code), repeatable: true };
  return { ...literalCharacter(pattern, at + 1), repeatable: true };
}

interface EscapedOctet {
  readonly end: number;
  readonly code: number;
  readonly numeric: boolean;
}

/** `\r \n \t \f \xNN \NNN`; anything else behind a backslash is literal. */
function escapedOctet(pattern: string, at: number): EscapedOctet | PatternMistake {
  const char = pattern[at + 1];
  if (char === undefined) return { index: at, message: "A '\\' stands at the end" };
  if (char === 'x') {
    const [, hex] = /^([0-9A-Fa-f]{2})/.exec(pattern.slice(at + 2, at + 4)) ?? [];
    if (hex === undefined) return { index: at, message: "'\\x' needs two hexadecimal digits" };
    return { end: at + 4, code: Number.parseInt(hex, 16), numeric: true };
  }
  if (char >= '0' && char <= '9') {
    const [, octal] = /^([0-3][0-7]{2})/.exec(pattern.slice(at + 1, at + 4)) ?? [];
    if (octal === undefined) {
      return { index: at, message: "A '\\' before a digit needs three octal digits, at most 377" };
    }
    return { end: at + 4, code: Number.parseInt(octal, 8), numeric: true };
  }
  const control = CONTROLS[char];
  if (control !== undefined) return { end: at + 2, code: control, numeric: true };
  return { end: at + 2, code: char.charCodeAt(0), numeric: false };
}

/** A bracket that stands first is a member, a hyphen that stands first or last too; what else it says is octets. */
function classAt(pattern: string, at: number): Element | PatternMistake {
  const unclosed = { index: at, message: "A '[' is not closed" };
  const negated = pattern[at + 1] === '^';
  const first = at + (negated ? 2 : 1);
  let text = negated ? '[^' : '[';
  let next = first;
  while (next < pattern.length && (next === first || pattern[next] !== ']')) {
    const low = memberAt(pattern, next);
    if ('message' in low) return low;
    text += classOctet(low.code);
    next = low.end;
    const after = pattern[next + 1];
    if (pattern[next] !== '-' || after === undefined || after === ']') continue;
    const high = memberAt(pattern, next + 1);
    if ('message' in high) return high;
    if (high.code < low.code) return { index: next, message: 'A range of a class falls' };
    text += `-${classOctet(high.code)}`;
    next = high.end;
  }
  return next < pattern.length ? { end: next + 1, text: `${text}]`, repeatable: true } : unclosed;
}

function memberAt(pattern: string, at: number): Omit<EscapedOctet, 'numeric'> | PatternMistake {
  const member =
    pattern[at] === '\\' ? escapedOctet(pattern, at) : { end: at + 1, code: pattern.charCodeAt(at), numeric: false };
  if ('message' in member || member.numeric || member.code < 0x80) return member;
  return { index: at, message: "A class holds octets: write this character outside of it, with '|'" };
}

/** Punctuation has meanings inside of the engine's classes that it has not in IOS' (`[:alpha:]`). */
function classOctet(code: number): string {
  const char = String.fromCharCode(code);
  return /[A-Za-z0-9]/.test(char) ? char : hexOctet(code);
}

function hexOctet(code: number): string {
  return `\\x${code.toString(16).padStart(2, '0')}`;
}
