import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CASES, familyOf } from './cases.ts';
import { CHUNKED } from './content.ts';
import { CUTS_PLAYED, type Outcome, playCases, problemsOf } from './run.ts';
import { openStage, type Stage } from './stage.ts';

/** Ends of messages, chunks and odd command lines against Exim, which reads sizes and words in its own way. */

const PLAY_TIMEOUT_MS = 600_000;
/** Where Exim skips, cuts or joins what others do not. */
const LINES = new Set(['CMD-06', 'CMD-08', 'CMD-10', 'CMD-12', 'CMD-14', 'CMD-18', 'CMD-20', 'CMD-24', 'CMD-26']);

describe('chunks let through to Exim', () => {
  const cases = CASES.filter((of) => /^(?:EOD|BDA)$/.test(familyOf(of)) || LINES.has(of.id));
  let stage: Stage;
  let outcomes: Outcome[] = [];
  beforeAll(async () => {
    stage = await openStage(CHUNKED, 'exim');
    outcomes = await playCases(stage, { protocol: 'smtp', cases, cuts: CUTS_PLAYED, secure: false });
  }, PLAY_TIMEOUT_MS);
  afterAll(async () => {
    await stage?.close();
  });

  it.each(cases)('$id $name', (of) => {
    expect(outcomes.some((outcome) => outcome.of.id === of.id)).toBe(true);
    expect(problemsOf(outcomes, of)).toEqual([]);
  });

  it.each([
    ['BDA-02', 1],
    ['BDA-04', 1],
    ['BDA-06', 1],
    ['BDA-24', 1],
    ['BDA-28', 1],
    ['BDA-30', 2],
  ])('%s: Exim takes as many messages as there are last chunks', (id, messages) => {
    const log = stage.world.exim?.log() ?? '';
    const taken = outcomes
      .filter(({ of }) => of.id === id)
      .map(({ flow }) => log.split(` [${flow.local}] takes `).length - 1);
    expect(taken).toEqual(CUTS_PLAYED.map(() => messages));
  });
});
