import { configurationOf, PERMISSIVE } from '../postern.ts';
import { CASES, type Case, CONTENT_POLICIES, familyOf } from './cases.ts';
import { CHUNKED, CONTENT_CONFIGURATIONS } from './content.ts';
import { CUTS, type Cut } from './cutting.ts';
import { type Outcome, type Protocol, playCases } from './run.ts';
import { openStage, STAGE_SERVERS } from './stage.ts';

/**
 * `report.js PROTOCOL [secure] [policy=content|limits|aic] [at=exim|courier] [CASE|FAMILY...] [cut=CUT,CUT] [-v|table]`: what became of each;
 * `table`: as rows of docs/attacks.md.
 */
const SECURE = configurationOf(['pop3 alert on reset secure-login', 'imap alert on reset secure-login']);
/** So much of a stream is printed. */
const TAIL = 300;

const words = process.argv.slice(2);
const secure = words.includes('secure');
const named = words.filter((word) => /^[A-Z]{3}(-\d+[a-z]?)?$/.test(word));
const cuts = (words
  .find((word) => word.startsWith('cut='))
  ?.slice(4)
  .split(',') ?? CUTS) as readonly Cut[];
const policy = CONTENT_POLICIES.find((name) => words.includes(`policy=${name}`));
const wanted = (of: Case) =>
  (policy === undefined || of.policies?.[policy] !== undefined) &&
  (named.length === 0 || named.includes(of.id) || named.includes(familyOf(of)));

function print({ of, cut, expected, flow, deeds, finding }: Outcome): void {
  const out = (line: string) => process.stdout.write(`${line}\n`);
  const reason = flow.judged.find((one) => one.reason !== undefined)?.reason ?? '';
  const login = deeds.loggedIn === true ? 'LOGIN' : '';
  const state = `${finding.fate} ${reason} end=${flow.end} stage=${flow.stage ?? '-'} ${login}`;
  out(`${finding.problems.length === 0 ? 'ok  ' : 'DIFF'} ${of.id} ${of.name} ${cut} ${expected} -> ${state}`);
  for (const problem of finding.problems) out(`    !! ${problem.slice(0, 400)}`);
  if (finding.problems.length === 0 && !words.includes('-v')) return;
  const whole = flow.judged.filter(({ what }) => what !== 'partial');
  out(`    got ${JSON.stringify(flow.got.slice(-TAIL))}`);
  out(`    received ${JSON.stringify(flow.received.slice(-TAIL))}`);
  if (flow.received !== flow.answered) out(`    answered ${JSON.stringify(flow.answered.slice(-TAIL))}`);
  out(`    judged ${whole.map((one) => `${one.side[0]}:${one.what}:${one.verdict}:${one.reason ?? ''}`).join(' ')}`);
  out(`    told ${JSON.stringify(flow.told)}`);
  if (deeds.commands !== undefined) out(`    commands ${JSON.stringify(deeds.commands)}`);
}

function seenIn({ finding: { fate }, flow }: Outcome): string {
  if (fate === 'refused') return `refused: ${flow.judged.find((one) => one.verdict === 'refuse')?.reason ?? '?'}`;
  return { unchanged: 'passed unchanged', masked: 'overwritten', held: 'the server hung up first' }[fate];
}

/** A row for each case: what was seen, by cuts where they differ. */
function printRows(outcomes: readonly Outcome[]): void {
  for (const id of new Set(outcomes.map(({ of }) => of.id))) {
    const plays = outcomes.filter(({ of }) => of.id === id);
    const seen = [...new Set(plays.map(seenIn))];
    const cutsOf = (what: string) => plays.filter((play) => seenIn(play) === what).map(({ cut }) => cut);
    const told = seen.length === 1 ? seen : seen.map((what) => `${what} (${cutsOf(what).join(', ')})`);
    const failed = plays.some(({ finding }) => finding.problems.length > 0) ? ' **not as expected**' : '';
    const [one] = plays;
    process.stdout.write(`| ${id} ${one?.of.name} | ${one?.expected} | ${told.join('; ')}${failed} |\n`);
  }
}

const configuration = policy === undefined ? (secure ? SECURE : PERMISSIVE) : CONTENT_CONFIGURATIONS[policy];
const server = STAGE_SERVERS.find((name) => words.includes(`at=${name}`));
const stage = await openStage(server === 'exim' ? CHUNKED : configuration, server);
try {
  const selection = {
    protocol: words[0] as Protocol,
    cases: CASES.filter(wanted),
    cuts,
    secure,
    ...(policy === undefined ? {} : { policy }),
  };
  const outcomes = await playCases(stage, selection);
  if (words.includes('table')) printRows(outcomes);
  else for (const outcome of outcomes) print(outcome);
} finally {
  await stage.close();
}
