/**
 * Verbs and keywords judged as their octets arrive (design.md, prefixes): what can still grow into a known word goes
 * on, and the octet that completes a forbidden word, or that no known word has at its place, is the offence. Reading
 * stops at the first offence, so that the answer for a line is the answer for its shortest refused prefix, however it
 * was split.
 */

/** What a word so far may become, by its upper-case prefix. A prefix that is missing cannot become a known word. */
export type WordTable = ReadonlyMap<string, 'growing' | 'permitted' | 'forbidden'>;

export type WordReading =
  /** The text ends inside the word, which may still become a known one. */
  | { readonly kind: 'growing' }
  /** A permitted word, upper-case, and the index behind its last octet: a space or the end of the line. */
  | { readonly kind: 'word'; readonly word: string; readonly end: number }
  | { readonly kind: 'forbidden'; readonly word: string; readonly at: number }
  | { readonly kind: 'unknown'; readonly at: number };

/** A forbidden word that is the beginning of a permitted one is only forbidden when it ends there. */
export function wordTable(permitted: Iterable<string>, forbidden: Iterable<string>): WordTable {
  const table = new Map<string, 'growing' | 'permitted' | 'forbidden'>();
  const addPrefixes = (word: string): void => {
    for (let length = 0; length < word.length; length += 1) {
      const prefix = word.slice(0, length);
      if (!table.has(prefix)) table.set(prefix, 'growing');
    }
  };
  for (const word of forbidden) {
    addPrefixes(word);
    table.set(word, 'forbidden');
  }
  for (const word of permitted) {
    for (let length = 1; length < word.length; length += 1) {
      const prefix = word.slice(0, length);
      if (table.get(prefix) === 'forbidden') throw new Error(`${prefix} is forbidden and begins ${word}`);
    }
    addPrefixes(word);
    table.set(word, 'permitted');
  }
  return table;
}

/**
 * Reads the word that starts at `from`. `complete` says that the text is a whole line rather than the beginning of
 * one.
 */
export function readWord(text: string, from: number, table: WordTable, complete: boolean): WordReading {
  let word = '';
  let at = from;
  for (; at < text.length && text[at] !== ' '; at += 1) {
    word += upperCaseOctet(text, at);
    const standing = table.get(word);
    if (standing === undefined) return { kind: 'unknown', at };
    if (standing === 'forbidden') return { kind: 'forbidden', word, at };
  }
  if (at === text.length && !complete) return { kind: 'growing' };
  return table.get(word) === 'permitted' ? { kind: 'word', word, end: at } : { kind: 'unknown', at };
}

/** ASCII only: String.toUpperCase turns a latin-1 sharp s into `SS`, which would make `PA\xdf` a PASS. */
function upperCaseOctet(text: string, at: number): string {
  const code = text.charCodeAt(at);
  return code >= 0x61 && code <= 0x7a ? String.fromCharCode(code - 0x20) : text.charAt(at);
}

/** Octets that no command may carry: C0 controls, NUL, a bare CR, and DEL. */
export function isControl(code: number): boolean {
  return code < 0x20 || code === 0x7f;
}

/**
 * A partial line's CR may be the first octet of its line end. It is left out until the next octet tells: as the line's
 * own it would be a control character.
 */
export function withoutUndecidedCr(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

/** A peer's word as an alert may quote it: printable ASCII only, cut to `lengthMax` characters. */
export function quotable(text: string, lengthMax = QUOTED_CHARACTERS_MAX): string {
  return text.slice(0, lengthMax).replace(/[^\x20-\x7e]/g, '?');
}

/**
 * A verb as an alert may quote it, upper-case: up to its first octet that is not printable, and no more than the verb
 * itself of one that carries credentials. `PASS<tab>secret` and `PASSsecret` are no verbs, but they hold a secret.
 */
export function quotableVerb(word: string, credentialVerbs: readonly string[]): string {
  const verb = quotable(/^[!-~]*/.exec(word)?.[0] ?? '').toUpperCase();
  return credentialVerbs.find((credential) => verb.startsWith(credential)) ?? verb;
}

const QUOTED_CHARACTERS_MAX = 32;
