import type { Side } from '../../src/inspect/inspector.ts';
import { alertOf, helloOf } from './tls-octets.ts';

/** One line of dialogue: who sends which octets (latin-1). */
export interface Row {
  readonly from: Side;
  readonly octets: string;
}

/** What a transcript file says under one heading. */
export interface TranscriptCase {
  readonly title: string;
  readonly rows: readonly Row[];
  /** Overrides of the default policy. */
  readonly policy: Readonly<Record<string, unknown>>;
  /** The expected log, one judged frame a line. */
  readonly expected: readonly string[];
  /** What the frames tell, a line each for every one that tells something; undefined where it is not asked. */
  readonly facts?: readonly string[] | undefined;
  /** Octets that must not reach a peer in any way of splitting. */
  readonly never: readonly { readonly reaches: Side; readonly octets: string }[];
}

interface Draft {
  title: string;
  blocks: Map<string, string[]>;
}

/** Reads the cases of a Markdown file: a heading, then fenced blocks `LANGUAGE`, `postern`, and optionally `policy`, `never`. */
export function parseTranscripts(markdown: string, language: string): readonly TranscriptCase[] {
  const drafts: Draft[] = [];
  let open: string[] | undefined;
  for (const line of markdown.split('\n')) {
    if (open !== undefined) {
      if (line.startsWith('```')) open = undefined;
      else open.push(line);
    } else if (/^#+ /.test(line)) {
      drafts.push({ title: line.replace(/^#+ /, ''), blocks: new Map() });
    } else if (line.startsWith('```')) {
      open = [];
      drafts.at(-1)?.blocks.set(line.slice(3).trim(), open);
    }
  }
  return drafts.filter((draft) => draft.blocks.has(language)).map((draft) => toCase(draft, language));
}

function toCase({ title, blocks }: Draft, language: string): TranscriptCase {
  const expected = blocks.get('postern');
  if (expected === undefined) throw new Error(`"${title}" says nothing of what Postern does with it`);
  return {
    title,
    rows: rowsOf(blocks.get(language) ?? []),
    policy: JSON.parse(blocks.get('policy')?.join('\n') ?? '{}') as Record<string, unknown>,
    expected: expected.filter((line) => line.trim() !== ''),
    facts: blocks.get('facts')?.filter((line) => line.trim() !== ''),
    never: rowsOf(blocks.get('never') ?? []).map(({ from, octets }) => ({
      reaches: from,
      octets: octets.replace(/\r\n$/, ''),
    })),
  };
}

function rowsOf(lines: readonly string[]): readonly Row[] {
  return lines.filter((line) => line.trim() !== '').map(toRow);
}

/** `C: text` is a line with CRLF, `C| text` just these octets. C is the initiator (client), S the responder (server). */
function toRow(line: string): Row {
  const [, who, mark, text = ''] = /^([CS])([:|]) ?(.*)$/.exec(line) ?? [];
  if (who === undefined) throw new Error(`not a line of dialogue: ${line}`);
  return { from: who === 'C' ? 'initiator' : 'responder', octets: unescapeOctets(text) + (mark === ':' ? '\r\n' : '') };
}

const ESCAPES: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', 0: '\0', '\\': '\\', '{': '{' };

/**
 * `\r \n \t \0 \xNN \\ \{`, `{n}*c` for n times c, `{client hello 1.2}` and `{server hello 1.3}` for a record of TLS,
 * `{alert 70}` (fatal) and `{warning 112}` for one with an alert.
 */
const ESCAPED =
  /\\x[0-9a-fA-F]{2}|\\[rnt0\\{]|\{\d+\}\*.|\{(?:client|server) hello [0-9.]+\}|\{(?:alert|warning) \d+\}/g;

/** Octets as they are written in a transcript. Text outside latin-1 stands for its UTF-8 octets. */
export function unescapeOctets(text: string): string {
  const unescaped = text.replace(ESCAPED, unescapeOne);
  return [...unescaped].map((character) => (character > '\xff' ? toUtf8(character) : character)).join('');
}

function unescapeOne(escaped: string): string {
  if (escaped.startsWith('\\x')) return String.fromCharCode(Number.parseInt(escaped.slice(2), 16));
  if (escaped.startsWith('\\')) return ESCAPES[escaped.slice(1)] ?? '';
  const [what = '', kind = '', version = ''] = escaped.slice(1, -1).split(' ');
  if (what === 'client' || what === 'server') return helloOf(what === 'client' ? 'initiator' : 'responder', version);
  if (what === 'alert' || what === 'warning') return alertOf(what === 'alert' ? 2 : 1, Number(kind));
  return escaped.slice(-1).repeat(Number.parseInt(escaped.slice(1), 10));
}

function toUtf8(character: string): string {
  return Buffer.from(character, 'utf8').toString('latin1');
}
