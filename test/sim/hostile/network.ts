import type { Side } from '../../../src/inspect/inspector.ts';
import type { Random } from '../random.ts';
import type { Flow } from './flow.ts';
import { build, FLAG, type ReadSegment, type Segment } from './packets.ts';

/** What the network does, in percent of the segments. */
export interface Weather {
  readonly loss: number;
  readonly duplicate: number;
  readonly delayMsMax: number;
  /** Octets that came, again with other values. */
  readonly altered: number;
  /** Resets that are in the window and not exact (RFC 5961 3.2). */
  readonly blindReset: number;
  /** New octets, with a timestamp long gone (RFC 7323 5.3). */
  readonly oldStamp: number;
  readonly urgent: number;
  /** Other octets before those that the peer sends: what came first counts. */
  readonly ahead: number;
  /** A reset that is exact. */
  readonly reset: number;
}

export const FAIR: Weather = {
  ...{ loss: 0, duplicate: 0, delayMsMax: 0, altered: 0, blindReset: 0, oldStamp: 0, urgent: 0, ahead: 0, reset: 0 },
};

export function weatherOf(random: Random): Weather {
  return {
    loss: random.pick([0, 0, 5, 20]),
    duplicate: random.pick([0, 10, 30]),
    delayMsMax: random.pick([0, 20, 80]),
    altered: random.pick([0, 10, 40]),
    blindReset: random.pick([0, 0, 5]),
    oldStamp: random.pick([0, 10]),
    urgent: random.pick([0, 0, 10]),
    ahead: random.pick([0, 0, 0, 0, 10]),
    reset: random.pick([0, 0, 0, 0, 0, 1]),
  };
}

const LINK_MS = 10;
const ALTERED_OCTETS_MAX = 30;
const OTHER_OCTETS = ['X', '\r', '\n', '.', 'q', ' ', '{'] as const;

interface Underway<What> {
  readonly at: number;
  readonly flow: Flow;
  readonly what: What;
}

/** Both legs of the way: from a peer to the firewall, and from there to the other peer. */
export class Network {
  readonly #random: Random;
  readonly #weather: Weather;
  #toFirewall: Underway<Segment>[] = [];
  #toPeer: Underway<ReadSegment>[] = [];
  /** By flow and side: the octets that came to the firewall without a gap, and where they began. */
  readonly #arrived = new Map<string, { initial: number; text: string }>();

  constructor(random: Random, weather: Weather) {
    this.#random = random;
    this.#weather = weather;
  }

  sent(flow: Flow, segment: Segment, now: number): void {
    for (const at of this.#arrivals(flow, now)) this.#toFirewall.push({ at, flow, what: segment });
  }

  forwarded(flow: Flow, segment: ReadSegment, now: number): void {
    for (const at of this.#arrivals(flow, now)) this.#toPeer.push({ at, flow, what: segment });
  }

  next(): number {
    return Math.min(...[...this.#toFirewall, ...this.#toPeer].map(({ at }) => at));
  }

  /** Segments that are at a peer by now. */
  deliver(now: number): void {
    const due = this.#toPeer.filter(({ at }) => at <= now).sort((left, right) => left.at - right.at);
    this.#toPeer = this.#toPeer.filter(({ at }) => at > now);
    for (const { flow, what } of due) (what.from === 'initiator' ? flow.server : flow.client).receive(what, now);
  }

  /** Packets that are at the firewall by now, with those that somebody puts between them. */
  arrive(now: number, take: (packet: Buffer) => void): void {
    const due = this.#toFirewall.filter(({ at }) => at <= now).sort((left, right) => left.at - right.at);
    this.#toFirewall = this.#toFirewall.filter(({ at }) => at > now);
    for (const { flow, what } of due) {
      const put = (segment: Segment) => take(build(flow.options.ends, segment));
      // Octets that nobody reads are between the endpoints.
      const isRead = !flow.serverScript.reader.encrypted && flow.judged?.unread.has(what.from) !== true;
      const hostile = !flow.options.fair && what.payload !== '' && isRead;
      if (hostile && this.#chance('ahead')) put({ ...what, payload: this.#other(what.payload) });
      put(hostile && this.#chance('urgent') ? { ...what, flags: what.flags | FLAG.urg, urgent: 1 } : what);
      flow.tap.heard(what);
      this.#note(flow, what);
      if (hostile) this.#harass(flow, what, put);
    }
  }

  #arrivals(flow: Flow, now: number): number[] {
    if (flow.options.fair) return [now + LINK_MS];
    const { duplicate, delayMsMax } = this.#weather;
    const one = () => now + LINK_MS + (delayMsMax === 0 ? 0 : this.#random.below(delayMsMax));
    if (this.#chance('loss')) return [];
    return this.#random.chance(duplicate) ? [one(), one()] : [one()];
  }

  #chance(what: Exclude<keyof Weather, 'delayMsMax'>): boolean {
    return this.#weather[what] > 0 && this.#random.chance(this.#weather[what]);
  }

  #note(flow: Flow, { from, sequence, flags, payload }: Segment): void {
    const key = `${flow.options.ends.clientPort} ${from}`;
    const known = this.#arrived.get(key);
    if ((flags & FLAG.syn) !== 0 || known === undefined) {
      if (known === undefined) this.#arrived.set(key, { initial: sequence + 1, text: '' });
      return;
    }
    const offset = (sequence - known.initial) | 0;
    if (offset <= known.text.length) known.text += payload.slice(known.text.length - offset);
  }

  /** What an attacker that sees the connection sends in the name of this side. */
  #harass(flow: Flow, like: Segment, put: (segment: Segment) => void): void {
    const arrived = this.#arrived.get(`${flow.options.ends.clientPort} ${like.from}`);
    if (arrived === undefined) return;
    const end = arrived.initial + arrived.text.length;
    if (this.#chance('altered') && arrived.text.length > 0) {
      const length = 1 + this.#random.below(Math.min(arrived.text.length, ALTERED_OCTETS_MAX));
      put({ ...like, sequence: (end - length) >>> 0, payload: this.#other(arrived.text.slice(-length)) });
    }
    if (this.#chance('blindReset')) {
      put({ ...like, sequence: (end + 900 + this.#random.below(9_000)) >>> 0, flags: FLAG.rst, payload: '' });
    }
    // The timestamp of the handshake alone is not kept (docs/testing.md).
    if (like.timestamps !== undefined && arrived.text.length > 0 && this.#chance('oldStamp')) {
      const stamp = (like.timestamps[0] - 1_000_000) >>> 0;
      put({ ...like, sequence: end >>> 0, payload: 'RSET\r\nVRFY old\r\n', timestamps: [stamp, like.timestamps[1]] });
    }
    if (this.#chance('reset')) put({ ...like, sequence: end >>> 0, flags: FLAG.rst, payload: '' });
  }

  #other(payload: string): string {
    return Array.from(payload, (octet) => (this.#random.chance(70) ? this.#random.pick(OTHER_OCTETS) : octet)).join('');
  }
}

/** Whether both runs of a script carry the same octets, and nobody but the firewall ends one. */
export const isComparable = ({ ahead, reset }: Weather): boolean => ahead === 0 && reset === 0;

export const otherSide = (side: Side): Side => (side === 'initiator' ? 'responder' : 'initiator');
