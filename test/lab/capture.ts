import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Namespace } from './namespaces.ts';
import { type Segment, segmentsOf, streamsOf } from './pcap.ts';

/** Long enough for packets that are already in tcpdump's hands to reach the file. */
const SETTLE_MS = 150;

export interface Capture {
  readonly file: string;
  /** Ends the capture; the answers below may be asked for only then. */
  stop(): Promise<void>;
  segments(): Segment[];
  /** `from>to` to what was sent, addresses as `10.80.1.2.40000`. */
  streams(): Map<string, string>;
  /** All bytes to or from this port, both directions and all connections put together. */
  textOfPort(port: number): string;
}

/** Records the TCP packets of a device, from before this call answers. */
export async function startCapture(space: Namespace, device: string, file: string): Promise<Capture> {
  const words = ['-i', device, '-s', '0', '-U', '--immediate-mode', '-B', '32768', '-w', file, 'tcp'];
  const tcpdump = space.start(['tcpdump', '-Z', 'root', ...words]);
  await tcpdump.waitFor(/listening on/);
  const segments = () => segmentsOf(readFileSync(file));
  const streams = () => streamsOf(segments());
  return {
    file,
    segments,
    streams,
    textOfPort: (port) =>
      [...streams()]
        .filter(([ends]) => ends.endsWith(`.${port}`) || ends.includes(`.${port}>`))
        .map(([, text]) => text)
        .join('\n'),
    async stop() {
      await delay(SETTLE_MS);
      await tcpdump.stop('SIGINT');
    },
  };
}
