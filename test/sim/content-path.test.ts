import { describe, expect, it } from 'vitest';
import type { ContentFact } from '../../src/inspect/facts.ts';
import { loadAddon, loadPatterns } from '../../src/native/addon.ts';
import { applicationSmtp } from '../transcripts/application-policy.ts';
import { buildCapture, type Weather } from './capture-builder.ts';
import { type ContentCase, contentCase } from './content-cases.ts';
import { type ContentRun, policyFor, runWithContent, type SmtpApplication } from './content-run.ts';
import { type PlainRun, runPlainly } from './plain-run.ts';
import { Random } from './random.ts';
import { readStreams } from './stream-reader.ts';

/** `SIM_SEED=n` plays that one run; `SIM_RUNS=n` plays so many, from `SIM_FIRST` on. */
const FIRST_SEED = Number(process.env.SIM_SEED ?? process.env.SIM_FIRST ?? 0);
const RUNS = process.env.SIM_SEED === undefined ? Number(process.env.SIM_RUNS ?? 300) : 1;
const BLOCK = 100;
const BLOCK_MS_MAX = 120_000;
const PORT = 25;
const FAIR: Weather = {
  ...{ chunkBytes: 1_400, reorderPercent: 0, duplicatePercent: 0, alteredPercent: 0, acknowledgePercent: 100 },
};

const addon = loadAddon();
const patterns = loadPatterns();

function weatherOf(random: Random): Weather {
  return {
    chunkBytes: random.pick([1, 0, 1_400, 1 + random.below(30)]),
    reorderPercent: random.pick([0, 10, 40]),
    duplicatePercent: random.pick([0, 10, 30]),
    alteredPercent: random.pick([0, 10, 30]),
    acknowledgePercent: random.pick([0, 50, 100]),
  };
}

function play(plain: PlainRun, policy: SmtpApplication, weather: Weather, seed: number): ContentRun {
  const capture = buildCapture(plain.bursts, { version: 4, port: PORT }, weather, new Random(seed));
  return runWithContent(addon, capture, policy);
}

interface Played {
  readonly made: ContentCase;
  readonly fair: ContentRun;
  readonly rough: ContentRun;
}

async function playSeed(seed: number): Promise<Played> {
  const random = new Random(seed);
  const made = contentCase(random);
  const policy = await policyFor(patterns, made.text);
  const plain = runPlainly(applicationSmtp, policy, made.rows);
  return { made, fair: play(plain, policy, FAIR, seed), rough: play(plain, policy, weatherOf(random), seed) };
}

/** The network changes nothing of what was found, who was refused and what went on. */
function compareRuns({ made, fair, rough }: Played): void {
  expect(rough.refusedFor).toBe(fair.refusedFor);
  expect(rough.hits).toEqual(fair.hits);
  const [wanted, seen] = [readStreams(fair.output, PORT), readStreams(rough.output, PORT)];
  expect(seen.responder.text).toBe(wanted.responder.text);
  if (fair.refusedFor === undefined) {
    expect(rough.facts).toEqual(fair.facts);
    expect(seen.initiator.text).toBe(wanted.initiator.text);
    return;
  }
  // What else was found in the segment that is refused depends on the segment.
  const common = Math.min(rough.facts.length, fair.facts.length);
  expect(rough.facts.slice(0, common)).toEqual(fair.facts.slice(0, common));
  expect(seen.initiator.text.length).toBeLessThan(made.messageEnd);
}

function checkRun(made: ContentCase, run: ContentRun): void {
  const { initiator, responder } = readStreams(run.output, PORT);
  const sent = made.rows.map(({ from, octets }) => (from === 'initiator' ? octets : '')).join('');
  const count = (name: string): number => run.counters[name] ?? 0;
  expect(run.ends).not.toContain('engine-error');
  expect(count('content-scanned-octets')).toBe(count('content-octets'));
  expect(count('content-limits')).toBe(0);
  const reset = run.hits.some(({ verb, shadow }) => verb === 'resetting' && !shadow);
  expect(run.refusedFor !== undefined).toBe(reset);
  if (!reset) {
    expect(initiator.text).toBe(sent);
    expect(run.counters['content-octets']).toBe(made.messageBytes);
    expect(run.facts.filter((fact) => fact === 'finished')).toHaveLength(1);
    return;
  }
  expect(sent.startsWith(initiator.text)).toBe(true);
  expect(initiator.text.length).toBeLessThan(made.messageEnd);
  expect(initiator.reset).toBe(true);
  expect(responder.text).toMatch(/554 5\.7\.1 gw\.example refused: [^\n]+\r\n$/);
  expect(responder.finished).toBe(true);
}

/** What stands in a message that passed was told, and nothing else. */
function checkFacts({ message, text, dataBytes }: ContentCase, run: ContentRun): void {
  if (run.refusedFor !== undefined) return;
  const told = (kind: ContentFact['kind']): boolean =>
    run.facts.some((fact) => fact !== 'finished' && fact.kind === kind);
  if ('CE' in text.classes) expect(told('encoding')).toBe(message.includes('Content-Transfer-Encoding:'));
  if ('CT' in text.classes) expect(told('contentType')).toBe(message.includes(': image/'));
  if ('CH' in text.classes) expect(told('header')).toBe(/Subject: a(?:\r\n)? lottery/.test(message));
  if ('CL' in text.classes) expect(told('dataLength')).toBe(dataBytes > 200);
  if (!message.includes('UD-42') && !message.includes('base64')) expect(told('body')).toBe(false);
}

describe('messages that are looked into, split, reordered, repeated and altered', () => {
  const blocks = Array.from({ length: Math.ceil(RUNS / BLOCK) }, (_, block) => FIRST_SEED + block * BLOCK);
  it.each(blocks)(
    'come to the same facts and the same end from seed %i on',
    async (first) => {
      const last = Math.min(first + BLOCK, FIRST_SEED + RUNS);
      for (let seed = first; seed < last; seed += 1) {
        const played = await playSeed(seed);
        try {
          compareRuns(played);
          checkRun(played.made, played.fair);
          checkRun(played.made, played.rough);
          checkFacts(played.made, played.fair);
        } catch (error) {
          throw new Error(`SIM_SEED=${seed}`, { cause: error });
        }
      }
    },
    BLOCK_MS_MAX,
  );

  it('are of all kinds: some pass, some are refused, by DATA and by BDAT', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 40; seed += 1) {
      const { made, fair } = await playSeed(seed);
      const form = made.rows.some(({ octets }) => octets.startsWith('BDAT')) ? 'chunks' : 'data';
      seen.add(`${form} ${fair.refusedFor ?? 'passed'}`);
    }
    expect([...seen].filter((kind) => kind.endsWith('passed')).sort()).toEqual(['chunks passed', 'data passed']);
    expect(seen.size).toBeGreaterThan(4);
  });
});
