import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configurationOf, PERMISSIVE } from '../postern.ts';
import { posternOf } from '../world.ts';
import { CASES } from './cases.ts';
import { CUTS_PLAYED, type Outcome, type Protocol, playCases, problemsOf } from './run.ts';
import { openStage, type Stage } from './stage.ts';

/** Every case of the mail protocols, against real servers and scripted ones (docs/attacks.md). */

const PLAY_TIMEOUT_MS = 900_000;
const SECURE = configurationOf(['pop3 alert on reset secure-login', 'imap alert on reset secure-login']);

function promise(configuration: string, secure: boolean, protocols: readonly Protocol[]): void {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(configuration);
  });
  afterAll(async () => {
    await stage?.close();
  });

  describe.each(protocols)('%s', (protocol) => {
    const cases = CASES.filter((of) => of.protocol === protocol && (of.steps ?? of.dialogue) !== undefined);
    let outcomes: Outcome[] = [];
    beforeAll(async () => {
      outcomes = await playCases(stage, { protocol, cases, cuts: CUTS_PLAYED, secure });
    }, PLAY_TIMEOUT_MS);

    it.each(cases)('$id $name', (of) => {
      expect(outcomes.some((outcome) => outcome.of.id === of.id)).toBe(true);
      expect(problemsOf(outcomes, of)).toEqual([]);
    });

    it('adds up: every packet got a verdict', async () => {
      const { packets } = await posternOf(stage.world).statistics();
      expect(packets.received).toBe(packets.accepted + packets.rewritten + packets.dropped + packets.held);
    });
  });
}

describe('inspected', () => promise(PERMISSIVE, false, ['smtp', 'pop3', 'imap']));
describe('with secure-login', () => promise(SECURE, true, ['pop3', 'imap']));
