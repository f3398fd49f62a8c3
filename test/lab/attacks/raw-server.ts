import type { World } from '../world.ts';
import { decode, encode, type Heard, type Segment } from './packets.ts';
import { macAddress, openWire } from './wire.ts';

/** A server that says what no kernel would, behind an address that no kernel answers for. */
export interface RawServer {
  readonly address: string;
  /** What came for it so far. */
  heard(): readonly Heard[];
  /** Sends to where `to` came from, echoing its timestamp. */
  send(to: Heard, segment: Omit<Segment, 'timestamps'>): void;
  stop(): void;
}

const ADDRESS = '10.80.2.77';

export async function startRawServer({ lab: { server, router } }: Pick<World, 'lab'>): Promise<RawServer> {
  const macs = { source: await macAddress(server, 'eth0'), destination: await macAddress(router, 'inside0') };
  await router.must(['ip', 'neigh', 'replace', ADDRESS, 'lladdr', macs.source, 'dev', 'inside0']);
  const heard: Heard[] = [];
  const wire = await openWire(server, (frame) => {
    const segment = decode(frame);
    if (segment?.destination === ADDRESS) heard.push(segment);
  });
  let sent = 1;
  return {
    address: ADDRESS,
    heard: () => heard,
    send(to, segment) {
      const line = {
        source: ADDRESS,
        destination: to.source,
        sourcePort: to.destinationPort,
        destinationPort: to.sourcePort,
        macs,
      };
      const echo = heard.filter(({ sourcePort }) => sourcePort === to.sourcePort).at(-1)?.timestamp ?? 0;
      for (const frame of encode(line, { ...segment, timestamps: [1_000 + sent++, echo] })) wire.send(frame);
    },
    stop: () => wire.stop(),
  };
}
