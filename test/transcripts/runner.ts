import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Inspector, Side } from '../../src/inspect/inspector.ts';
import { FakeEngine, type Fate, type LogEntry } from './fake-engine.ts';
import type { ContentScript } from './fake-walk.ts';
import { parseTranscripts, type Row, type TranscriptCase } from './markdown.ts';
import { escapeOctets } from './notation.ts';

/** Every chunk length up to this one is tried, longer ones only in steps. */
const DENSE_CHUNK_LENGTH_MAX = 200;
/** Lines of many thousand octets are asked about at each of them. */
const TRANSCRIPT_MS_MAX = 30_000;
const SPARSE_CHUNK_LENGTHS: readonly number[] = [255, 256, 511, 512, 536, 1000, 1024, 1460, 2047, 2048, 4096, 9000];

export interface TranscriptSuite<State, Policy extends object> {
  readonly inspector: Inspector<State, Policy>;
  /** What a `policy` block overrides. */
  readonly policy: Policy;
  /** Turns what JSON cannot hold into the policy's own values. */
  readonly readPolicy?: (overrides: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  /** The name of the dialogue's fenced block. */
  readonly language: string;
  /** The folder of Markdown files. */
  readonly folder: URL;
  /** What walks over messages tell; absent: nothing. */
  readonly content?: ContentScript;
}

/** Registers every case of the folder: played line by line against its log, then in every other way of splitting. */
export function runTranscripts<State, Policy extends object>(suite: TranscriptSuite<State, Policy>): void {
  const files = readdirSync(suite.folder).filter((name) => name.endsWith('.md') && name !== 'README.md');
  describe.each(files.sort())('%s', (name) => {
    const cases = parseTranscripts(readFileSync(new URL(name, suite.folder), 'utf8'), suite.language);
    it('has cases', () => expect(cases.length).toBeGreaterThan(0));
    for (const transcript of cases) {
      it(
        transcript.title,
        () => {
          const whole = play(suite, transcript, transcript.rows);
          expect(whole.printed(transcript.expected)).toEqual(transcript.expected.map(tidy));
          if (transcript.facts !== undefined) expect(whole.facts).toEqual(transcript.facts.map(tidy));
          const problem = problemOfSplitting(suite, transcript);
          if (problem !== undefined) expect.fail(problem);
        },
        TRANSCRIPT_MS_MAX,
      );
    }
  });
}

/** Says in which way of splitting the case comes to something else than a line at a time, or nothing. */
export function problemOfSplitting<State, Policy extends object>(
  suite: Pick<TranscriptSuite<State, Policy>, 'inspector' | 'policy' | 'readPolicy' | 'content'>,
  transcript: TranscriptCase,
): string | undefined {
  const whole = play(suite, transcript, lineByLine(transcript.rows));
  for (const split of splittings(transcript.rows)) {
    try {
      const problem = compare(whole, play(suite, transcript, split.rows), transcript);
      if (problem !== undefined) return `${split.name}: ${problem}`;
    } catch (error) {
      return `${split.name}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return undefined;
}

/** Says how these segments of the case's octets come to something else than a line at a time, or nothing. */
export function problemOfSegments<State, Policy extends object>(
  suite: Pick<TranscriptSuite<State, Policy>, 'inspector' | 'policy' | 'readPolicy' | 'content'>,
  transcript: TranscriptCase,
  segments: readonly Row[],
): string | undefined {
  return compare(play(suite, transcript, lineByLine(transcript.rows)), play(suite, transcript, segments), transcript);
}

/** What a dialogue came to. */
class Outcome {
  readonly log: readonly LogEntry[];
  readonly stage: string;
  readonly fates: Readonly<Record<Side, readonly Fate[]>>;
  readonly received: Readonly<Record<Side, string>>;
  readonly refusal: FakeEngine<unknown, unknown>['refusal'];
  readonly sent: Readonly<Record<Side, string>>;
  readonly paused: string;

  constructor(engine: FakeEngine<unknown, unknown>) {
    const { initiator, responder } = engine.streams;
    this.log = engine.log;
    this.stage = engine.stage;
    this.fates = { initiator: initiator.fates, responder: responder.fates };
    this.sent = { initiator: initiator.sent, responder: responder.sent };
    this.received = { initiator: engine.receivedFrom('responder'), responder: engine.receivedFrom('initiator') };
    this.refusal = engine.refusal;
    this.paused = `${initiator.paused} ${responder.paused}`;
  }

  /** What was told, a line for every frame that told something of whole lines. */
  get facts(): readonly string[] {
    return this.log.flatMap(({ what, facts }) => (facts.length === 0 ? [] : [`${what} => ${facts.join(', ')}`]));
  }

  /** The log as text. A frame that was just forwarded is left out where the transcript does not mention it. */
  printed(expected: readonly string[]): readonly string[] {
    const wanted = expected.map(tidy);
    const lines: string[] = [];
    for (const { what, outcome } of this.log) {
      const line = `${what} => ${outcome}`;
      if (outcome !== 'forward' || wanted[lines.length] === line) lines.push(line);
    }
    if (wanted.at(-1)?.startsWith('stage ') === true) lines.push(`stage ${this.stage}`);
    return lines;
  }
}

function tidy(line: string): string {
  return line.trim().replace(/\s+=> /, ' => ');
}

function play<State, Policy extends object>(
  suite: Pick<TranscriptSuite<State, Policy>, 'inspector' | 'policy' | 'readPolicy' | 'content'>,
  transcript: TranscriptCase,
  rows: readonly Row[],
): Outcome {
  const { inspector, policy, readPolicy = (overrides) => overrides, content } = suite;
  const engine = new FakeEngine<State, Policy>(inspector, { ...policy, ...readPolicy(transcript.policy) }, content);
  for (const { from, octets } of rows) engine.feed(from, octets);
  return new Outcome(engine as FakeEngine<unknown, unknown>);
}

interface Splitting {
  readonly name: string;
  readonly rows: readonly Row[];
}

/** The same octets in other segments: each burst of a side whole, then cut into every chunk length. */
function* splittings(rows: readonly Row[]): Generator<Splitting> {
  const bursts = burstsOf(rows);
  yield { name: 'as written', rows };
  yield { name: 'bursts whole', rows: bursts };
  const longest = Math.max(...bursts.map((burst) => burst.octets.length));
  for (let length = 1; length <= Math.min(longest, DENSE_CHUNK_LENGTH_MAX); length += 1) {
    yield { name: `chunks of ${length}`, rows: inChunks(bursts, length) };
  }
  for (const length of SPARSE_CHUNK_LENGTHS) {
    if (length < longest) yield { name: `chunks of ${length}`, rows: inChunks(bursts, length) };
  }
}

/** What a side sends until the other one speaks. */
function burstsOf(rows: readonly Row[]): readonly Row[] {
  const bursts: Row[] = [];
  for (const { from, octets } of rows) {
    const last = bursts.at(-1);
    if (last?.from === from) bursts[bursts.length - 1] = { from, octets: last.octets + octets };
    else bursts.push({ from, octets });
  }
  return bursts;
}

/** A line a segment: nothing goes ahead of its decision but what the dialogue itself leaves unfinished. */
function lineByLine(rows: readonly Row[]): readonly Row[] {
  return burstsOf(rows).flatMap(({ from, octets }) =>
    (octets.match(/[^\n]*\n|[^\n]+$/g) ?? []).map((line) => ({ from, octets: line })),
  );
}

function inChunks(bursts: readonly Row[], length: number): readonly Row[] {
  return bursts.flatMap(({ from, octets }) => {
    const chunks: Row[] = [];
    for (let at = 0; at < octets.length; at += length) chunks.push({ from, octets: octets.slice(at, at + length) });
    return chunks;
  });
}

/** A refusal may come before the whole verb or the user name was seen: its alert then quotes less, and is the same alert. */
function refusalOf({ from, outcome }: LogEntry): string {
  return `${from} => ${outcome.replace(/(alert \S+) ".*"( \d+)?/g, '$1')}`;
}

/** Like its alert, what a refused line tells of itself may be shorter. */
function factsOf({ refused, facts }: LogEntry): string {
  return facts.map((fact) => (refused ? fact.replace(/ ".*"/, '') : fact)).join(', ');
}

/** Says how another splitting came to something else, or nothing. */
function compare(whole: Outcome, split: Outcome, transcript: TranscriptCase): string | undefined {
  const verdicts = (outcome: Outcome): string =>
    outcome.log.map((entry) => (entry.refused ? refusalOf(entry) : `${entry.what} => ${entry.outcome}`)).join('\n');
  if (verdicts(whole) !== verdicts(split)) return `other verdicts:\n${verdicts(split)}\ninstead of\n${verdicts(whole)}`;
  const told = (outcome: Outcome): string => outcome.log.map(factsOf).join('\n');
  if (told(whole) !== told(split)) return `other facts:\n${told(split)}\ninstead of\n${told(whole)}`;
  if (whole.stage !== split.stage) return `ends in ${split.stage}, not in ${whole.stage}`;
  if (whole.paused !== split.paused) return 'another side is left paused';
  for (const { reaches, octets } of transcript.never) {
    for (const outcome of [whole, split]) {
      if (outcome.received[reaches].includes(octets)) return `"${escapeOctets(octets)}" reached the ${reaches}`;
    }
  }
  return compareFates('initiator', whole, split) ?? compareFates('responder', whole, split);
}

/** How a side's octets fared, and the refusal that ended the dialogue. */
export type Passage = Pick<Outcome, 'sent' | 'fates' | 'refusal'>;

/**
 * Each octet got through as in the whole run, or untouched because an earlier segment took it ahead of the decision: then it
 * stands before everything that the decision did touch. Of a refused frame anything but the last octet may have gone.
 */
export function compareFates(side: Side, whole: Passage, split: Pick<Passage, 'fates'>): string | undefined {
  const sent = whole.sent[side];
  const refused = whole.refusal?.side === side ? whole.refusal : undefined;
  let touched = false;
  for (const [index, fate] of split.fates[side].entries()) {
    const expected = whole.fates[side][index];
    if (sent[index] === '\n') touched = false;
    if (fate === expected) {
      touched ||= fate !== sent[index];
      continue;
    }
    const ahead = fate === sent[index] && (!touched || sent[index] === '\r') && expected !== undefined;
    const inRefused = refused !== undefined && index >= refused.from && index < refused.to - 1;
    // The session ended on the other side's frame: whether an unfinished line went before or never is a matter of packets.
    const cutOff = whole.refusal !== undefined && refused === undefined && (fate ?? expected) === (expected ?? fate);
    const gap = fate !== undefined && index > 0 && split.fates[side][index - 1] === undefined;
    if (gap || !(ahead || inRefused || cutOff)) {
      const at = escapeOctets(sent.slice(Math.max(0, index - 20), index + 1));
      return `octet ${index} of the ${side} (${at}) became ${name(fate)} instead of ${name(expected)}`;
    }
  }
  return undefined;
}

const name = (fate: Fate): string => (fate === undefined ? 'nothing' : escapeOctets(fate));
