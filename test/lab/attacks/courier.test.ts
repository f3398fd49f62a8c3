import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PERMISSIVE } from '../postern.ts';
import { CASES, type Case } from './cases.ts';
import { CUTS_PLAYED, type Outcome, playCases, problemsOf } from './run.ts';
import { openStage, type Stage } from './stage.ts';

/**
 * The cases of POP3 and IMAP against Courier, which reads odd lines in its own way. What it answers is its own affair: held
 * is that the octets are the client's, that what may not be read was not, and that both agree on who is in.
 */

const PLAY_TIMEOUT_MS = 600_000;
const agreeing = (of: Case): Case => ({ ...of, expect: of.expect === 'B' ? 'B' : 'B/P' });

describe.each(['pop3', 'imap'] as const)('%s at Courier', (protocol) => {
  const cases = CASES.filter((of) => of.protocol === protocol && of.steps !== undefined).map(agreeing);
  let stage: Stage;
  let outcomes: Outcome[] = [];
  beforeAll(async () => {
    stage = await openStage(PERMISSIVE, 'courier');
    outcomes = await playCases(stage, { protocol, cases, cuts: CUTS_PLAYED, secure: false });
  }, PLAY_TIMEOUT_MS);
  afterAll(async () => {
    await stage?.close();
  });

  it.each(cases)('$id $name', (of) => {
    const mine = outcomes.filter((outcome) => outcome.of.id === of.id);
    expect(mine).toHaveLength(CUTS_PLAYED.length);
    if (process.env.POSTERN_ATTACK_PRINT !== undefined)
      for (const { cut, flow, deeds, finding } of mine)
        process.stdout.write(`${of.id} ${cut} ${finding.fate} ${flow.end} ${flow.stage} ${JSON.stringify(deeds)}\n`);
    expect(problemsOf(mine, of)).toEqual([]);
  });

  it('lets somebody in', () => {
    expect(outcomes.filter(({ deeds }) => deeds.loggedIn === true).length).toBeGreaterThan(CUTS_PLAYED.length);
  });
});
