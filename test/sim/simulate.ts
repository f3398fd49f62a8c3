import type { Side } from '../../src/inspect/inspector.ts';
import { loadAddon } from '../../src/native/addon.ts';
import type { Fate } from '../transcripts/fake-engine.ts';
import { escapeOctets } from '../transcripts/notation.ts';
import { compareFates } from '../transcripts/runner.ts';
import { buildCapture, type Weather } from './capture-builder.ts';
import { HOSTNAME, loadCases, type SimCase } from './cases.ts';
import { type NativeRun, runNatively } from './native-run.ts';
import { Random } from './random.ts';
import { type Received, readStreams } from './stream-reader.ts';

const addon = loadAddon();
export const cases: readonly SimCase[] = loadCases();

function weatherOf(random: Random): Weather {
  const rough = random.chance(75);
  return {
    chunkBytes: random.pick([1, 0, 1_400, 1 + random.below(30)]),
    reorderPercent: rough ? random.pick([0, 10, 40]) : 0,
    duplicatePercent: rough ? random.pick([0, 10, 30]) : 0,
    alteredPercent: rough ? random.pick([0, 10, 30]) : 0,
    acknowledgePercent: random.pick([0, 50, 100]),
  };
}

/** Plays the run of this number; says how the native path came to something else than the plain run, or nothing. */
export function problemOf(seed: number): string | undefined {
  const random = new Random(seed);
  const played = cases[random.below(cases.length)];
  if (played === undefined) throw new Error('there are no transcripts');
  const ends = { version: random.pick([4, 6] as const), port: played.port };
  const weather = weatherOf(random);
  const capture = buildCapture(played.plain.bursts, ends, weather, random);
  try {
    const run = runNatively(addon, capture, played.inspection, HOSTNAME);
    const problem = compareVerdicts(played, run) ?? compareStreams(played, readStreams(run.output, played.port));
    return problem === undefined ? undefined : `${describeRun(played, weather)}: ${problem}`;
  } catch (error) {
    return `${describeRun(played, weather)}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const describeRun = (played: SimCase, weather: Weather): string => `${played.name} in ${JSON.stringify(weather)}`;

/**
 * Where a packet ends with a CR its line is judged, since there are servers that act on it. If no LF follows, the line comes
 * to more verdicts than in one piece; what holds then is that the same side is refused, or nobody.
 */
const hasBareCr = ({ sent }: SimCase['plain']): boolean => /\r(?!\n)/.test(`${sent.initiator} ${sent.responder} `);
const whoIsRefused = (verdict: string): string =>
  verdict.includes(' refused ') ? verdict.replace(/ refused .*/, '') : '';
const lines = (verdicts: readonly string[]): string => verdicts.filter((verdict) => verdict !== '').join('\n');

function compareVerdicts({ plain }: SimCase, { verdicts, ends, counters }: NativeRun): string | undefined {
  const comparable = hasBareCr(plain) ? verdicts.map(whoIsRefused) : verdicts;
  const wanted = hasBareCr(plain) ? plain.verdicts.map(whoIsRefused) : plain.verdicts;
  const [expected, seen] = [lines(wanted), lines(comparable)];
  if (expected !== seen) return `other verdicts:\n${seen}\ninstead of\n${expected}`;
  if (ends.some((end) => end === 'engine-error' || end.endsWith('timeout'))) return `ended by ${ends.join(', ')}`;
  const count = (name: string): number => counters[name] ?? 0;
  const out = count('accepted') + count('rewritten') + count('dropped') + count('held');
  if (count('received') !== out) return `${count('received')} packets in, ${out} out`;
  return undefined;
}

/** With a CR that no LF follows, the refusal may be one of another reason, in other words. */
function spokenWords(plain: SimCase['plain'], answer: string): string {
  const words = plain.refusal?.words ?? '';
  if (words === '' || !hasBareCr(plain) || answer.endsWith(words)) return words;
  const last = answer.slice(answer.lastIndexOf('\n', answer.length - 2) + 1);
  return last.includes(`${HOSTNAME} refused`) ? last : words;
}

const isHalfLine = (text: string): boolean => text !== '' && !text.endsWith('\n');

function compareStreams({ plain, never }: SimCase, streams: Readonly<Record<Side, Received>>): string | undefined {
  const answer = streams.responder.text;
  // Behind half a line of the server's nothing may be said: the refusal is an RST to both.
  const isCutOff = streams.responder.reset && isHalfLine(answer);
  const words = isCutOff ? '' : spokenWords(plain, answer);
  if (!answer.endsWith(words) || (words !== '' && isHalfLine(answer.slice(0, -words.length))))
    return `the initiator read "${escapeOctets(answer.slice(-80))}", not the refusal's words`;
  const texts = {
    initiator: streams.initiator.text,
    responder: answer.slice(0, answer.length - words.length),
  };
  for (const { reaches, octets } of never) {
    const heard = reaches === 'initiator' ? texts.responder : texts.initiator;
    if (heard.includes(octets)) return `"${escapeOctets(octets)}" reached the ${reaches}`;
  }
  if (words !== '' && !streams.responder.finished) return 'no FIN behind the words';
  const fates = {
    initiator: fatesOf(plain.sent.initiator, texts.initiator),
    responder: fatesOf(plain.sent.responder, texts.responder),
  };
  return compareFates('initiator', plain, { fates }) ?? compareFates('responder', plain, { fates });
}

function fatesOf(sent: string, text: string): Fate[] {
  return Array.from(sent, (_octet, index) => text[index]);
}
