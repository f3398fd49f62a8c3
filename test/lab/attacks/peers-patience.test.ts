import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, type Talk, talk } from '../dialogue.ts';
import { ADDRESSES } from '../lab.ts';
import { type Listener, startListener } from '../listener.ts';
import { PERMISSIVE } from '../postern.ts';
import { until } from '../process.ts';
import { createWorld, posternOf, type World } from '../world.ts';
import type { Heard } from './packets.ts';
import { type RawClient, startRawClient } from './raw.ts';
import { type RawServer, startRawServer } from './raw-server.ts';

/** A receiver that takes nothing for a minute (TCP-40), and senders beside it whose first segment never comes (TCP-16). */

const WINDOW_CLOSED_MS = 60_000;
const SETTLE_MS = 600;
const CONNECTIONS = 20;
const SEGMENTS = 1_000;
/** Of each connection, by default (cisco-ios 3.6). */
const SEGMENTS_KEPT = 16;
/** Half a megabyte is what they keep together; the rest is the collector's slack. */
const GROWN_KILOBYTES_MAX = 8_192;
/** A heap that takes more room does so once; what is kept of each flood grows with each. */
const FLOODS_MAX = 3;
const ANSWER_MS_MAX = 1_000;
const [SYN_ACK, ACK] = [0x12, 0x10] as const;

let world: World;
let client: RawClient;
let server: RawServer;
let listener: Listener;

beforeAll(async () => {
  world = await createWorld({ configuration: `postern queue count 1\n${PERMISSIVE}`, offloads: false });
  const replies = [['^NOOP', '250 ok\r\n']] as const;
  listener = await startListener(world.lab.server, {
    host: ADDRESSES.sink.v4,
    port: 25,
    greeting: '220 hi\r\n',
    replies,
  });
  client = await startRawClient(world);
  server = await startRawServer(world);
});
afterAll(async () => {
  client?.stop();
  server?.stop();
  await world?.close();
});

/** A window that the server closes behind EHLO and opens a minute later: what the client sends meanwhile, and is told. */
async function closedWindow(): Promise<{ told: Talk; probes: number; early: boolean }> {
  const first = 9_000_000;
  const talking = talk(
    world.lab.client,
    {
      host: server.address,
      port: 25,
      noDelay: true,
      steps: [
        { expect: '^220 ' },
        { send: 'EHLO a\r\n' },
        { expect: '^250 ' },
        { send: 'NOOP later\r\n' },
        { expect: '^251 ', timeoutMs: 3 * WINDOW_CLOSED_MS },
      ],
    },
    4 * WINDOW_CLOSED_MS,
  );
  // Where something else fails first, nobody waits for it any more.
  talking.catch(() => {});
  const syn = await until('a SYN', () => server.heard().find(({ flags }) => (flags & SYN_ACK) === 2));
  const start = syn.sequence + 1;
  server.send(syn, { sequence: first - 1, acknowledgement: start, payload: '', fl: 'SA' });
  await until('the end of the handshake', () => server.heard().find(({ flags }) => flags === ACK));
  const begins = (text: string) => (one: Heard) => one.payload.toString('latin1').startsWith(text);
  server.send(syn, { sequence: first, acknowledgement: start, payload: '220 hi\r\n' });
  await until('EHLO', () => server.heard().find(begins('EHLO')));
  server.send(syn, { sequence: first + 8, acknowledgement: start + 8, payload: '250 hi\r\n', window: '0' });
  // Each probe is answered, as a receiver does: its sender goes on probing for as long as it is (RFC 9293 3.8.6.1).
  let answered = server.heard().length;
  const endsAt = Date.now() + WINDOW_CLOSED_MS;
  let probes = 0;
  while (Date.now() < endsAt) {
    await delay(100);
    const isProbe = ({ sequence, payload }: Heard) => sequence === start + 7 && payload.length === 0;
    const fresh = server.heard().slice(answered).filter(isProbe).length;
    answered = server.heard().length;
    probes += fresh;
    const refusal = { sequence: first + 16, acknowledgement: start + 8, payload: '', fl: 'A', window: '0' };
    for (let count = 0; count < fresh; count++) server.send(syn, refusal);
  }
  const early = server.heard().some(begins('NOOP'));
  server.send(syn, { sequence: first + 16, acknowledgement: start + 8, payload: '', fl: 'A' });
  await until('NOOP', () => server.heard().find(begins('NOOP later')), WINDOW_CLOSED_MS);
  server.send(syn, { sequence: first + 16, acknowledgement: start + 20, payload: '251 hi\r\n' });
  return { told: await talking, probes, early };
}

/** Connections from this number on, of which each sends a thousand segments behind a gap; answers their addresses. */
async function gaps(from: number): Promise<string[]> {
  const addresses: string[] = [];
  for (let number = from; number < from + CONNECTIONS; number++) {
    const connection = await client.open(number, 25);
    const first = 1_000_000 * number;
    connection.send({ sequence: first - 1, acknowledgement: 0, payload: '', fl: 'S' });
    const answer = await until('SYN-ACK', () => connection.heard().find(({ flags }) => (flags & SYN_ACK) === SYN_ACK));
    connection.send({ sequence: first, acknowledgement: answer.sequence + 1, payload: '', fl: 'A' });
    const greeting = await until('the greeting', () => connection.heard().find(({ payload }) => payload.length > 0));
    const acknowledgement = greeting.sequence + greeting.payload.length;
    for (let index = 0; index < SEGMENTS; index++) {
      connection.send({ sequence: first + 6 + 8 * index, acknowledgement, payload: 'VRFY x\r\n' });
    }
    addresses.push(connection.address);
  }
  return addresses;
}

/** Until Postern has given up what these connections wait for. */
async function givenUp(addresses: readonly string[]): Promise<void> {
  const isOpen = async () =>
    (await posternOf(world).sessions()).some(
      ({ initiator, state }) => addresses.includes(initiator.address) && state === 'SIS_OPEN',
    );
  await until('the end of what waits for a gap', async () => !(await isOpen()), 20_000);
}

async function answerMs(): Promise<number> {
  const steps = [{ expect: '^220 ' }, ...exchange(['NOOP beside', '^250 '])];
  let longest = 0;
  for (let count = 0; count < 3; count++) {
    const startedAt = Date.now();
    const told = await talk(world.lab.client, { host: ADDRESSES.sink.v4, port: 25, steps });
    expect(told.stoppedAt).toBeUndefined();
    longest = Math.max(longest, Date.now() - startedAt);
  }
  return longest;
}

describe('a minute of nothing', () => {
  it('TCP-40: a window closed for 60 s is no end; TCP-16: what never becomes whole is given up beside it', {
    timeout: 5 * WINDOW_CLOSED_MS,
  }, async () => {
    const closed = closedWindow();
    // When the rest fails, that is the failure to read of.
    closed.catch(() => {});
    await delay(3 * SETTLE_MS);
    const postern = posternOf(world);
    const quietMs = await answerMs();
    // Once, so that buffers and heaps have the size that such a flood asks for.
    await givenUp(await gaps(1));
    let grown = Number.POSITIVE_INFINITY;
    let busyMs = 0;
    for (let flood = 1; flood <= FLOODS_MAX && grown >= GROWN_KILOBYTES_MAX; flood++) {
      const before = postern.residentKilobytes();
      const flooding = gaps(1 + CONNECTIONS * flood);
      busyMs = Math.max(busyMs, await answerMs());
      const addresses = await flooding;
      const { reassembly } = await postern.statistics();
      expect(reassembly.peakQueueLength).toBe(SEGMENTS_KEPT);
      expect(reassembly.droppedPackets).toBeGreaterThanOrEqual((1 + flood) * CONNECTIONS * (SEGMENTS - SEGMENTS_KEPT));
      await givenUp(addresses);
      expect((await postern.statistics()).reassembly.currentBytes).toBe(0);
      grown = postern.residentKilobytes() - before;
      console.log(`TCP-16: ${grown} KB grown; an answer took ${quietMs} ms before, ${busyMs} ms beside it`);
    }
    expect(grown).toBeLessThan(GROWN_KILOBYTES_MAX);
    expect(busyMs).toBeLessThan(quietMs + ANSWER_MS_MAX);
    expect(listener.lines().filter((line) => line.startsWith('VRFY'))).toEqual([]);

    const { told, probes, early } = await closed;
    expect(probes).toBeGreaterThan(4);
    expect(early).toBe(false);
    expect(told.stoppedAt).toBeUndefined();
    expect(told.end).toBe('open');
  });
});
