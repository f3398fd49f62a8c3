import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bell, flusher } from './packets.ts';

const GLOBAL_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const BUFFER_BYTES = 1 << 20;
const FLUSHER = flusher();
const BELL = bell();
/** What is in memory costs no disk. */
const MEMORY = '/dev/shm';

/** The folder of this process, made once: to make and remove one a run costs more than the run's packets. */
let folder: string | undefined;

function ownFolder(): string {
  if (folder !== undefined) return folder;
  const made = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'postern-hostile-'));
  process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  folder = made;
  return made;
}

const GLOBAL_HEADER = Buffer.alloc(GLOBAL_HEADER_BYTES);
GLOBAL_HEADER.writeUInt32LE(0xa1b2c3d4, 0);
GLOBAL_HEADER.writeUInt16LE(2, 4);
GLOBAL_HEADER.writeUInt16LE(4, 6);
GLOBAL_HEADER.writeUInt32LE(262_144, 16);
GLOBAL_HEADER.writeUInt32LE(101, 20);

/** Used by one capture at a time, of which a process has no more. */
const waiting = Buffer.alloc(BUFFER_BYTES);
const read = Buffer.alloc(BUFFER_BYTES);

/**
 * A capture that grows while the packet loop reads it: the loop rings (a packet that it drops and tells of) when it has
 * read all there was, and what it forwarded until then can be read. So a network answers what the firewall does, with
 * the binary as it is. One at a time in a process.
 */
export class GrowingCapture {
  readonly input = join(ownFolder(), 'in.pcap');
  readonly output = join(ownFolder(), 'out.pcap');
  readonly #in = openSync(this.input, 'w');
  #out: number | undefined;
  #readTo = GLOBAL_HEADER_BYTES;
  #waitingBytes = 0;

  constructor() {
    writeSync(this.#in, GLOBAL_HEADER);
  }

  add(packet: Buffer, timeMs: number): void {
    const at = this.#waitingBytes;
    if (at + RECORD_HEADER_BYTES + packet.length > BUFFER_BYTES) this.#write();
    this.#put(packet, timeMs);
  }

  /** What was added can be read, and the loop rings behind it. */
  ring(timeMs: number): void {
    this.add(FLUSHER, timeMs);
    this.add(BELL, timeMs);
    this.#write();
  }

  #put(packet: Buffer, timeMs: number): void {
    const at = this.#waitingBytes;
    waiting.writeUInt32LE(1_000_000 + Math.floor(timeMs / 1_000), at);
    waiting.writeUInt32LE((timeMs % 1_000) * 1_000, at + 4);
    waiting.writeUInt32LE(packet.length, at + 8);
    waiting.writeUInt32LE(packet.length, at + 12);
    packet.copy(waiting, at + RECORD_HEADER_BYTES);
    this.#waitingBytes = at + RECORD_HEADER_BYTES + packet.length;
  }

  #write(): void {
    writeSync(this.#in, waiting, 0, this.#waitingBytes);
    this.#waitingBytes = 0;
  }

  /** What has been forwarded since the last call, our own datagrams left out; good until the next call. */
  forwarded(): Buffer[] {
    this.#out ??= openSync(this.output, 'r');
    const packets: Buffer[] = [];
    for (;;) {
      const length = readSync(this.#out, read, 0, BUFFER_BYTES, this.#readTo);
      let at = 0;
      while (at + RECORD_HEADER_BYTES <= length) {
        const end = at + RECORD_HEADER_BYTES + read.readUInt32LE(at + 8);
        if (end > length) break;
        const packet = read.subarray(at + RECORD_HEADER_BYTES, end);
        if (!packet.equals(FLUSHER)) packets.push(length < BUFFER_BYTES ? packet : Buffer.from(packet));
        at = end;
      }
      this.#readTo += at;
      if (length < BUFFER_BYTES) return packets;
    }
  }

  remove(): void {
    closeSync(this.#in);
    if (this.#out !== undefined) closeSync(this.#out);
  }
}
