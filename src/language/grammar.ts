import type { Token } from './token.ts';

/**
 * A command's grammar as a tree. The notation is one string:
 *
 * ip inspect name RULE <pop3|imap>$protocol [{alert <on|off>|reset|timeout (1-2147483)$seconds}]
 *
 * lower-case words are keywords, `<a|b>` chooses one, `[a]` may be absent, `{a|b}` takes one or more in any order but
 * each once, `(1-10)` is a number, `A.B.C.D` an address, an upper-case word a free word, `LINE` the rest of the line.
 * `$name` binds what was typed; without it a keyword binds to itself and a free word to its own name. `'KEY'` quotes a
 * keyword that has no lower-case letter, `"KEY"` one that is never cut.
 */
export type GrammarNode =
  | { readonly kind: 'token'; readonly token: Token; readonly bind?: string }
  | { readonly kind: 'sequence'; readonly items: readonly GrammarNode[] }
  | { readonly kind: 'choice'; readonly branches: readonly GrammarNode[]; readonly bind?: string }
  | { readonly kind: 'optional'; readonly item: GrammarNode }
  | { readonly kind: 'anyOrder'; readonly branches: readonly GrammarNode[] };

interface Reader {
  readonly source: string;
  readonly lexemes: readonly string[];
  at: number;
}

const LEXEME = /[<>[\]{}|]|\(\d+-\d+\)|\$[a-zA-Z]+|'[^']+'|"[^"]+"|[A-Za-z0-9._/-]+/gy;

/** Compiles a grammar string; a mistake in it is a bug of ours and throws at start. */
export function parseGrammar(source: string): GrammarNode {
  const reader: Reader = { source, lexemes: cutLexemes(source), at: 0 };
  const node = readSequence(reader);
  if (reader.at < reader.lexemes.length) throw grammarError(reader);
  return node;
}

function cutLexemes(source: string): readonly string[] {
  const lexemes: string[] = [];
  LEXEME.lastIndex = 0;
  let index = 0;
  while (index < source.length) {
    if (source[index] === ' ') {
      index += 1;
      continue;
    }
    LEXEME.lastIndex = index;
    const found = LEXEME.exec(source);
    if (found === null) throw new Error(`command grammar: cannot read "${source.slice(index)}" in "${source}"`);
    lexemes.push(found[0]);
    index += found[0].length;
  }
  return lexemes;
}

function readSequence(reader: Reader): GrammarNode {
  const items: GrammarNode[] = [];
  while (reader.at < reader.lexemes.length && !'>]}|'.includes(peek(reader))) items.push(readItem(reader));
  const [only] = items;
  return items.length === 1 && only !== undefined ? only : { kind: 'sequence', items };
}

function readItem(reader: Reader): GrammarNode {
  const lexeme = take(reader);
  if (lexeme === '[') {
    const item = readSequence(reader);
    expect(reader, ']');
    return { kind: 'optional', item };
  }
  if (lexeme === '{') return { kind: 'anyOrder', branches: readBranches(reader, '}') };
  if (lexeme === '<') {
    const branches = readBranches(reader, '>');
    const bind = readBinding(reader);
    return bind === undefined ? { kind: 'choice', branches } : { kind: 'choice', branches, bind };
  }
  const token = readToken(reader, lexeme);
  const bind = readBinding(reader) ?? defaultBinding(token);
  return bind === undefined ? { kind: 'token', token } : { kind: 'token', token, bind };
}

function readBranches(reader: Reader, close: string): readonly GrammarNode[] {
  const branches = [readSequence(reader)];
  while (peek(reader) === '|') {
    take(reader);
    branches.push(readSequence(reader));
  }
  expect(reader, close);
  return branches;
}

function readToken(reader: Reader, lexeme: string): Token {
  const range = /^\((\d+)-(\d+)\)$/.exec(lexeme);
  if (range !== null) return { kind: 'range', from: Number(range[1]), to: Number(range[2]) };
  if (lexeme === 'A.B.C.D') return { kind: 'address' };
  if (lexeme.startsWith("'")) return { kind: 'keyword', text: lexeme.slice(1, -1) };
  if (lexeme.startsWith('"')) return { kind: 'keyword', text: lexeme.slice(1, -1), exact: true };
  if (lexeme === 'LINE') return { kind: 'line', name: lexeme };
  if (/^[A-Z][A-Z-]*$/.test(lexeme)) return { kind: 'word', name: lexeme };
  if (/^[A-Za-z0-9]/.test(lexeme)) return { kind: 'keyword', text: lexeme };
  throw grammarError(reader);
}

function readBinding(reader: Reader): string | undefined {
  return peek(reader).startsWith('$') ? take(reader).slice(1) : undefined;
}

function defaultBinding(token: Token): string | undefined {
  if (token.kind === 'keyword') return token.text;
  return token.kind === 'word' || token.kind === 'line' ? token.name : undefined;
}

function peek(reader: Reader): string {
  return reader.lexemes[reader.at] ?? ' ';
}

function take(reader: Reader): string {
  const lexeme = reader.lexemes[reader.at];
  if (lexeme === undefined) throw grammarError(reader);
  reader.at += 1;
  return lexeme;
}

function expect(reader: Reader, lexeme: string): void {
  if (take(reader) !== lexeme) throw grammarError(reader);
}

function grammarError(reader: Reader): Error {
  return new Error(`command grammar: mistake before token ${reader.at + 1} of "${reader.source}"`);
}
