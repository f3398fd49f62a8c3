import type { Side } from '../../../src/inspect/inspector.ts';
import type { Flow } from './flow.ts';
import { otherSide } from './network.ts';
import { POLICIES } from './policies.ts';
import { MailReader, type Unit } from './reader.ts';
import { isComparable } from './weather.ts';
import type { Run } from './world.ts';

const SIDES: readonly Side[] = ['initiator', 'responder'];
/** How a refusal's words begin; behind a hello they are an alert of TLS (RFC 8446 6). */
const REFUSAL = /^(?:[45]\d\d[ -]|-ERR |\* BYE |\S+ (?:NO|BAD) )/;
const ALERT = '\x15\x03';
const FILLS = new Set(['x', 'X', ' ']);

/** Everything about a run that should not be; empty when all properties hold. */
export function problemsOf(run: Run): string[] {
  const found = [...accounting(run)];
  for (const [rough, fair] of run.flows) {
    const name = `${rough.options.script.protocol} of port ${rough.options.ends.clientPort}`;
    const tell = (problems: Iterable<string>, who = name) =>
      found.push(...Array.from(problems, (one) => `${who}: ${one}`));
    tell(oneStream(rough, isComparable(run.weather)));
    tell(oneStream(fair, true), `twin of ${name}`);
    tell(nothingForbidden(rough));
    tell(nothingForbidden(fair), `twin of ${name}`);
    if (isComparable(run.weather)) tell(sameVerdicts(rough, fair));
  }
  return found;
}

function* accounting({ counters, flowsLeft, ends }: Run): Generator<string> {
  const count = (name: string): number => counters[name] ?? 0;
  const out = count('accepted') + count('rewritten') + count('dropped');
  if (count('received') !== out) yield `${count('received')} packets in, ${out} out`;
  if (count('held') !== 0) yield `${count('held')} packets still held`;
  if (flowsLeft !== 0) yield `${flowsLeft} flows left`;
  if (ends.includes('engine-error')) yield 'ended by engine-error';
}

function reading(
  flow: Flow,
  leniency: 'strict' | 'lenient',
  rejectsData = flow.options.script.rejectsData,
): MailReader {
  const { script } = flow.options;
  const reader = new MailReader(script.protocol, leniency, rejectsData, script.implicitTls);
  reader.feed(flow.tap.text('initiator'));
  return reader;
}

/** What the receivers' stacks assemble is what was let through, and that is what was judged. */
function* oneStream(flow: Flow, genuine: boolean): Generator<string> {
  yield* flow.tap.problems;
  if (genuine) yield* flow.answers.problems;
  for (const side of SIDES) {
    const passed = flow.tap.text(side);
    const got = side === 'initiator' ? flow.server.text : flow.client.text;
    if (!passed.startsWith(got)) yield `the ${otherSide(side)} reads what was not let through: ${quote(got, passed)}`;
  }
  if (flow.judged === undefined) return;
  yield* asJudged(flow);
  if (genuine) yield* asSent(flow);
  const [strict, lenient] = [reading(flow, 'strict'), reading(flow, 'lenient')].map(({ units }) => units.map(nameOf));
  if (strict?.join('\n') !== lenient?.join('\n'))
    yield `servers disagree: ${JSON.stringify(strict)} ${JSON.stringify(lenient)}`;
}

const nameOf = (unit: Unit): string => {
  if (unit.kind === 'line') return unit.text;
  return unit.kind === 'data' || unit.kind === 'counted' ? `(${unit.kind} ${unit.text.length})` : `(${unit.kind})`;
};

function asJudged(flow: Flow): string[] {
  const { rejectsData, serverFault } = flow.options.script;
  const problems = [...misread(flow, reading(flow, 'strict'))];
  // The answer too many may stand where that to DATA is looked for; nothing ends behind it before it is found out.
  if (problems.length === 0 || serverFault !== 'twoAnswers') return problems;
  return misread(flow, reading(flow, 'strict', !rejectsData)).next().done ? [] : problems;
}

function* misread(flow: Flow, { units, rest }: MailReader): Generator<string> {
  const judged = (flow.judged?.units.initiator ?? []).filter(({ forwarded }) => forwarded);
  const read = units
    .filter(({ kind }) => kind !== 'tls' && kind !== 'noTls')
    .map(nameOf)
    .filter((name) => name !== '(counted 0)');
  for (let index = 0; index < Math.max(read.length, judged.length); index += 1) {
    const [seen, unit] = [read[index], judged[index]];
    if (seen !== undefined && unit !== undefined && isSame(seen, unit.what, unit.masked)) continue;
    // A line is judged at its CR; what came instead of its LF was refused.
    if (unit !== undefined && index === judged.length - 1 && isSame(rest, `${unit.what}\r`, unit.masked)) continue;
    yield `unit ${index} was judged as ${JSON.stringify(unit)} and is read as ${JSON.stringify(seen)}`;
    return;
  }
}

const isSame = (seen: string, judged: string, masked: boolean): boolean =>
  seen === judged ||
  (masked && seen.length === judged.length && [...seen].every((octet, at) => octet === judged[at] || FILLS.has(octet)));

/** Nothing but masks differs from what the peers sent, and nothing is added but a refusal's words. */
function* asSent(flow: Flow): Generator<string> {
  const isMasked = flow.judged?.masks === true;
  for (const side of SIDES) {
    const text = flow.tap.text(side);
    const sent = side === 'initiator' ? flow.client.written : flow.server.written;
    const differs = (octet: string, at: number) => octet !== sent[at] && !(isMasked && FILLS.has(octet));
    const at = [...text].findIndex(differs);
    if (at < 0) continue;
    const words = text.slice(text.lastIndexOf('\n', at - 1) + 1);
    const isOwn = [words, text.slice(at)].some((one) => REFUSAL.test(one) || one.startsWith(ALERT));
    const isRefusal = side === 'responder' && flow.judged?.refused !== undefined && isOwn;
    if (!isRefusal) yield `octet ${at} of the ${side} is not what it sent: ${quote(text, sent)}`;
  }
}

function quote(one: string, other: string): string {
  const at = [...one].findIndex((octet, index) => octet !== other[index]);
  const around = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 10), at + 40));
  return `${around(one)} for ${around(other)}`;
}

function* nothingForbidden(flow: Flow): Generator<string> {
  const { protocol, serverFault } = flow.options.script;
  // Behind PREAUTH nothing but STARTTLS and LOGOUT is looked for.
  const greeted = serverFault === 'greetsAuthenticated';
  for (const { units } of [flow.serverScript.reader, reading(flow, 'strict')]) {
    if (units.some(({ kind }) => kind === 'noTls')) yield 'the server reads no TLS behind its go-ahead for TLS';
    const policy = POLICIES[flow.judged?.policy ?? -1];
    const bad = greeted ? undefined : units.find((unit) => policy?.forbids(protocol, unit));
    if (bad !== undefined) yield `policy ${flow.judged?.policy} let pass: ${JSON.stringify(nameOf(bad))}`;
  }
  if (flow.judged?.refused?.side === 'initiator' && !flow.tap.wasReset('initiator')) {
    yield `refused (${flow.judged.refused.reason}) and the server was not reset`;
  }
}

function* sameVerdicts(rough: Flow, fair: Flow): Generator<string> {
  const [one, other] = [rough.judged, fair.judged];
  // Where text is read as commands, the client is ahead of the answers, and which came first is the network's choice.
  const { rejectsData, serverFault } = rough.options.script;
  if (one === undefined || other === undefined || rejectsData) return;
  // So it is where a server says more than it is asked: what the client has said by then is the network's choice.
  if (serverFault === 'twoAnswers' || serverFault === 'answerBeforeCommand') return;
  // The life of a connection is bounded, and weather may have eaten it.
  const cut = rough.client.state === 'reset' && one.refused === undefined;
  // Behind the answer to QUIT whatever comes is refused: how much was under way by then is the network's choice.
  const isEnded = [one, other].some(({ refused }) => refused?.reason === 'data-after-end');
  if (!cut && !isEnded && one.refused?.reason !== other.refused?.reason) {
    yield `refused for ${one.refused?.reason}, in fair weather for ${other.refused?.reason}`;
    return;
  }
  for (const side of SIDES) {
    const [seen, wanted] = [one.verdicts(side), other.verdicts(side)];
    const whole = !cut && !isEnded && (one.refused === undefined || one.refused.side === side);
    const most = whole ? Math.max(seen.length, wanted.length) : Math.min(seen.length, wanted.length);
    for (let index = 0; index < most; index += 1) {
      if (seen[index] === wanted[index]) continue;
      yield `${side} ${index}: ${JSON.stringify(seen[index])}, in fair weather ${JSON.stringify(wanted[index])}`;
      return;
    }
  }
}
