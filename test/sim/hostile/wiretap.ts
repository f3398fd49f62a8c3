import type { Side } from '../../../src/inspect/inspector.ts';
import { FLAG, type ReadSegment, type Segment } from './packets.ts';

interface Direction {
  initial: number | undefined;
  readonly octets: string[];
  acknowledged: number;
  finAt: number | undefined;
  reset: boolean;
  /** Up to here nothing is missing. */
  text: string;
}

const fresh = (): Direction => ({
  initial: undefined,
  octets: [],
  acknowledged: 0,
  finAt: undefined,
  reset: false,
  text: '',
});

/**
 * What left the firewall for one connection, as the strictest receiver would take it: an octet that can still be taken
 * is the same whenever it comes, nothing follows a FIN or an RST, nobody acknowledges what was never sent, and nothing
 * is urgent. Problems are kept, not thrown: the run goes on and tells them all.
 */
export class Wiretap {
  readonly problems: string[] = [];
  readonly #directions: Readonly<Record<Side, Direction>> = { initiator: fresh(), responder: fresh() };
  /** Whether octets may still be compared: opaque ones are the endpoints' own. */
  readonly #isRead: (side: Side) => boolean;

  constructor(isRead: (side: Side) => boolean) {
    this.#isRead = isRead;
  }

  /** By sender: what was let through, up to the first gap. */
  text(side: Side): string {
    const direction = this.#directions[side];
    const { octets } = direction;
    let end = direction.text.length;
    while (octets[end] !== undefined) end += 1;
    if (end > direction.text.length) direction.text += octets.slice(direction.text.length, end).join('');
    return direction.text;
  }

  wasReset(side: Side): boolean {
    return this.#directions[side].reset;
  }

  /** A peer's own segment has reached the firewall: what it acknowledges, it takes no more. */
  heard({ from, flags, acknowledgement }: Segment): void {
    const { initial, acknowledged } = this.#directions[from === 'initiator' ? 'responder' : 'initiator'];
    if (initial === undefined || (flags & FLAG.ack) === 0) return;
    const offset = (acknowledgement - initial) | 0;
    if (offset > acknowledged) this.#directions[from === 'initiator' ? 'responder' : 'initiator'].acknowledged = offset;
  }

  take(segment: ReadSegment): void {
    const { from, flags, payload } = segment;
    const sender = this.#directions[from];
    if ((flags & FLAG.rst) !== 0) {
      sender.reset = true;
      return;
    }
    if ((flags & FLAG.syn) !== 0) this.#syn(segment);
    if (sender.initial === undefined) {
      this.#tell(`${from}: a segment before the SYN`);
      return;
    }
    if (sender.reset && payload !== '') this.#tell(`${from}: octets behind an RST`);
    if ((flags & FLAG.urg) !== 0 || segment.urgent !== 0) this.#tell(`${from}: urgent data`);
    if ((flags & FLAG.syn) === 0) this.#octets(sender, segment);
    if ((flags & FLAG.ack) !== 0) this.#acknowledgement(from, segment.acknowledgement);
  }

  #syn({ from, flags, sequence, payload }: ReadSegment): void {
    this.#directions[from].initial ??= sequence + 1;
    if (payload !== '') this.#tell(`${from}: octets in a SYN`);
    if (from === 'responder' && (flags & FLAG.ack) === 0) this.#tell('a SYN of the responder');
  }

  #octets(sender: Direction, { from, flags, sequence, payload }: ReadSegment): void {
    const offset = (sequence - (sender.initial ?? 0)) | 0;
    for (let index = 0; index < payload.length; index += 1) {
      const place = offset + index;
      if (place < sender.acknowledged || place < 0) continue;
      if (sender.finAt !== undefined && place >= sender.finAt) this.#tell(`${from}: octet ${place} behind the FIN`);
      const known = sender.octets[place];
      const octet = payload[index] ?? '';
      if (known === undefined) sender.octets[place] = octet;
      else if (known !== octet && this.#isRead(from)) this.#tell(`${from}: octet ${place} came as two`);
    }
    if ((flags & FLAG.fin) === 0) return;
    if (sender.finAt !== undefined && sender.finAt !== offset + payload.length)
      this.#tell(`${from}: the FIN has moved`);
    sender.finAt ??= offset + payload.length;
  }

  #acknowledgement(from: Side, acknowledgement: number): void {
    const receiver = this.#directions[from === 'initiator' ? 'responder' : 'initiator'];
    if (receiver.initial === undefined || receiver.reset) return;
    const offset = (acknowledgement - receiver.initial) | 0;
    const end = this.text(from === 'initiator' ? 'responder' : 'initiator').length;
    const fin = receiver.finAt === end ? 1 : 0;
    if (offset > end + fin) this.#tell(`${from} acknowledges ${offset} octets of ${end}`);
  }

  #tell(problem: string): void {
    if (this.problems.length < 5) this.problems.push(problem);
  }
}
