import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bell, flusher } from './packets.ts';

const GLOBAL_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const FLUSHER = flusher();
const BELL = bell();

/**
 * A capture that grows while the packet loop reads it: the loop rings (a packet that it drops and tells of) when it has
 * read all there was, and what it forwarded until then can be read. So a network answers what the firewall does, with
 * the binary as it is.
 */
export class GrowingCapture {
  readonly input: string;
  readonly output: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'postern-hostile-'));
  readonly #in: number;
  #out: number | undefined;
  #readTo = GLOBAL_HEADER_BYTES;
  #waiting: Buffer[] = [];

  constructor() {
    this.input = join(this.#folder, 'in.pcap');
    this.output = join(this.#folder, 'out.pcap');
    this.#in = openSync(this.input, 'w');
    const header = Buffer.alloc(GLOBAL_HEADER_BYTES);
    header.writeUInt32LE(0xa1b2c3d4, 0);
    header.writeUInt16LE(2, 4);
    header.writeUInt16LE(4, 6);
    header.writeUInt32LE(262_144, 16);
    header.writeUInt32LE(101, 20);
    writeSync(this.#in, header);
  }

  add(packet: Buffer, timeMs: number): void {
    const record = Buffer.alloc(RECORD_HEADER_BYTES);
    record.writeUInt32LE(1_000_000 + Math.floor(timeMs / 1_000), 0);
    record.writeUInt32LE((timeMs % 1_000) * 1_000, 4);
    record.writeUInt32LE(packet.length, 8);
    record.writeUInt32LE(packet.length, 12);
    this.#waiting.push(record, packet);
  }

  /** What was added can be read, and the loop rings behind it. */
  ring(timeMs: number): void {
    this.add(FLUSHER, timeMs);
    this.add(BELL, timeMs);
    writeSync(this.#in, Buffer.concat(this.#waiting));
    this.#waiting = [];
  }

  /** What has been forwarded since the last call, our own datagrams left out. */
  forwarded(): Buffer[] {
    this.#out ??= openSync(this.output, 'r');
    const bytes = Buffer.alloc(Math.max(0, fstatSync(this.#out).size - this.#readTo));
    readSync(this.#out, bytes, 0, bytes.length, this.#readTo);
    const packets: Buffer[] = [];
    let at = 0;
    while (at + RECORD_HEADER_BYTES <= bytes.length) {
      const end = at + RECORD_HEADER_BYTES + bytes.readUInt32LE(at + 8);
      if (end > bytes.length) break;
      const packet = bytes.subarray(at + RECORD_HEADER_BYTES, end);
      if (!packet.equals(FLUSHER)) packets.push(packet);
      at = end;
    }
    this.#readTo += at;
    return packets;
  }

  remove(): void {
    closeSync(this.#in);
    if (this.#out !== undefined) closeSync(this.#out);
    rmSync(this.#folder, { recursive: true });
  }
}
