/**
 * The two readings of an IOS pattern (cisco-ios 1.5, D-10). The guides mix the habits of file names (`*deals\.com`)
 * with regular expressions; a fixed rule tells them apart, and a pattern that is right in neither is refused.
 */
import type { PatternUse } from './application/pattern-sets.ts';
import {
  type EngineExpression,
  literalCharacter,
  literalOctet,
  type PatternMistake,
  translateRegex,
} from './pattern-regex.ts';

export type { EngineExpression, PatternMistake };

/** `pattern-type` of a map; `auto` where none was configured. */
export type PatternFlavour = 'auto' | 'glob' | 'regex';

const REGEX_SIGNS: readonly string[] = ['.*', '.+', '[', '(', '|', '+', '{', '^', '$'];

/** A bare star (first, or behind a literal that is no letter or digit) and no sign of a regular expression. */
export function isGlob(pattern: string): boolean {
  if (REGEX_SIGNS.some((sign) => pattern.includes(sign))) return false;
  for (let index = 0; index < pattern.length; index += 1) {
    if (pattern[index] === '\\') {
      index += 1;
      continue;
    }
    if (pattern[index] !== '*') continue;
    if (index === 0 || isBareBefore(pattern[index - 1] ?? '')) return true;
  }
  return false;
}

/** A glob as the regular expression that holds in a field, for the notice; in a body its ends are open. */
export function describeGlob(pattern: string): string {
  return `/${globExpression(pattern, true).text}/`;
}

/** The first mistake of a pattern read as a regular expression, or undefined. */
export function checkPattern(pattern: string): PatternMistake | undefined {
  const read = translateRegex(pattern);
  return 'message' in read ? read : undefined;
}

/**
 * What the pattern engine is given for a pattern of 1 to 240 characters at this place of matching (D-10). Addresses,
 * content types and header fields are one thing each, so a glob holds for all of it; body text is never anchored.
 * Throws for what `checkPattern` refuses.
 */
export function engineExpression(pattern: string, flavour: PatternFlavour, use: PatternUse): EngineExpression {
  if (flavour === 'glob' || (flavour === 'auto' && isGlob(pattern))) {
    return globExpression(pattern, use !== 'body' && use !== 'decoded');
  }
  const read = translateRegex(pattern);
  if ('message' in read) throw new Error(`pattern "${pattern}": ${read.message} at ${read.index}`);
  return read;
}

interface Piece {
  readonly text: string;
  /** Where it stood. */
  readonly at: number;
  readonly star: boolean;
}

/** Stars at an end leave it open, which needs no words; without one the end is anchored. */
function globExpression(pattern: string, anchored: boolean): EngineExpression {
  const pieces = globPieces(pattern);
  const from = pieces.findIndex(({ star }) => !star);
  if (from < 0) return expressionOf([{ text: '.*', at: 0, star: true }]);
  const to = pieces.findLastIndex(({ star }) => !star) + 1;
  return expressionOf([
    ...(anchored && from === 0 ? [{ text: '^', at: 0, star: false }] : []),
    ...pieces.slice(from, to),
    ...(anchored && to === pieces.length ? [{ text: '$', at: Math.max(0, pattern.length - 1), star: false }] : []),
  ]);
}

function globPieces(pattern: string): readonly Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < pattern.length; ) {
    const char = pattern[at] ?? '';
    if (char === '*' || char === '?') {
      pieces.push({ text: char === '*' ? '.*' : '.', at, star: char === '*' });
      at += 1;
    } else if (char === '/') {
      const run = /^\/+/.exec(pattern.slice(at))?.[0].length ?? 1;
      pieces.push({ text: run > 1 ? '/+' : '/', at, star: false });
      at += run;
    } else {
      const escaped = char === '\\' && at + 1 < pattern.length;
      const literal = char === '\\' && !escaped ? backslashAt(at) : literalCharacter(pattern, escaped ? at + 1 : at);
      pieces.push({ text: literal.text, at, star: false });
      at = literal.end;
    }
  }
  return pieces;
}

/** A lone one at the end escapes nothing. */
function backslashAt(at: number): { readonly text: string; readonly end: number } {
  return { text: literalOctet(0x5c), end: at + 1 };
}

function expressionOf(pieces: readonly Piece[]): EngineExpression {
  return {
    text: pieces.map(({ text }) => text).join(''),
    origins: pieces.flatMap(({ text, at }) => Array.from(text, () => at)),
  };
}

function isBareBefore(char: string): boolean {
  return ' :@/-_=<>,;'.includes(char);
}
