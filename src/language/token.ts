/** What one word of a line may be. A `line` takes the raw rest of the line. */
export type Token =
  /** `exact`: never cut, because it stands beside a free word that may begin like it. */
  | { readonly kind: 'keyword'; readonly text: string; readonly exact?: true }
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  | { readonly kind: 'address' }
  | { readonly kind: 'word'; readonly name: string }
  | { readonly kind: 'line'; readonly name: string };

/**
 * How well a word fits, the more specific the higher: a keyword written out, a typed value, an abbreviated keyword,
 * a free word, the rest of the line. Zero does not fit.
 */
export const FIT = { none: 0, line: 1, word: 2, abbreviation: 3, typed: 4, keyword: 5 } as const;
export type Fit = (typeof FIT)[keyof typeof FIT];

export function fitToken(token: Token, word: string): Fit {
  switch (token.kind) {
    case 'keyword': {
      const fit = fitKeyword(token.text, word);
      return token.exact === true && fit === FIT.abbreviation ? FIT.none : fit;
    }
    case 'range':
      return inRange(word, token.from, token.to) ? FIT.typed : FIT.none;
    case 'address':
      return isIpv4Address(word) ? FIT.typed : FIT.none;
    case 'word':
      return FIT.word;
    case 'line':
      return FIT.line;
  }
}

/** Whether a word that is still being typed can become the token. */
export function mayBecome(token: Token, typed: string): boolean {
  if (token.kind === 'keyword') return token.text.toLowerCase().startsWith(typed.toLowerCase());
  return fitToken(token, typed) !== FIT.none;
}

/** A token as `?` and the manual show it: `<1-10>`, `A.B.C.D`, the keyword itself. */
export function tokenLabel(token: Token): string {
  switch (token.kind) {
    case 'keyword':
      return token.text;
    case 'range':
      return `<${token.from}-${token.to}>`;
    case 'address':
      return 'A.B.C.D';
    case 'word':
    case 'line':
      return token.name;
  }
}

function isIpv4Address(word: string): boolean {
  const parts = word.split('.');
  return parts.length === 4 && parts.every((part) => part.length <= 3 && inRange(part, 0, 255));
}

/** Keywords are case-insensitive and may be cut; those that begin with a digit (sizes, `7-bit`) must be written out. */
function fitKeyword(keyword: string, word: string): Fit {
  const typed = word.toLowerCase();
  const full = keyword.toLowerCase();
  if (typed === full) return FIT.keyword;
  const first = full.charCodeAt(0);
  const beginsWithDigit = first >= 0x30 && first <= 0x39;
  return !beginsWithDigit && full.startsWith(typed) ? FIT.abbreviation : FIT.none;
}

function inRange(word: string, from: number, to: number): boolean {
  if (word.length === 0 || word.length > 10) return false;
  for (let index = 0; index < word.length; index += 1) {
    const code = word.charCodeAt(index);
    if (code < 0x30 || code > 0x39) return false;
  }
  const value = Number(word);
  return value >= from && value <= to;
}
