import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Capture, startCapture } from '../capture.ts';
import { ADDRESSES } from '../lab.ts';
import { posternLogTexts } from '../postern.ts';
import { inRepository } from '../repository.ts';
import { posternOf } from '../world.ts';
import type { Case, CaseSegment } from './cases.ts';
import { decode, type Heard } from './packets.ts';
import { rawAddress, startRawClient } from './raw.ts';
import { type Judged, judgementsOf, linesOf, type Stage } from './stage.ts';

const GREETINGS = { 25: '220 mx.example ESMTP\r\n', 143: '* OK ready\r\n' } as const;
/** A host has fifty half-open connections at most, by default (cisco-ios 3.4). */
const CASES_AT_ONCE = 30;
const RST = 4;
type Port = keyof typeof GREETINGS;

/** What became of a case's segments. */
export interface Sunk {
  readonly of: Case;
  /** What the server's socket received. */
  readonly heard: string;
  /** How its connection stood: `open`, `fin`, `reset`; nothing when none was made. */
  readonly end: string | undefined;
  /** Octets that went to the server in two versions, as `offset: first, other`. */
  readonly ambiguous: readonly string[];
  readonly judged: readonly Judged[];
  readonly told: readonly string[];
}

interface ActorTold {
  readonly client?: string;
  readonly heard: string;
  readonly end: string;
}

async function startSink({ world }: Stage, port: Port, clients: readonly string[]) {
  const parts = Object.fromEntries(clients.map((client) => [client, [{ send: [GREETINGS[port]] }]]));
  const input = JSON.stringify({ host: ADDRESSES.sink.v4, port, parts });
  const actor = world.lab.server.start([process.execPath, inRepository('test', 'lab', 'attacks', 'actor.mjs')], {
    input,
  });
  await actor.waitFor(/listening/);
  return {
    async told() {
      await actor.stop();
      return linesOf<ActorTold>(actor.output()).filter(({ client }) => client !== undefined);
    },
  };
}

function* framesOf(pcap: Buffer): Generator<Heard> {
  const [fileHeader, recordHeader, lengthAt] = [24, 16, 8];
  for (let at = fileHeader; at + recordHeader <= pcap.length; ) {
    const length = pcap.readUInt32LE(at + lengthAt);
    const segment = decode(pcap.subarray(at + recordHeader, at + recordHeader + length));
    if (segment !== undefined) yield segment;
    at += recordHeader + length;
  }
}

/** Octets that the server was sent in two versions while it could still take either: it had not acknowledged them. */
function ambiguitiesOf(inside: Capture, address: string): string[] {
  const first = new Map<number, number>();
  const found: string[] = [];
  let acknowledged = 0;
  for (const { source, destination, sequence, acknowledgement, flags, payload } of framesOf(
    readFileSync(inside.file),
  )) {
    if (destination === address) acknowledged = Math.max(acknowledged, acknowledgement);
    if (source !== address || (flags & RST) !== 0) continue;
    payload.forEach((octet, index) => {
      const before = first.get(sequence + index);
      if (before === undefined) first.set(sequence + index, octet);
      else if (before !== octet && sequence + index >= acknowledged)
        found.push(`${sequence + index}: ${before}, ${octet}`);
    });
  }
  return found;
}

/** Plays the segments of the cases side by side, against servers that only listen. */
export async function sinkCases(stage: Stage, cases: readonly Case[]): Promise<Sunk[]> {
  const { world } = stage;
  const portOf = (of: Case): Port => (of.inside === 'imap' ? 143 : 25);
  const sinks = await Promise.all(
    ([25, 143] as const).map((port) =>
      startSink(
        stage,
        port,
        cases.map((_, index) => rawAddress(index)),
      ),
    ),
  );
  const inside = await startCapture(world.lab.router, 'inside0', join(world.folder('wire'), 'segments.pcap'));
  const client = await startRawClient(world);
  const play = (of: Case, index: number, segments: readonly CaseSegment[]) =>
    client.play(index, portOf(of), segments, of.midstream === true);
  for (let at = 0; at < cases.length; at += CASES_AT_ONCE) {
    const some = cases.slice(at, at + CASES_AT_ONCE);
    await Promise.all(some.map((of, index) => play(of, at + index, of.segments ?? [])));
  }
  await inside.stop();
  client.stop();
  const told = (await Promise.all(sinks.map((sink) => sink.told()))).flat();
  const log = posternLogTexts(posternOf(world));
  return cases.map((of, index) => {
    const address = rawAddress(index);
    const mine = told.find(({ client: from }) => from === address);
    return {
      of,
      heard: mine?.heard ?? '',
      end: mine?.end,
      ambiguous: ambiguitiesOf(inside, address),
      judged: judgementsOf(stage.debug(), address),
      told: log.filter((line) => line.includes(`${address}:`)),
    };
  });
}

/** What the segments say when the first copy of an octet counts; nothing behind the first hole. */
export function firstSeen(segments: readonly CaseSegment[]): string {
  const octets = new Map<number, string>();
  for (const { off, bytes } of segments) {
    [...bytes].forEach((octet, index) => {
      if (!octets.has(off + index)) octets.set(off + index, octet);
    });
  }
  let text = '';
  for (let at = 0; octets.has(at); at++) text += octets.get(at);
  return text;
}

/** Everything that should not be. */
export function problemsOfSunk({ of, heard, end, ambiguous, judged, told }: Sunk): string[] {
  const found = ambiguous.map((octet) => `the server was sent two versions of octet ${octet}`);
  const passed = judged.filter(
    ({ side, what, verdict }) => side === 'initiator' && what === 'line' && verdict !== 'refuse',
  );
  const lines = heard.split('\n').length - 1;
  if (lines !== passed.length) found.push(`Postern let ${passed.length} lines pass, the server heard ${lines}`);
  const reconnaissance = told.some((line) => line.includes('Sig:3103'));
  if (/VRFY/.test(heard) !== reconnaissance) found.push(`VRFY was ${reconnaissance ? 'only judged' : 'only heard'}`);
  const refused = judged.some(({ verdict }) => verdict === 'refuse');
  if (of.expect === 'P' && heard !== firstSeen(of.segments ?? []))
    found.push(`the server heard ${JSON.stringify(heard)}`);
  if (of.expect === 'N' && heard === '' && !refused && end === 'open') found.push('stalled');
  if (of.expect === 'B' && heard !== '') found.push(`the server heard ${JSON.stringify(heard)}`);
  return found;
}
