/**
 * The two readings of an IOS pattern (cisco-ios 1.5, D-10). The guides mix the habits of file names (`*deals\.com`)
 * with regular expressions; a fixed rule tells them apart, and a pattern that is right in neither is refused.
 */

export interface PatternMistake {
  /** Position in the pattern, from 0. */
  readonly index: number;
  readonly message: string;
}

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

/** A glob as the regular expression that holds, for the notice: a star-less end is anchored, slashes run together. */
export function describeGlob(pattern: string): string {
  let body = '';
  for (let index = 0; index < pattern.length; index += 1) {
    const char = pattern[index] ?? '';
    if (char === '*') body += '.*';
    else if (char === '?') body += '.';
    else if (char === '\\') {
      index += 1;
      body += escaped(pattern[index] ?? '\\');
    } else if (char === '/' && pattern[index + 1] === '/') {
      while (pattern[index + 1] === '/') index += 1;
      body += '/+';
    } else body += escaped(char);
  }
  const start = pattern.startsWith('*') ? '' : '^';
  const end = pattern.endsWith('*') ? '' : '$';
  const shown = body.replace(/^(\.\*)+/, '').replace(/(\.\*)+$/, '');
  return `/${start}${shown === '' ? '.*' : shown}${end}/`;
}

/** The first mistake of a pattern read as a regular expression, or undefined. */
export function checkPattern(pattern: string): PatternMistake | undefined {
  const open: number[] = [];
  /** Whether something stands before this position that a quantifier may repeat. */
  let repeatable = false;
  for (let index = 0; index < pattern.length; index += 1) {
    const char = pattern[index] ?? '';
    if ('*+?{'.includes(char)) {
      if (!repeatable) return { index, message: `Nothing to repeat before '${char}'` };
      const end = char === '{' ? boundEnd(pattern, index) : index;
      if (end < 0) return { index, message: "A '{' needs a number and a '}'" };
      index = end;
      repeatable = false;
    } else if (char === '\\') {
      if (index + 1 >= pattern.length) return { index, message: "A '\\' stands at the end" };
      index += 1;
      repeatable = true;
    } else if (char === '[') {
      const end = classEnd(pattern, index);
      if (end < 0) return { index, message: "A '[' is not closed" };
      index = end;
      repeatable = true;
    } else if (char === '(') {
      open.push(index);
      repeatable = false;
    } else if (char === ')') {
      if (open.pop() === undefined) return { index, message: "A ')' closes nothing" };
      repeatable = true;
    } else repeatable = char !== '|' && char !== '^';
  }
  const unclosed = open.at(-1);
  return unclosed === undefined ? undefined : { index: unclosed, message: "A '(' is not closed" };
}

function isBareBefore(char: string): boolean {
  return ' :@/-_=<>,;'.includes(char);
}

function escaped(char: string): string {
  return '.*+?()[]{}|^$\\'.includes(char) ? `\\${char}` : char;
}

function boundEnd(pattern: string, from: number): number {
  const found = /^\{\d{1,4}(,\d{0,4})?\}/.exec(pattern.slice(from, from + 12));
  return found === null ? -1 : from + found[0].length - 1;
}

/** The closing bracket of a class; one that stands first is a member. */
function classEnd(pattern: string, from: number): number {
  let index = from + 1;
  if (pattern[index] === '^') index += 1;
  if (pattern[index] === ']') index += 1;
  while (index < pattern.length && pattern[index] !== ']') index += pattern[index] === '\\' ? 2 : 1;
  return index < pattern.length ? index : -1;
}
