import type { Case, ContentPolicy, Expectation } from './cases.ts';
import { judgeContent } from './content.ts';
import { CUTS, type Cut, cutSteps } from './cutting.ts';
import { type ActorStep, scriptOf } from './scripted.ts';
import { deedsAtCourier, deedsAtDovecot, deedsAtExim, deedsAtPostfix } from './servers.ts';
import type { Client, Flow, Stage } from './stage.ts';
import { type Deeds, type Finding, judgeFlow } from './verdicts.ts';

export const PORTS = { smtp: 25, pop3: 110, imap: 143 } as const;
export type Protocol = keyof typeof PORTS;

/** The cuts a test run plays: what a client does by itself and what is the hardest to judge, or every one. */
export const CUTS_PLAYED: readonly Cut[] = process.env.POSTERN_ATTACK_CUTS === 'all' ? CUTS : ['joined', 'bytes'];

export interface Outcome {
  readonly of: Case;
  readonly cut: string;
  readonly expected: Expectation;
  readonly flow: Flow;
  readonly deeds: Deeds;
  readonly finding: Finding;
}

export interface Selection {
  readonly protocol: Protocol;
  readonly cases: readonly Case[];
  readonly cuts: readonly Cut[];
  /** Postern runs with `secure-login reset`. */
  readonly secure: boolean;
  /** Postern runs with this policy for content. */
  readonly policy?: ContentPolicy;
}

interface Play extends Client {
  readonly of: Case;
  readonly cut: string;
  readonly server?: readonly ActorStep[];
}

/** Plays the clients' parts against the real server, and the dialogues against a scripted one. */
export async function playCases(
  stage: Stage,
  { protocol, cases, cuts, secure, policy }: Selection,
): Promise<Outcome[]> {
  const mine = cases.filter((of) => of.protocol === protocol);
  const real = mine.flatMap(({ steps, ...of }): Play[] =>
    steps === undefined ? [] : cuts.map((cut) => ({ of, cut, steps: cutSteps(steps, cut) })),
  );
  const scripted = mine.flatMap((of): Play[] =>
    of.dialogue === undefined ? [] : [{ of, cut: 'script', ...scriptOf(of) }],
  );
  const port = PORTS[protocol];
  const judge = (plays: readonly Play[], flows: readonly Flow[], deedsOf: (flow: Flow) => Deeds): Outcome[] =>
    plays.map(({ of, cut }, index) => {
      const flow = flows[index] as Flow;
      const deeds = deedsOf(flow);
      const under = policy === undefined ? undefined : of.policies?.[policy];
      const expected = under?.expect ?? (secure ? (of.expectSecure ?? of.expect) : of.expect);
      const finding = judgeFlow({ ...of, ...under }, expected, flow, deeds);
      if (policy === undefined || under === undefined) return { of, cut, expected, flow, deeds, finding };
      const problems = [...finding.problems, ...judgeContent(policy, under, flow, deeds)];
      return { of, cut, expected, flow, deeds, finding: { ...finding, problems } };
    });
  const atReal = await stage.play(port, real);
  const deedsOf = deedsAt(stage, protocol)(stage.world);
  return [...judge(real, atReal, deedsOf), ...judge(scripted, await stage.play(port, scripted), () => ({}))];
}

function deedsAt({ server }: Stage, protocol: Protocol): typeof deedsAtPostfix {
  if (protocol !== 'smtp') return server === 'courier' ? deedsAtCourier : deedsAtDovecot;
  return server === 'exim' ? deedsAtExim : deedsAtPostfix;
}

/** What went wrong with each case, over all its cuts. */
export function problemsOf(outcomes: readonly Outcome[], of: Pick<Case, 'id'>): string[] {
  return outcomes
    .filter((outcome) => outcome.of.id === of.id)
    .flatMap(({ cut, finding }) => finding.problems.map((problem) => `${cut}: ${problem}`));
}
