import type { Side } from '../../src/inspect/inspector.ts';
import type { Burst } from './plain-run.ts';
import type { Random } from './random.ts';
import { ACK, buildPacket, type Ends, FIN, PSH, SYN } from './tcp-packet.ts';

const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const LINK_TYPE_RAW = 101;
const SNAPSHOT_BYTES = 262_144;
const SEGMENT_BYTES_MAX = 1_400;
const REORDER_WINDOW = 6;
/** How many may overtake a segment: less than the out-of-order queue holds, which would drop the rest. */
const OVERTAKEN_MAX = 8;

/** What a network does to the segments of a dialogue. */
export interface Weather {
  /** Octets a segment; 0: any number. */
  readonly chunkBytes: number;
  readonly reorderPercent: number;
  readonly duplicatePercent: number;
  /** Segments that repeat octets that have come, with other values. */
  readonly alteredPercent: number;
  readonly acknowledgePercent: number;
}

interface Piece {
  readonly offset: number;
  readonly octets: string;
}

/** A TCP connection that carries the bursts, as pcap. What a peer acknowledges is what it has got by then. */
export function buildCapture(bursts: readonly Burst[], ends: Ends, weather: Weather, random: Random): Buffer {
  const connection = new Connection(ends, random);
  connection.handshake();
  for (const burst of bursts) {
    connection.acknowledged = burst.receivedBefore;
    for (const piece of disturbed(piecesOf(burst, weather, random), burst, weather, random)) {
      connection.send(burst.from, piece.offset, piece.octets, ACK | PSH);
    }
    connection.acknowledged = burst.receivedAfter;
    if (random.chance(weather.acknowledgePercent)) {
      const peer = otherSide(burst.from);
      connection.send(peer, connection.sent[peer], '', ACK);
    }
  }
  connection.close();
  return connection.pcap();
}

class Connection {
  acknowledged: Readonly<Record<Side, number>> = { initiator: 0, responder: 0 };
  readonly sent: Record<Side, number> = { initiator: 0, responder: 0 };
  readonly #initial: Readonly<Record<Side, number>>;
  readonly #ends: Ends;
  readonly #packets: Buffer[] = [];

  constructor(ends: Ends, random: Random) {
    this.#ends = ends;
    // Some wrap around within the dialogue.
    this.#initial = {
      initiator: random.pick([1_000, 0xffffffff - random.below(200), 0x7fffffff - random.below(200)]),
      responder: random.pick([5_000, 0xffffffff - random.below(200), 0x7fffffff - random.below(200)]),
    };
  }

  handshake(): void {
    this.send('initiator', -1, '', SYN);
    this.send('responder', -1, '', SYN | ACK);
    this.send('initiator', 0, '', ACK);
  }

  send(from: Side, offset: number, octets: string, flags: number): void {
    const peer = otherSide(from);
    const payload = Buffer.from(octets, 'latin1');
    this.#packets.push(
      buildPacket(this.#ends, {
        from,
        sequence: this.#initial[from] + 1 + offset,
        acknowledgement: (flags & ACK) === 0 ? 0 : this.#initial[peer] + 1 + this.acknowledged[peer],
        flags,
        payload,
      }),
    );
    this.sent[from] = Math.max(this.sent[from], offset + payload.length);
  }

  /** Each peer closes; a FIN is acknowledged where everything before it arrived. */
  close(): void {
    const { initiator, responder } = this.sent;
    const arrived = this.acknowledged;
    this.send('initiator', initiator, '', ACK | FIN);
    if (arrived.initiator < initiator || arrived.responder < responder) return;
    this.acknowledged = { initiator: initiator + 1, responder };
    this.send('responder', responder, '', ACK | FIN);
    this.acknowledged = { initiator: initiator + 1, responder: responder + 1 };
    this.send('initiator', initiator + 1, '', ACK);
  }

  pcap(): Buffer {
    const header = Buffer.alloc(24);
    header.writeUInt32LE(MAGIC_MICROSECONDS, 0);
    header.writeUInt16LE(2, 4);
    header.writeUInt16LE(4, 6);
    header.writeUInt32LE(SNAPSHOT_BYTES, 16);
    header.writeUInt32LE(LINK_TYPE_RAW, 20);
    const records = this.#packets.flatMap((packet, index) => {
      const record = Buffer.alloc(16);
      record.writeUInt32LE(1_000_000 + Math.floor(index / 1_000), 0);
      record.writeUInt32LE((index % 1_000) * 1_000, 4);
      record.writeUInt32LE(packet.length, 8);
      record.writeUInt32LE(packet.length, 12);
      return [record, packet];
    });
    return Buffer.concat([header, ...records]);
  }
}

function piecesOf({ octets, begin }: Burst, { chunkBytes }: Weather, random: Random): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < octets.length; ) {
    const length = Math.min(SEGMENT_BYTES_MAX, chunkBytes > 0 ? chunkBytes : 1 + random.below(60));
    pieces.push({ offset: begin + at, octets: octets.slice(at, at + length) });
    at += length;
  }
  return pieces;
}

/** The pieces in another order, some twice, and between them some that claim other values for what has come. */
function disturbed(pieces: readonly Piece[], burst: Burst, weather: Weather, random: Random): Piece[] {
  const waiting = [...pieces];
  const wire: Piece[] = [];
  let arrived = burst.begin;
  let overtaken = false;
  let passed = 0;
  const came = new Map<number, number>();
  while (waiting.length > 0) {
    const late = passed < OVERTAKEN_MAX && random.chance(weather.reorderPercent);
    const overtakes = late ? random.below(Math.min(waiting.length, REORDER_WINDOW)) : 0;
    passed = overtakes > 0 ? passed + 1 : 0;
    const [piece] = waiting.splice(overtakes, 1);
    if (piece === undefined) break;
    wire.push(piece);
    overtaken ||= overtakes > 0;
    came.set(piece.offset, piece.offset + piece.octets.length);
    for (let end = came.get(arrived); end !== undefined; end = came.get(arrived)) arrived = end;
    if (random.chance(weather.duplicatePercent)) wire.push(piece);
    if (!burst.opaque && arrived > burst.begin && random.chance(weather.alteredPercent)) {
      wire.push(alteredPiece(burst, arrived, waiting, random));
    }
  }
  // What nobody acknowledges is sent again: a refusal forgets what came early.
  return overtaken ? [...wire, ...pieces] : wire;
}

/** Repeats a part of what has come in order, altered; sometimes with the next segment's octets behind it. */
function alteredPiece({ octets, begin }: Burst, arrived: number, waiting: readonly Piece[], random: Random): Piece {
  const from = begin + random.below(arrived - begin);
  const length = arrived - from;
  const altered = Array.from({ length }, () => random.pick(['X', '\r', '\n', '.', 'q'])).join('');
  const next = waiting.find((piece) => piece.offset === arrived);
  const grown =
    next !== undefined && random.chance(50) ? octets.slice(arrived - begin).slice(0, next.octets.length) : '';
  return { offset: from, octets: (altered + grown).slice(0, SEGMENT_BYTES_MAX) };
}

const otherSide = (side: Side): Side => (side === 'initiator' ? 'responder' : 'initiator');
