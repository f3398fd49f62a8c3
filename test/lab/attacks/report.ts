import { configurationOf, PERMISSIVE } from '../postern.ts';
import { CASES, type Case, familyOf } from './cases.ts';
import { CUTS, type Cut, cutSteps } from './cutting.ts';
import { scriptOf } from './scripted.ts';
import { deedsAtDovecot, deedsAtPostfix } from './servers.ts';
import { type Flow, openStage } from './stage.ts';
import { type Deeds, judgeFlow } from './verdicts.ts';

/** `report.js smtp|pop3|imap [secure] [CASE|FAMILY...] [cut=CUT,CUT] [-v]`: plays cases and prints what became of each. */
const PORTS = { smtp: 25, pop3: 110, imap: 143 } as const;
const SECURE = configurationOf([
  'esmtp alert on',
  'pop3 alert on reset secure-login',
  'imap alert on reset secure-login',
]);

const words = process.argv.slice(2);
const protocol = words[0] as keyof typeof PORTS;
const secure = words.includes('secure');
const scripted = words.includes('scripted');
const verbose = words.includes('-v');
const cuts = (words
  .find((word) => word.startsWith('cut='))
  ?.slice(4)
  .split(',') ?? CUTS) as readonly Cut[];
const named = words.filter((word) => /^[A-Z]{3}(-\d+)?$/.test(word));
const wanted = (of: Case) => named.length === 0 || named.includes(of.id) || named.includes(familyOf(of));
const rows = CASES.filter((of) => of.protocol === protocol && wanted(of));
const plays = scripted
  ? rows.filter(({ dialogue }) => dialogue !== undefined).map((of) => ({ of, cut: 'script' as const, ...scriptOf(of) }))
  : rows.flatMap((of) =>
      of.steps === undefined ? [] : cuts.map((cut) => ({ of, cut, steps: cutSteps(of.steps ?? [], cut) })),
    );

function print(of: Case, cut: string, flow: Flow, commands: readonly string[] | undefined): void {
  const client = flow.judged.filter(({ what }) => what !== 'partial');
  process.stdout.write(
    `    got ${JSON.stringify(flow.got.slice(-300))}\n    recv ${JSON.stringify(flow.received.slice(-300))}\n`,
  );
  if (flow.received !== flow.answered)
    process.stdout.write(`    answered ${JSON.stringify(flow.answered.slice(-300))}\n`);
  process.stdout.write(
    `    judged ${client
      .map((one) => `${one.side[0]}:${one.what}:${one.verdict}:${one.reason ?? ''}`)
      .join(' ')
      .slice(-500)}\n`,
  );
  process.stdout.write(
    `    told ${JSON.stringify(flow.told)}\n    ${of.id} ${cut} commands ${JSON.stringify(commands)}\n`,
  );
}

const stage = await openStage(secure ? SECURE : PERMISSIVE);
try {
  const flows = await stage.play(PORTS[protocol], plays);
  const deedsOf = scripted
    ? (): Deeds => ({})
    : protocol === 'smtp'
      ? deedsAtPostfix(stage.world)
      : deedsAtDovecot(stage.world);
  for (const [index, { of, cut }] of plays.entries()) {
    const flow = flows[index] as Flow;
    const deeds = deedsOf(flow);
    const expected = secure ? (of.expectSecure ?? of.expect) : of.expect;
    const { fate, problems } = judgeFlow(of, expected, flow, deeds);
    const reason = flow.judged.find((one) => one.reason !== undefined)?.reason ?? '';
    const state = `${of.id} ${of.name} ${cut} ${expected} -> ${fate} ${reason} end=${flow.end} stage=${flow.stage ?? '-'} ${deeds.loggedIn === true ? 'LOGIN' : ''}`;
    process.stdout.write(`${problems.length === 0 ? 'ok  ' : 'DIFF'} ${state}\n`);
    for (const problem of problems) process.stdout.write(`    !! ${problem.slice(0, 400)}\n`);
    if (problems.length > 0 || verbose) print(of, cut, flow, deeds.commands);
  }
} finally {
  await stage.close();
}
