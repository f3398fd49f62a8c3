import type { Case, Expectation } from './cases.ts';
import type { Flow } from './stage.ts';

/** What became of what a client sent, as the wire shows it. */
export type Fate = 'unchanged' | 'masked' | 'refused' | 'held';

/** What the server did with it, by its own account. */
export interface Deeds {
  /** The commands that it read, where it says so. */
  readonly commands?: readonly string[];
  /** Messages that it took for complete. */
  readonly messages?: number;
  /** Answers that it gave behind its greeting: one for each command, and one for each message that DATA brought. */
  readonly replies?: number;
  /** It let a client in. */
  readonly loggedIn?: boolean;
  /** It ended the connection by itself, so that later commands went unread. */
  readonly closed?: boolean;
}

export interface Finding {
  readonly fate: Fate;
  /** Everything that should not be; empty when the case went as expected. */
  readonly problems: readonly string[];
}

const MASKS = new Set(['x', 'X']);

/** Octet by octet the same, or overwritten. */
function isFaithful(sent: string, got: string): boolean {
  if (got.length > sent.length) return false;
  for (let at = 0; at < got.length; at++) {
    if (got[at] !== sent[at] && !MASKS.has(got[at] ?? '')) return false;
  }
  return true;
}

export function fateOf({ sent, got, judged, told }: Flow): Fate {
  // The debug stream loses lines under a flood, the log of refusals does not.
  const refused =
    judged.some(({ verdict }) => verdict === 'refuse') || told.some((line) => line.startsWith('Refused '));
  if (refused) return 'refused';
  if (got === sent) return 'unchanged';
  return got.length === sent.length ? 'masked' : 'held';
}

/** Lines that Postern let go on to the server, and messages whose end it did. */
function passed(flow: Flow): { lines: number; messages: number } {
  const ofClient = flow.judged.filter(
    ({ side, verdict }) => side === 'initiator' && /^(?:forward|mask)$/.test(verdict),
  );
  const count = (what: string) => ofClient.filter((judged) => judged.what === what).length;
  return {
    lines: count('line') + heldThenPassed(flow, 'line'),
    messages: count('dataEnd') + heldThenPassed(flow, 'dataEnd'),
  };
}

/** Ends of messages, or lines that announce an empty last chunk, that waited for the last word on content, and went on. */
function heldThenPassed({ judged }: Flow, end: 'line' | 'dataEnd'): number {
  const ofClient = judged.filter(({ side, what }) => side === 'initiator' && /^(?:line|dataEnd|content)$/.test(what));
  return ofClient.filter(
    ({ what, verdict }, index) =>
      what === 'content' &&
      verdict === 'forward' &&
      ofClient[index - 1]?.what === end &&
      ofClient[index - 1]?.verdict === 'hold',
  ).length;
}

/** Where Postern and the server understood the same octets in different ways. */
function disagreements(flow: Flow, deeds: Deeds): string[] {
  const found: string[] = [];
  const { lines, messages } = passed(flow);
  const { commands, loggedIn } = deeds;
  if (commands !== undefined && deeds.closed !== true && commands.length !== lines) {
    found.push(`Postern let ${lines} lines pass, the server read ${commands.length}: ${JSON.stringify(commands)}`);
  }
  if (deeds.replies !== undefined && deeds.replies !== lines + messages) {
    found.push(`the server answered ${deeds.replies} times, Postern let ${lines} lines and ${messages} messages pass`);
  }
  if (deeds.messages !== undefined && deeds.messages !== messages) {
    found.push(`Postern saw ${messages} messages end, the server ${deeds.messages}`);
  }
  const admits = flow.stage === 'authenticated' || flow.stage === 'transaction';
  const ended = flow.stage === 'ended' || flow.stage === 'closed';
  if (loggedIn !== undefined && flow.stage !== undefined && !ended && loggedIn !== admits) {
    found.push(`the server ${loggedIn ? 'has' : 'has not'} let the client in, Postern says ${flow.stage}`);
  }
  return found;
}

function isTold(flow: Flow): boolean {
  if (flow.told.some((line) => /^(?:Refused|Invalid) /.test(line))) return true;
  return flow.judged.some(({ verdict }) => verdict === 'mask' || verdict === 'refuse');
}

function reachedClient({ neverClient }: Case, { received }: Flow): string[] {
  const reached = neverClient !== undefined && new RegExp(neverClient).test(received);
  return reached ? [`the client received ${JSON.stringify(neverClient)}`] : [];
}

function blocked(of: Case, flow: Flow, deeds: Deeds): string[] {
  const found: string[] = [];
  const read = deeds.commands ?? flow.got.split('\n');
  const pattern = of.never === undefined ? undefined : new RegExp(of.never);
  const seen = pattern && read.find((line) => pattern.test(line));
  if (seen !== undefined) found.push(`the server read ${JSON.stringify(seen)}`);
  if (of.never === undefined && of.neverClient === undefined && flow.got === flow.sent) found.push('passed unchanged');
  found.push(...reachedClient(of, flow));
  // A server that has hung up reads nothing more, whoever stands in between.
  if (!isTold(flow) && flow.end === 'open') found.push('Postern told nothing');
  return found;
}

function unchanged(flow: Flow): string[] {
  const found: string[] = [];
  if (isTold(flow)) {
    const why = flow.judged.filter(({ verdict }) => verdict === 'mask' || verdict === 'refuse');
    const ofClient = why.filter(({ side, verdict }) => side === 'initiator' || verdict === 'refuse');
    for (const { side, what, verdict, reason } of ofClient) found.push(`${verdict} of ${side} ${what} ${reason ?? ''}`);
  }
  if (flow.got !== flow.sent) found.push(`the server got ${flow.got.length} of ${flow.sent.length} octets`);
  if (flow.stoppedAt !== undefined) found.push(`the answer to step ${flow.stoppedAt} was another`);
  return found;
}

/** Holds one case against what happened. */
export function judgeFlow(of: Case, expected: Expectation, flow: Flow, deeds: Deeds): Finding {
  const problems = isFaithful(flow.sent, flow.got) ? [] : ['the server got octets that nobody sent'];
  // A session that Postern ended may leave its last line unread at the server.
  if (fateOf(flow) !== 'refused') problems.push(...disagreements(flow, deeds));
  if (expected === 'B') problems.push(...blocked(of, flow, deeds));
  if (expected === 'N') problems.push(...reachedClient(of, flow));
  if (expected === 'P' || expected === 'PL') problems.push(...unchanged(flow));
  return { fate: fateOf(flow), problems };
}
