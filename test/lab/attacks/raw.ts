import { setTimeout as delay } from 'node:timers/promises';
import { ADDRESSES } from '../lab.ts';
import { until } from '../process.ts';
import type { World } from '../world.ts';
import type { CaseSegment } from './cases.ts';
import { decode, encode, type Heard, type Line, type Oddities, type Segment } from './packets.ts';
import { macAddress, openWire } from './wire.ts';

const SYN_ACK = 0x12;
/** Between two segments: the router sees them one after the other. */
const GAP_MS = 15;
/** Of all segments in one tick, unless a case says else; TCP-84 lets it wrap through 0 (RFC 7323 5.2). */
const TIMESTAMP_FIRST = 2 ** 32 - 15;
/** For what is held, sent again or given up. */
const SETTLE_MS = 1_500;

/** One connection of the raw client, segment by segment. */
export interface RawConnection {
  readonly address: string;
  /** Timestamps are filled in: in one tick each, echoing the newest that was heard. */
  send(segment: Omit<Segment, 'timestamps'>): void;
  /** What came for it so far. */
  heard(): readonly Heard[];
}

export interface RawClient {
  /** A connection from an address that no kernel answers for; nothing is sent yet. */
  open(number: number, port: number): Promise<RawConnection>;
  /** Plays the segments behind a handshake (or without one) from an address that no kernel answers for. */
  play(number: number, port: number, segments: readonly CaseSegment[], midstream: boolean): Promise<void>;
  stop(): void;
}

async function macsOf({ lab: { client, router } }: Pick<World, 'lab'>): Promise<Line['macs']> {
  return { source: await macAddress(client, 'eth0'), destination: await macAddress(router, 'outside0') };
}

/** The address of the client with this number. */
export const rawAddress = (number: number): string => `10.80.1.${20 + number}`;

export async function startRawClient(world: Pick<World, 'lab'>): Promise<RawClient> {
  const macs = await macsOf(world);
  // By whom it is for: floods hear much that is for others.
  const heard = new Map<string, Heard[]>();
  const wire = await openWire(world.lab.client, (frame) => {
    const segment = decode(frame);
    if (segment === undefined) return;
    const mine = heard.get(segment.destination);
    if (mine === undefined) heard.set(segment.destination, [segment]);
    else mine.push(segment);
  });
  const heardBy = ({ source }: Line): readonly Heard[] => heard.get(source) ?? [];

  const openLine = async (number: number, destinationPort: number): Promise<Line> => {
    const source = rawAddress(number);
    await world.lab.router.must(['ip', 'neigh', 'replace', source, 'lladdr', macs.source, 'dev', 'outside0']);
    return { source, destination: ADDRESSES.sink.v4, sourcePort: 40_000 + number, destinationPort, macs };
  };
  const send = (line: Line, segment: Segment) => {
    for (const frame of encode(line, segment)) wire.send(frame);
  };

  return {
    async open(number, port) {
      const line = await openLine(number, port);
      let sent = 0;
      const mine = () => heardBy(line);
      return {
        address: line.source,
        heard: mine,
        send(segment) {
          const value = TIMESTAMP_FIRST + sent++;
          send(line, { ...segment, timestamps: [value, mine().at(-1)?.timestamp ?? 0] });
        },
      };
    },
    async play(number, port, segments, midstream) {
      const line = await openLine(number, port);
      const mine = () => heardBy(line);
      const first = 1_000_000 * number;
      const now: { timestamps: [number, number]; acknowledgement: number } = {
        timestamps: [TIMESTAMP_FIRST, 0],
        acknowledgement: 0,
      };
      if (!midstream) {
        send(line, { ...now, sequence: first - 1, payload: '', fl: 'S' });
        const answer = await until('SYN-ACK', () => mine().find(({ flags }) => (flags & SYN_ACK) === SYN_ACK), 5_000);
        Object.assign(now, {
          timestamps: [TIMESTAMP_FIRST + 1, answer.timestamp],
          acknowledgement: answer.sequence + 1,
        });
        send(line, { ...now, sequence: first, payload: '', fl: 'A' });
        const greeting = await until('the greeting', () => mine().find(({ payload }) => payload.length > 0), 5_000);
        Object.assign(now, { acknowledgement: greeting.sequence + greeting.payload.length });
        send(line, { ...now, sequence: first, payload: '', fl: 'A' });
      }
      for (const { off, bytes, ...oddities } of segments) {
        await delay(GAP_MS);
        const odd = Object.fromEntries(
          Object.entries(oddities).map(([key, value]) => [key, String(value)]),
        ) as Oddities;
        send(line, { ...now, ...odd, sequence: first + off, payload: bytes });
      }
      await delay(SETTLE_MS);
    },
    stop() {
      wire.stop();
    },
  };
}
