import type { Graph } from './graph.ts';
import { advanceThreads, reachable, startThread, type Thread } from './match.ts';
import { mayBecome, tokenLabel } from './token.ts';
import { splitWords } from './words.ts';

/** One line of `?`: what may be typed here and what it is for. `<cr>` says that the line is complete. */
export interface HelpEntry {
  readonly label: string;
  readonly help: string;
}

/**
 * What `?` shows behind a line typed so far. A word that is still being typed narrows the list; a blank asks for the
 * next.
 */
export function helpFor<Command>(graph: Graph<Command>, typed: string): readonly HelpEntry[] {
  const { threads, last } = readBefore(graph, typed);
  const entries = new Map<string, string>();
  let complete = false;
  for (const thread of threads) {
    if (thread.node.token?.kind === 'line') {
      complete = true;
      continue;
    }
    for (const { node } of reachable(thread)) {
      if (node.end !== undefined) complete ||= last === '';
      if (node.token === undefined) continue;
      if (last !== '' && !mayBecome(node.token, last)) continue;
      const label = tokenLabel(node.token);
      if (!entries.has(label) || entries.get(label) === '') entries.set(label, node.help);
    }
  }
  const listed = [...entries].map(([label, help]) => ({ label, help })).sort(byLabel);
  return complete ? [...listed, { label: '<cr>', help: '' }] : listed;
}

/** The keywords that Tab may put in place of the word being typed. One answer completes it. */
export function completionsFor<Command>(graph: Graph<Command>, typed: string): readonly string[] {
  const { threads, last } = readBefore(graph, typed);
  const found = new Set<string>();
  for (const thread of threads) {
    if (thread.node.token?.kind === 'line') continue;
    for (const { node } of reachable(thread)) {
      if (node.token?.kind !== 'keyword') continue;
      if (mayBecome(node.token, last)) found.add(node.token.text);
    }
  }
  return [...found].sort();
}

/** The help entries as IOS lays them out: two blanks, the word, its sentence in a column. */
export function formatHelp(entries: readonly HelpEntry[]): string {
  const width = Math.max(0, ...entries.map((entry) => entry.label.length));
  return entries.map((entry) => `  ${entry.label.padEnd(width)}  ${entry.help}`.trimEnd()).join('\n');
}

function readBefore<Command>(
  graph: Graph<Command>,
  typed: string,
): { readonly threads: readonly Thread<Command>[]; readonly last: string } {
  const words = splitWords(typed);
  const typing = words.length > 0 && !typed.endsWith(' ') && !typed.endsWith('\t');
  const before = typing ? words.slice(0, -1) : words;
  let threads: readonly Thread<Command>[] = [startThread(graph)];
  for (const word of before) threads = advanceThreads(threads, word, typed);
  return { threads, last: typing ? (words.at(-1)?.text ?? '') : '' };
}

function byLabel(left: HelpEntry, right: HelpEntry): number {
  if (left.label === right.label) return 0;
  return left.label < right.label ? -1 : 1;
}
