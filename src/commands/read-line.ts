import { lineError } from '../language/error-text.ts';
import { type Match, matchLine } from '../language/match.ts';
import { nearestWord } from '../language/nearest.ts';
import { indentOf, splitWords } from '../language/words.ts';
import type { ConfigCommand } from './config-command.ts';
import { configGraph } from './config-graphs.ts';
import { type Draft, fail, GLOBAL_MODE, type Mode, type ModeKind } from './draft.ts';
import { isFirewallLine, isForeign } from './foreign.ts';

/** What a file is read by: which lines were left out, and how deep the section in work stands. */
export interface Reading {
  readonly draft: Draft;
  /** Whether lines of a whole router configuration are skipped (files) or refused (what is typed). */
  readonly tolerant: boolean;
  /** The blanks before the line that opened the section in work. */
  headerIndent: number;
  readonly skipped: { count: number; firstLine: number };
}

/** What is kept is printed again, on terminals and in logs. */
const CONTROL_CHARACTER = /[^\P{Cc}\t]/u;

type Refusal = Exclude<Match<ConfigCommand>, { kind: 'ok' }>;

/** Reads one line in the mode it stands in, or in the nearest mode around it that knows it, as IOS does. */
export function readConfigLine(reading: Reading, text: string, line: number): void {
  const { draft } = reading;
  const words = splitWords(text).map((word) => word.text);
  draft.position = { ...draft.position, line, text };
  if (words.length === 0 || words[0]?.startsWith('!')) return;
  const indent = indentOf(text);
  if (draft.mode.kind === 'foreign') {
    if (indent > reading.headerIndent) {
      skipOrRefuseInside(reading, words);
      return;
    }
    draft.mode = GLOBAL_MODE;
  }
  if (draft.mode.kind === 'refused') {
    if (indent > reading.headerIndent) return;
    draft.mode = draft.mode.parent ?? GLOBAL_MODE;
  }
  const refusal = tryModes(reading, text, indent);
  if (refusal !== undefined) refuse(reading, words, refusal);
}

function tryModes(reading: Reading, text: string, indent: number): Refusal | undefined {
  const { draft } = reading;
  const typedIn = draft.mode;
  let furthest: Refusal | undefined;
  for (let mode: Mode | undefined = typedIn; mode !== undefined; mode = mode.parent) {
    const match = matchLine(configGraph(mode.kind), text);
    if (match.kind === 'ok' && !isWrittenOutAround(mode, match.args.words, text)) {
      draft.mode = mode;
      const control = text.search(CONTROL_CHARACTER);
      if (control >= 0) fail(draft, '% A line must not hold control characters', control + 1);
      else match.command.apply(draft, match.args);
      // A header that was refused leaves its section without a place: the lines under it must not land elsewhere.
      if (draft.mode !== mode) reading.headerIndent = indent;
      return undefined;
    }
    if (match.kind !== 'ok' && (furthest === undefined || match.words > furthest.words)) furthest = match;
  }
  return furthest;
}

/** Under an interface `zone security X` is the global line, and not `zone-member` cut short. */
function isWrittenOutAround(mode: Mode, canonical: readonly string[], text: string): boolean {
  const typed = commandWord(splitWords(text).map((word) => word.text));
  if (typed === commandWord(canonical)) return false;
  for (let outer = mode.parent; outer !== undefined; outer = outer.parent) {
    const match = matchLine(configGraph(outer.kind), text);
    if (match.kind === 'ok' && commandWord(match.args.words) === typed) return true;
  }
  return false;
}

function commandWord(words: readonly string[]): string | undefined {
  const [first, second] = words.map((word) => word.toLowerCase());
  return first === 'no' ? second : first;
}

function refuse(reading: Reading, words: readonly string[], refusal: Refusal): void {
  const { draft, tolerant } = reading;
  const { text } = draft.position;
  if (tolerant && isForeign(words) && mayBeForeignHere(reading, text)) {
    skip(reading);
    leaveSection(reading, words, indentOf(text));
    return;
  }
  const error = lineError(refusal, text);
  const hint = words[0]?.startsWith('#') ? "comments begin with '!'" : error.hint;
  draft.errors.push({ ...draft.position, column: error.column, message: error.message, ...(hint ? { hint } : {}) });
}

/**
 * Interfaces carry lines of every kind; in the maps and lists of the firewall each indented line is ours, right or
 * wrong, and any other that is a slip away from what could stand there.
 */
function mayBeForeignHere({ draft, headerIndent }: Reading, text: string): boolean {
  const { kind } = draft.mode;
  if (kind === 'global' || kind === 'interface') return true;
  return indentOf(text) <= headerIndent && !resemblesOwn(kind, text);
}

function resemblesOwn(kind: ModeKind, text: string): boolean {
  const words = splitWords(text).map((word) => word.text.toLowerCase());
  const match = matchLine(configGraph(kind), text);
  const known = match.kind === 'ok' ? words.length : match.words;
  if (known > (words[0] === 'no' ? 1 : 0)) return true;
  return match.kind === 'invalid' && nearestWord(commandWord(words) ?? '', match.expected) !== undefined;
}

/** Sub-lines of an interface stay in it; any other unknown line begins a section of its own. */
function leaveSection(reading: Reading, words: readonly string[], indent: number): void {
  const { draft } = reading;
  const inInterface = draft.mode.kind === 'interface';
  if (inInterface && (indent > reading.headerIndent || !SECTION_STARTS.has(words[0]?.toLowerCase() ?? ''))) return;
  draft.mode = { kind: 'foreign', subject: '', parent: GLOBAL_MODE };
  reading.headerIndent = indent;
}

/** What begins a section of a router's configuration, where a file without indentation leaves an interface. */
const SECTION_STARTS: ReadonlySet<string> = new Set([
  ...['aaa', 'banner', 'class-map', 'control-plane', 'crypto', 'controller', 'dial-peer', 'line', 'logging'],
  ...['policy-map', 'route-map', 'router', 'snmp-server', 'track', 'username', 'version', 'vlan', 'voice', 'vrf'],
]);

function skipOrRefuseInside(reading: Reading, words: readonly string[]): void {
  if (!isFirewallLine(words)) {
    skip(reading);
    return;
  }
  fail(reading.draft, '% a firewall line in a section that Postern does not know');
}

function skip({ draft, skipped }: Reading): void {
  if (skipped.count === 0) skipped.firstLine = draft.position.line;
  skipped.count += 1;
}
