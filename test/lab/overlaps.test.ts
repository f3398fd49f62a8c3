import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawClient, type RawConnection, startRawClient } from './attacks/raw.ts';
import { type Capture, startCapture } from './capture.ts';
import { ADDRESSES, createLab, type Lab } from './lab.ts';
import { type Listener, startListener } from './listener.ts';
import { firstSeen, overlaps, piecesOf } from './overlaps.ts';
import { PERMISSIVE, type Postern, startPostern } from './postern.ts';
import { until } from './process.ts';

/**
 * Chunks that contradict each other, through the router to a Linux receiver: it reads what Postern judged, of every
 * octet the copy that came first.
 */
const CONNECTIONS = 30;
const PORT = 25;
const GREETING = '220 mx.example ESMTP\r\n';
const ANSWER = '250 ok\r\n';
const GIVE_UP_MS = 10_000;

describe('chunks that contradict each other', () => {
  const cases = overlaps();
  let lab: Lab;
  let postern: Postern;
  let server: Listener;
  let raw: RawClient;
  let inside: Capture;
  let heard: string[] = [];

  beforeAll(async () => {
    lab = await createLab({ offloads: false });
    const folder = join(lab.folder, 'postern');
    mkdirSync(folder);
    const replies = [['^NOOP', ANSWER]] as const;
    server = await startListener(lab.server, { host: ADDRESSES.sink.v4, port: PORT, greeting: GREETING, replies });
    postern = await startPostern({ router: lab.router, folder, configuration: PERMISSIVE });
    raw = await startRawClient({ lab });
    inside = await startCapture(lab.router, 'inside0', join(lab.folder, 'overlaps.pcap'));
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, number) => playShare(number)));
    heard = server.lines();
    await inside.stop();
  }, 300_000);
  afterAll(async () => {
    raw?.stop();
    await server?.stop();
    await postern?.stop();
    await lab?.close();
  });

  const headOf = (index: number): string => `NOOP ${String(index).padStart(5, '0')}-`;

  /** One connection with its share of the cases, each a line of its own. */
  async function playShare(number: number): Promise<void> {
    const connection = await raw.open(number, PORT);
    let sequence = 1_000_000 * (number + 1);
    connection.send({ sequence: sequence - 1, acknowledgement: 0, payload: '', fl: 'S' });
    const answer = await until('SYN-ACK', () => connection.heard().find(({ flags }) => (flags & 0x12) === 0x12));
    let acknowledgement = answer.sequence + 1;
    connection.send({ sequence, acknowledgement, payload: '', fl: 'A' });
    acknowledgement += await heardTo(connection, acknowledgement, GREETING.length);
    for (let index = number; index < cases.length; index += CONNECTIONS) {
      const head = headOf(index);
      const pieces = piecesOf(head, cases[index] ?? []);
      for (const { at, octets } of pieces)
        connection.send({ sequence: sequence + at, acknowledgement, payload: octets });
      sequence += Math.max(...pieces.map(({ at, octets }) => at + octets.length));
      acknowledgement += await heardTo(connection, acknowledgement, ANSWER.length);
    }
    connection.send({ sequence, acknowledgement, payload: '', fl: 'A' });
  }

  /** Waits until so many octets came behind this one. */
  async function heardTo(connection: RawConnection, from: number, bytes: number): Promise<number> {
    const came = () => connection.heard().some(({ sequence, payload }) => sequence + payload.length >= from + bytes);
    for (const endsAt = Date.now() + GIVE_UP_MS; !came() && Date.now() < endsAt; ) await delay(2);
    expect(came(), `${connection.address}: an answer`).toBe(true);
    return bytes;
  }

  it('come in every order and overlap of up to three', () => {
    expect(cases).toHaveLength(new Set(cases.map((chunks) => JSON.stringify(chunks))).size);
    expect(cases.filter((chunks) => chunks.length === 1)).toEqual([[{ from: 0, to: 1 }], [{ from: 1, to: 2 }]]);
    expect(cases.length).toBeGreaterThan(300);
  });

  it('are read as those that came first, by Linux as by Postern', () => {
    const passed = [...inside.streams()].flatMap(([ends, text]) =>
      ends.endsWith(`.${PORT}`) ? text.split('\r\n') : [],
    );
    const lineOf = (lines: readonly string[]) => new Map(lines.map((line) => [line.slice(0, headOf(0).length), line]));
    const [byServer, byWire] = [lineOf(heard), lineOf(passed)];
    const wrong = cases.flatMap((chunks, index) => {
      const wanted = headOf(index) + firstSeen(chunks);
      const [read, sent] = [byServer.get(headOf(index)), byWire.get(headOf(index))];
      return read === wanted && sent === wanted ? [] : [{ chunks: JSON.stringify(chunks), wanted, read, sent }];
    });
    expect(wrong).toEqual([]);
    expect(heard).toHaveLength(cases.length);
  });

  it('leave nothing behind', async () => {
    const { packets } = await postern.statistics();
    expect(packets.held).toBe(0);
    expect(packets.received).toBe(packets.accepted + packets.rewritten + packets.dropped);
    expect(packets.rewritten).toBeGreaterThan(0);
  });
});
