import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { posternOf } from '../world.ts';
import { CASES, CONTENT_POLICIES } from './cases.ts';
import { CONTENT_CONFIGURATIONS } from './content.ts';
import { CUTS_PLAYED, type Outcome, playCases, problemsOf } from './run.ts';
import { openStage, type Stage } from './stage.ts';

/** Messages that hide what a policy looks for, and honest ones, against a real server (docs/attacks.md). */

const PLAY_TIMEOUT_MS = 900_000;

describe.each(CONTENT_POLICIES)('policy for %s', (policy) => {
  const cases = CASES.filter(({ policies }) => policies?.[policy] !== undefined);
  let stage: Stage;
  let outcomes: Outcome[] = [];
  beforeAll(async () => {
    stage = await openStage(CONTENT_CONFIGURATIONS[policy]);
    outcomes = await playCases(stage, { protocol: 'smtp', cases, cuts: CUTS_PLAYED, secure: false, policy });
  }, PLAY_TIMEOUT_MS);
  afterAll(async () => {
    await stage?.close();
  });

  it.each(cases)('$id $name', (of) => {
    expect(outcomes.some((outcome) => outcome.of.id === of.id)).toBe(true);
    expect(problemsOf(outcomes, of)).toEqual([]);
  });

  it('adds up: every packet got a verdict', async () => {
    const { packets } = await posternOf(stage.world).statistics();
    expect(packets.received).toBe(packets.accepted + packets.rewritten + packets.dropped + packets.held);
  });
});
