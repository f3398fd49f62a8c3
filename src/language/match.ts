import type { Graph, GraphNode } from './graph.ts';
import { FIT, fitToken, type Token } from './token.ts';
import { splitWords, type Word } from './words.ts';

/** What the words of a matched line were bound to. */
export interface Arguments {
  /** The line in canonical words: keywords written out, numbers without zeros in front, other values as typed. */
  readonly words: readonly string[];
  has(name: string): boolean;
  /** The bound text; empty when the word was not there. Words bound to one name are joined by a blank. */
  text(name: string): string;
  number(name: string): number;
  /** Where the bound word stands, from 1; the line's first word when it was not there. */
  column(name: string): number;
}

export type Match<Command> =
  | { readonly kind: 'ok'; readonly command: Command; readonly args: Arguments }
  | { readonly kind: 'incomplete'; readonly column: number; readonly words: number }
  | { readonly kind: 'ambiguous'; readonly column: number; readonly words: number }
  | { readonly kind: 'invalid'; readonly column: number; readonly words: number; readonly expected: readonly string[] };

/** One way of reading the line so far. */
export interface Thread<Command> {
  readonly node: GraphNode<Command>;
  /** Gates of `{a|b}` that were passed. */
  readonly used: readonly number[];
  readonly fits: readonly number[];
  readonly steps: readonly Step<Command>[];
}

interface Step<Command> {
  readonly node: GraphNode<Command>;
  readonly text: string;
  readonly column: number;
}

/** A line that can be read in more ways than this is nonsense; the further ways are dropped. */
const THREADS_MAX = 128;

/**
 * Reads a whole line. Abbreviations count while they are unique; the most specific reading that completes a command
 * wins.
 */
export function matchLine<Command>(graph: Graph<Command>, line: string): Match<Command> {
  const words = splitWords(line);
  let threads: readonly Thread<Command>[] = [startThread(graph)];
  for (const [index, word] of words.entries()) {
    const advanced = advanceThreads(threads, word, line);
    if (advanced.length === 0) return refuse(threads, words, index);
    threads = advanced;
    if (threads.every((thread) => thread.node.token?.kind === 'line')) break;
  }
  return conclude(threads, words, line);
}

export function startThread<Command>(graph: Graph<Command>): Thread<Command> {
  return { node: graph.start, used: [], fits: [], steps: [] };
}

/** All ways on after one more word. A keyword written out silences every other reading of that word. */
export function advanceThreads<Command>(
  threads: readonly Thread<Command>[],
  word: Word,
  line: string,
): readonly Thread<Command>[] {
  const advanced: Thread<Command>[] = [];
  let best = 0;
  for (const thread of threads) {
    if (thread.node.token?.kind === 'line') {
      advanced.push(thread);
      continue;
    }
    for (const reached of reachable(thread)) {
      const token = reached.node.token;
      if (token === undefined) continue;
      const fit = fitToken(token, word.text);
      if (fit === FIT.none) continue;
      best = Math.max(best, fit);
      const text = canonicalText(token, word, line);
      advanced.push({
        node: reached.node,
        used: reached.used,
        fits: [...thread.fits, fit],
        steps: [...thread.steps, { node: reached.node, text, column: word.column }],
      });
    }
  }
  const kept = best === FIT.keyword ? advanced.filter((thread) => thread.fits.at(-1) === FIT.keyword) : advanced;
  return kept.slice(0, THREADS_MAX);
}

/** The token nodes and ends that a thread can go to without consuming a word. */
export function reachable<Command>(
  thread: Thread<Command>,
): readonly { readonly node: GraphNode<Command>; readonly used: readonly number[] }[] {
  const found: { node: GraphNode<Command>; used: readonly number[] }[] = [];
  const open = thread.node.next.map((node) => ({ node, used: thread.used }));
  const seen = new Set<GraphNode<Command>>();
  for (let entry = open.shift(); entry !== undefined; entry = open.shift()) {
    const { node, used } = entry;
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.token !== undefined || node.end !== undefined) {
      found.push(entry);
      continue;
    }
    if (node.once !== undefined && used.includes(node.once)) continue;
    const passed = node.once === undefined ? used : [...used, node.once];
    open.push(...node.next.map((next) => ({ node: next, used: passed })));
  }
  return found;
}

function canonicalText(token: Token, word: Word, line: string): string {
  if (token.kind === 'keyword') return token.text;
  if (token.kind === 'range') return String(Number(word.text));
  return token.kind === 'line' ? line.slice(word.column - 1).trimEnd() : word.text;
}

function conclude<Command>(threads: readonly Thread<Command>[], words: readonly Word[], line: string): Match<Command> {
  const complete = threads.flatMap((thread) =>
    reachable(thread).flatMap(({ node }) => (node.end === undefined ? [] : [{ thread, command: node.end }])),
  );
  complete.sort((left, right) => compareFits(right.thread.fits, left.thread.fits));
  const [best, second] = complete;
  if (best === undefined) {
    const torn = firstDifference(threads);
    const column = torn === undefined ? line.trimEnd().length + 1 : columnOf(words, torn);
    return { kind: torn === undefined ? 'incomplete' : 'ambiguous', column, words: words.length };
  }
  const equal = second !== undefined && compareFits(best.thread.fits, second.thread.fits) === 0;
  const torn = equal ? firstDifference([best.thread, second.thread]) : undefined;
  if (torn !== undefined) return { kind: 'ambiguous', column: columnOf(words, torn), words: words.length };
  return { kind: 'ok', command: best.command, args: argumentsOf(best.thread) };
}

function refuse<Command>(threads: readonly Thread<Command>[], words: readonly Word[], at: number): Match<Command> {
  const torn = firstDifference(threads);
  if (torn !== undefined) return { kind: 'ambiguous', column: columnOf(words, torn), words: at };
  const expected = new Set<string>();
  for (const thread of threads) {
    for (const { node } of reachable(thread)) if (node.token?.kind === 'keyword') expected.add(node.token.text);
  }
  return { kind: 'invalid', column: columnOf(words, at), words: at, expected: [...expected] };
}

/** The first word that an abbreviation lets stand for two different keywords. */
function firstDifference<Command>(threads: readonly Thread<Command>[]): number | undefined {
  const [first] = threads;
  if (first === undefined) return undefined;
  for (const [index, fit] of first.fits.entries()) {
    if (fit !== FIT.abbreviation) continue;
    const text = first.steps[index]?.text;
    const other = threads.some((thread) => thread.fits[index] === fit && thread.steps[index]?.text !== text);
    if (other) return index;
  }
  return undefined;
}

function compareFits(left: readonly number[], right: readonly number[]): number {
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function columnOf(words: readonly Word[], index: number): number {
  return words[index]?.column ?? 1;
}

function argumentsOf<Command>(thread: Thread<Command>): Arguments {
  const bound = new Map<string, { text: string; column: number }>();
  for (const step of thread.steps) {
    for (const name of step.node.binds) {
      const before = bound.get(name);
      bound.set(name, {
        text: before === undefined ? step.text : `${before.text} ${step.text}`,
        column: before?.column ?? step.column,
      });
    }
  }
  return {
    words: thread.steps.map((step) => step.text),
    has: (name) => bound.has(name),
    text: (name) => bound.get(name)?.text ?? '',
    number: (name) => Number(bound.get(name)?.text ?? Number.NaN),
    column: (name) => bound.get(name)?.column ?? thread.steps[0]?.column ?? 1,
  };
}
