import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, type Talk, talk } from '../dialogue.ts';
import { ADDRESSES } from '../lab.ts';
import { type Listener, startListener } from '../listener.ts';
import { arrivedUnchanged, longMessage } from '../messages.ts';
import { configurationOf } from '../postern.ts';
import { until } from '../process.ts';
import { createWorld, posternOf, type World } from '../world.ts';
import { type RawClient, type RawConnection, startRawClient } from './raw.ts';

/**
 * TCP-90: nobody reads the queue, and it fills up. What finds no room is dropped (`postern fail closed`) or passes unjudged
 * (`postern fail open`), is counted and told, and judging goes on when the reader does.
 */

const QUEUE_PACKETS = 64;
const BEYOND = 40;
/** Some four megabytes: it is still on its way when the reader stops. */
const MESSAGE_LINES = 60_000;
const SETTLE_MS = 600;
/** Node starts, the envelope is through, and some of the message. */
const DATA_BEGINS_MS = 700;
/** Long enough for a sender to repeat itself some times, for nothing. */
const STOPPED_MS = 1_500;
const SYN_ACK = 0x12;
const FORBIDDEN = 'XEXCH50 2 2\r\n';

describe.each(['closed', 'open'] as const)('postern fail %s', (fail) => {
  let world: World;
  let listener: Listener;
  let raw: RawClient;
  let connection: RawConnection;
  let acknowledgement = 0;
  const first = 1_000_000;

  beforeAll(async () => {
    const globals = [`postern queue count 1 length ${QUEUE_PACKETS}`, `postern fail ${fail}`];
    const configuration = configurationOf(['esmtp alert on audit-trail on'], globals);
    world = await createWorld({ configuration, offloads: false });
    const replies = [
      ['^NOOP', '250 ok\r\n'],
      ['^X+', '500 what\r\n'],
    ] as const;
    const script = { host: ADDRESSES.sink.v4, port: 25, greeting: '220 hi\r\n', replies };
    listener = await startListener(world.lab.server, script);
    raw = await startRawClient(world);
    connection = await raw.open(1, 25);
    connection.send({ sequence: first - 1, acknowledgement, payload: '', fl: 'S' });
    const answer = await until('SYN-ACK', () => connection.heard().find(({ flags }) => (flags & SYN_ACK) === SYN_ACK));
    acknowledgement = answer.sequence + 1;
    connection.send({ sequence: first, acknowledgement, payload: '', fl: 'A' });
    const greeting = await until('the greeting', () => connection.heard().find(({ payload }) => payload.length > 0));
    acknowledgement = greeting.sequence + greeting.payload.length;
    connection.send({ sequence: first, acknowledgement, payload: '', fl: 'A' });
  });
  afterAll(async () => {
    if (world?.postern !== undefined) process.kill(world.postern.pid, 'SIGCONT');
    raw?.stop();
    await world?.close();
  });

  /** Of all queues: packets that wait, and packets that found no room. */
  async function queues(): Promise<{ waiting: number; lost: number }> {
    const text = await world.lab.router.must(['cat', '/proc/net/netfilter/nfnetlink_queue']);
    const rows = text
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number));
    const sum = (column: number) => rows.reduce((total, row) => total + (row[column] ?? 0), 0);
    return { waiting: sum(2), lost: sum(5) };
  }
  /** Stops all threads; a signal alone may let the worker judge some more. */
  async function stopReading(): Promise<void> {
    const { pid } = posternOf(world);
    process.kill(pid, 'SIGSTOP');
    const isStopped = (thread: string) => / T /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1'));
    await until('all threads to stop', () => readdirSync(`/proc/${pid}/task`).every(isStopped), 5_000);
  }
  const noop = (index: number) => `NOOP ${String(index).padStart(4, '0')}\r\n`;
  const forbiddenSession = (): Promise<Talk> =>
    talk(world.lab.client, {
      host: ADDRESSES.sink.v4,
      port: 25,
      steps: [{ expect: '^220 ' }, { send: FORBIDDEN }, { expect: '^500 ' }, ...exchange(['NOOP new', '^250 '])],
    });

  it('what finds no room is not judged, and passes only where it may', async () => {
    await stopReading();
    for (let index = 0; index < QUEUE_PACKETS; index++) {
      connection.send({ sequence: first + 11 * index, acknowledgement, payload: noop(index) });
    }
    await until('a full queue', async () => (await queues()).waiting >= QUEUE_PACKETS, 5_000);
    // The same octets over and over: where the queue fails open, each of them reaches the server.
    for (let count = 0; count < BEYOND; count++)
      connection.send({ sequence: first, acknowledgement, payload: FORBIDDEN });
    const isHeard = () => listener.lines().includes(FORBIDDEN.trimEnd());
    if (fail === 'open') await until('what passed unjudged', isHeard, 5_000);
    else await until('lost packets', async () => (await queues()).lost >= BEYOND, 5_000);
    await delay(SETTLE_MS);
    expect(isHeard()).toBe(fail === 'open');
  });

  it('judges again as soon as it is read', async () => {
    process.kill(posternOf(world).pid, 'SIGCONT');
    await until('an empty queue', async () => (await queues()).waiting === 0, 10_000);
    const before = listener.lines().length;
    const seen = await forbiddenSession();
    expect(seen.stoppedAt).toBeUndefined();
    const heard = listener.lines().slice(before);
    expect(heard).toContain('NOOP new');
    expect(heard).not.toContain(FORBIDDEN.trimEnd());
  });

  it('a message under way arrives, whatever of it found no room', { timeout: 120_000 }, async () => {
    const message = longMessage(`through a queue that fails ${fail}`, MESSAGE_LINES);
    const before = world.postfix.mailbox().length;
    const sending = talk(world.lab.client, {
      host: ADDRESSES.server.v4,
      port: 25,
      steps: [
        { expect: '^220 ' },
        ...exchange(['EHLO me.example', '^250 '], ['MAIL FROM:<a@example.org>', '^250 ']),
        ...exchange(['RCPT TO:<u@example.com>', '^250 '], ['DATA', '^354 ']),
        { send: `${message.replaceAll('\r\n.', '\r\n..')}.\r\n`, chunk: 65_536, gapMs: 10 },
        { expect: '^250 ', timeoutMs: 60_000 },
      ],
    });
    await delay(DATA_BEGINS_MS);
    await stopReading();
    const filler = { sequence: first, acknowledgement, payload: '', fl: 'A' };
    for (let count = 0; count < QUEUE_PACKETS; count++) connection.send(filler);
    await delay(STOPPED_MS);
    process.kill(posternOf(world).pid, 'SIGCONT');
    const told = await sending;
    expect(told.stoppedAt).toBeUndefined();
    expect(arrivedUnchanged(await world.postfix.waitForMail(before + 1), message)).toBe(true);
  });

  it('is counted and told', async () => {
    const { packets } = await posternOf(world).statistics();
    expect(packets.received).toBe(packets.accepted + packets.rewritten + packets.dropped + packets.held);
    if (fail === 'closed') {
      expect(packets.kernelDropped).toBeGreaterThanOrEqual(BEYOND);
      await posternOf(world).waitForLog(/QUEUE_OVERRUN/, 10_000);
    }
  });
});
