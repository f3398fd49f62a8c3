import type { Side } from '../../../src/inspect/inspector.ts';
import type { Random } from '../random.ts';
import type { Flow } from './flow.ts';
import { build, FLAG, type ReadSegment, type Segment } from './packets.ts';
import type { Chance, Weather } from './weather.ts';

const LINK_MS = 10;
const ALTERED_OCTETS_MAX = 30;
/** As many routers are between the firewall and either peer. */
const HOPS_BEHIND = 2;
const SHORT_LIFE = 1;
const WINDOWS_AWAY_BYTES = 5_000_000;
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
  readonly #arrived = new Map<string, { initial: number; text: string; stamp: number }>();

  readonly #happened: (what: string) => void;

  constructor(random: Random, weather: Weather, happened: (what: string) => void) {
    this.#random = random;
    this.#weather = weather;
    this.#happened = happened;
  }

  sent(flow: Flow, segment: Segment, now: number): void {
    for (const at of this.#arrivals(flow, now)) this.#toFirewall.push({ at, flow, what: segment });
  }

  forwarded(flow: Flow, segment: ReadSegment, now: number): void {
    if (segment.hops < HOPS_BEHIND) {
      this.#happened('forwarded, and gone before the peer');
      return;
    }
    for (const at of this.#arrivals(flow, now)) this.#toPeer.push({ at, flow, what: segment });
  }

  next(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { at } of this.#toFirewall) first = Math.min(first, at);
    for (const { at } of this.#toPeer) first = Math.min(first, at);
    return first;
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
      if (hostile) this.#putAhead(what, put);
      put(flow.options.fair ? what : this.#dressed(flow, what, hostile));
      flow.tap.heard(what);
      this.#note(flow, what);
      if (hostile) this.#harass(flow, what, put);
      if (!flow.options.fair && isRead) this.#goOnBehindFin(what, put);
    }
  }

  #putAhead(what: Segment, put: (segment: Segment) => void): void {
    if (this.#chance('ahead')) put({ ...what, payload: this.#other(what.payload) });
    if (this.#chance('aheadShortLived')) put({ ...what, payload: this.#other(what.payload), hops: SHORT_LIFE });
  }

  /** The peer's own segment, with what changes nothing about its octets. */
  #dressed(flow: Flow, what: Segment, hostile: boolean): Segment {
    const urgent = hostile && this.#chance('urgent') ? { flags: what.flags | FLAG.urg, urgent: 1 } : {};
    const padded = flow.options.ends.version === 6 && this.#chance('padded') ? { padded: true } : {};
    return { ...what, ...urgent, ...padded };
  }

  #goOnBehindFin(what: Segment, put: (segment: Segment) => void): void {
    if ((what.flags & FLAG.fin) === 0 || !this.#chance('behindFin')) return;
    const sequence = (what.sequence + what.payload.length + 1) >>> 0;
    put({ ...what, sequence, flags: FLAG.ack | FLAG.psh, payload: 'RSET\r\nVRFY late\r\n' });
  }

  #arrivals(flow: Flow, now: number): number[] {
    if (flow.options.fair) return [now + LINK_MS];
    const { delayMsMax } = this.#weather;
    const one = () => now + LINK_MS + (delayMsMax === 0 ? 0 : this.#random.below(delayMsMax));
    if (this.#chance('loss')) return [];
    return this.#chance('duplicate') ? [one(), one()] : [one()];
  }

  #chance(what: Chance): boolean {
    const hits = this.#weather[what] > 0 && this.#random.chance(this.#weather[what]);
    if (hits) this.#happened(`weather ${what}`);
    return hits;
  }

  #note(flow: Flow, { from, sequence, flags, payload, timestamps }: Segment): void {
    const key = `${flow.options.ends.clientPort} ${from}`;
    const known = this.#arrived.get(key);
    if ((flags & FLAG.syn) !== 0 || known === undefined) {
      if (known === undefined) this.#arrived.set(key, { initial: sequence + 1, text: '', stamp: timestamps?.[0] ?? 0 });
      return;
    }
    // Overtaken by a newer one it may not have been taken at all (RFC 7323 5.3).
    if (timestamps !== undefined && ((timestamps[0] - known.stamp) | 0) < 0) return;
    known.stamp = timestamps?.[0] ?? 0;
    const offset = (sequence - known.initial) | 0;
    if (offset <= known.text.length) known.text += payload.slice(known.text.length - offset);
  }

  /** What an attacker that sees the connection sends in the name of this side. */
  #harass(flow: Flow, like: Segment, put: (segment: Segment) => void): void {
    const arrived = this.#arrived.get(`${flow.options.ends.clientPort} ${like.from}`);
    // What a closed window has let in is not known here: "again" might come first.
    const hasWindow = flow.client.options.bufferBytes > 0 || flow.server.options.bufferBytes > 0;
    if (arrived === undefined || hasWindow) return;
    const end = arrived.initial + arrived.text.length;
    const before = (length: number, payload: string) => put({ ...like, sequence: (end - length) >>> 0, payload });
    const length = Math.min(arrived.text.length, 1 + this.#random.below(ALTERED_OCTETS_MAX));
    const text = arrived.text.slice(arrived.text.length - length);
    if (length > 0 && this.#chance('altered')) before(length, this.#other(text));
    if (length > 0 && this.#chance('keepalive')) before(1, '\0');
    if (length > 0 && this.#chance('shortLived'))
      put({ ...like, sequence: (end - length) >>> 0, payload: this.#other(text), hops: SHORT_LIFE });
    if (this.#chance('farReset')) {
      const away = this.#random.pick([WINDOWS_AWAY_BYTES, -WINDOWS_AWAY_BYTES, -1 - length] as const);
      put({ ...like, sequence: (end + away) >>> 0, flags: FLAG.rst, payload: '' });
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

export const otherSide = (side: Side): Side => (side === 'initiator' ? 'responder' : 'initiator');
