import { ADDRESSES } from '../lab.ts';
import { until } from '../process.ts';
import type { World } from '../world.ts';
import type { Heard, Line, Segment } from './packets.ts';
import { addressOf6, decode6, type Extensions, encode6, encodeFragments6, type Fragment } from './packets6.ts';
import { macAddress, openWire } from './wire.ts';

const SYN_ACK = 0x12;
const GIVE_UP_MS = 5_000;

/** A connection over IPv6 of a client that no kernel answers for. */
export interface RawConnection6 {
  /** Sequence number, acknowledgement and timestamps are filled in. */
  send(segment: Partial<Segment>, extensions?: Extensions): void;
  sendFragments(segment: Partial<Segment>, fragments: readonly Fragment[]): void;
  /** Sends octets behind those sent this way before. */
  sendNext(payload: string, extensions?: Extensions): void;
  /** Sends what the server would say next, in its name. */
  forge(payload: string): void;
  /** What came for it so far. */
  heard(): readonly Heard[];
}

export interface RawClient6 {
  /** A connection to port 25 of the sink from an address of its own, greeted; its SYN carries the extension headers. */
  open(extensions?: Extensions): Promise<RawConnection6>;
  stop(): void;
}

export async function startRawClient6({ lab: { client, router } }: Pick<World, 'lab'>): Promise<RawClient6> {
  const macs = { source: await macAddress(client, 'eth0'), destination: await macAddress(router, 'outside0') };
  const heard: Heard[] = [];
  const wire = await openWire(client, (frame) => {
    const segment = decode6(frame);
    if (segment !== undefined) heard.push(segment);
  });
  let connections = 0;

  async function open(extensions: Extensions = {}): Promise<RawConnection6> {
    const source = `fd80:1::${(0x100 + ++connections).toString(16)}`;
    await router.must(['ip', '-6', 'neigh', 'replace', source, 'lladdr', macs.source, 'dev', 'outside0']);
    const sourcePort = 40_000 + connections;
    const line: Line = { source, destination: ADDRESSES.sink.v6, sourcePort, destinationPort: 25, macs };
    const hex = addressOf6(source).toString('hex');
    const mine = () => heard.filter(({ destination }) => destination === hex);
    const first = 1_000_000 * connections;
    let [clock, acknowledgement, next] = [1_000, 0, first];
    const whole = (segment: Partial<Segment>): Segment => ({
      sequence: first,
      acknowledgement,
      payload: '',
      timestamps: [clock++, mine().at(-1)?.timestamp ?? 0],
      ...segment,
    });
    const send = (segment: Partial<Segment>, more?: Extensions) => wire.send(encode6(line, whole(segment), more));
    send({ sequence: first - 1, fl: 'S' }, extensions);
    const answer = await until('SYN-ACK', () => mine().find(({ flags }) => (flags & SYN_ACK) === SYN_ACK), GIVE_UP_MS);
    acknowledgement = answer.sequence + 1;
    send({ fl: 'A' });
    const greeting = await until('the greeting', () => mine().find(({ payload }) => payload.length > 0), GIVE_UP_MS);
    acknowledgement = greeting.sequence + greeting.payload.length;
    send({ fl: 'A' });
    return {
      send,
      sendFragments: (segment, fragments) => {
        for (const frame of encodeFragments6(line, whole(segment), fragments)) wire.send(frame);
      },
      sendNext: (payload, more) => {
        send({ sequence: next, payload }, more);
        next += payload.length;
      },
      forge: (payload) => {
        const timestamps = [mine().at(-1)?.timestamp ?? 0, clock - 1] as const;
        const asServer: Line = { ...line, source: line.destination, destination: source, sourcePort: 25 };
        const segment = { sequence: acknowledgement, acknowledgement: next, payload, timestamps };
        wire.send(encode6({ ...asServer, destinationPort: sourcePort }, segment));
      },
      heard: mine,
    };
  }
  return { open, stop: () => wire.stop() };
}
