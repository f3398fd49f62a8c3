import { type CaseStep, textOf } from './cases.ts';

/** Ways of cutting what the client writes into segments. */
export const CUTS = ['given', 'joined', 'bytes', 'edges'] as const;
export type Cut = (typeof CUTS)[number];

/** A step of `player.mjs`: texts are writes of their own, one after the other. */
export type PlayStep =
  | { readonly writes: readonly string[]; readonly gapMs: number }
  | { readonly wait: true }
  | { readonly expect: string }
  | { readonly finish: true };

/** So much at each end of a long write goes out an octet at a time; its middle in pieces. */
const SINGLE_OCTETS_MAX = 600;
const PIECE_OCTETS = 1_000;
/** Enough for two writes to become two packets that the router sees in two batches. */
const BOUNDARY_MS = 4;

/** Writes with no answer awaited in between are one, as a client that pipelines has it. */
function joinWrites(steps: readonly CaseStep[]): CaseStep[] {
  const joined: CaseStep[] = [];
  for (const step of steps) {
    const last = joined.at(-1);
    if ('send' in step && last !== undefined && 'send' in last) {
      joined[joined.length - 1] = { send: textOf(last.send) + textOf(step.send) };
    } else joined.push(step);
  }
  return joined;
}

function octets(text: string): string[] {
  if (text.length <= 2 * SINGLE_OCTETS_MAX) return [...text];
  const middle =
    text.slice(SINGLE_OCTETS_MAX, -SINGLE_OCTETS_MAX).match(new RegExp(`[^]{1,${PIECE_OCTETS}}`, 'g')) ?? [];
  return [...text.slice(0, SINGLE_OCTETS_MAX), ...middle, ...text.slice(-SINGLE_OCTETS_MAX)];
}

/** Cuts on both sides of every octet that ends lines, messages or strings somewhere. */
function edges(text: string): string[] {
  if (text.length > 20_000) return octets(text);
  return text.split(/(?<=[\r\n.\0])|(?=[\r\n.\0])/);
}

function cutOne(step: CaseStep, cut: Cut): PlayStep {
  if (!('send' in step)) return step;
  const text = textOf(step.send);
  if (cut === 'bytes') return { writes: octets(text), gapMs: 0 };
  if (cut === 'edges') return { writes: edges(text), gapMs: 1 };
  return { writes: [text], gapMs: BOUNDARY_MS };
}

export function cutSteps(steps: readonly CaseStep[], cut: Cut): PlayStep[] {
  return (cut === 'given' ? [...steps] : joinWrites(steps)).map((step) => cutOne(step, cut));
}
