import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCapture } from '../capture.ts';
import { talk } from '../dialogue.ts';
import { type Listener, startListener } from '../listener.ts';
import { PERMISSIVE, posternLogTexts } from '../postern.ts';
import { until } from '../process.ts';
import { createWorld, posternOf, type World } from '../world.ts';
import type { Heard } from './packets.ts';
import { type RawClient, type RawConnection, startRawClient } from './raw.ts';
import { type RawServer, startRawServer } from './raw-server.ts';

/** Cases of `docs/attacks.md` in which a peer does with TCP what no kernel does: one test each, named by its case. */

const SYN_ACK = 0x12;
const [SYN, FIN] = [2, 1] as const;
/** A port that Postern does not look at: what the server does by itself. */
const UNINSPECTED = 2525;
const GREETING = '220 mx.example ESMTP\r\n';
const SETTLE_MS = 600;

describe.each([
  ['offloads off', false],
  ['offloads on', true],
])('%s', (_name, offloads) => {
  let world: World;
  let client: RawClient;
  let server: RawServer;
  let listener: Listener;
  let beside: Listener;
  let connections = 100;

  beforeAll(async () => {
    world = await createWorld({ configuration: PERMISSIVE, offloads });
    // Data in SYN is taken from everybody, without a cookie, by every listener (tcp(7), ip-sysctl).
    await world.lab.server.must(['sysctl', '-qw', 'net.ipv4.tcp_fastopen=0x603']);
    const replies = [
      ['^NOOP', '250 ok\r\n'],
      ['^DATA', '354 go\r\n'],
      ['^(?:EHLO|MAIL|RCPT)', '250 ok\r\n'],
    ] as const;
    const script = { host: '10.80.2.5', greeting: GREETING, replies, finishes: true };
    listener = await startListener(world.lab.server, { ...script, port: 25 });
    beside = await startListener(world.lab.server, { ...script, port: UNINSPECTED });
    client = await startRawClient(world);
    server = await startRawServer(world);
  });
  afterAll(async () => {
    client?.stop();
    server?.stop();
    await world?.close();
  });

  const isAnswer = ({ flags }: Heard) => (flags & SYN_ACK) === SYN_ACK;
  const hasText = ({ payload }: Heard) => payload.length > 0;

  /** A handshake behind a SYN that was sent, and the greeting, acknowledged; answers what to acknowledge from then on. */
  async function complete(connection: RawConnection, first: number, since = 0): Promise<number> {
    const heard = () => connection.heard().slice(since);
    const answer = await until('SYN-ACK', () => heard().find(isAnswer));
    connection.send({ sequence: first, acknowledgement: answer.sequence + 1, payload: '', fl: 'A' });
    const greeting = await until('the greeting', () => heard().find(hasText));
    const acknowledgement = greeting.sequence + greeting.payload.length;
    connection.send({ sequence: first, acknowledgement, payload: '', fl: 'A' });
    return acknowledgement;
  }

  async function shake(syn: { opt?: string } = {}): Promise<{ connection: RawConnection; first: number; ack: number }> {
    const connection = await client.open(++connections, 25);
    const first = 1_000_000 * connections;
    connection.send({ sequence: first - 1, acknowledgement: 0, payload: '', fl: 'S', ...syn });
    return { connection, first, ack: await complete(connection, first) };
  }

  const answered = (connection: RawConnection, text: string) =>
    until(`"${text}"`, () => connection.heard().find(({ payload }) => payload.toString('latin1').startsWith(text)));
  const statistics = () => posternOf(world).statistics();

  describe('a client', () => {
    it('TCP-54: octets in SYN are not read before they are judged', async () => {
      const dataIn = (connection: RawConnection, payload: string) =>
        connection.send({ sequence: 1_000_000 * connections - 1, acknowledgement: 0, payload, fl: 'S' });
      dataIn(await client.open(++connections, UNINSPECTED), 'VRFY root\r\n');
      await until('the octets at a server nobody guards', () => beside.lines().includes('VRFY root'));

      const connection = await client.open(++connections, 25);
      dataIn(connection, 'VRFY root\r\n');
      await delay(SETTLE_MS);
      dataIn(connection, '');
      const first = 1_000_000 * connections;
      const ack = await complete(connection, first);
      connection.send({ sequence: first, acknowledgement: ack, payload: 'NOOP a\r\n' });
      await answered(connection, '250 ');
      expect(listener.lines()).not.toContain('VRFY root');
      expect(listener.lines().at(-1)).toBe('NOOP a');
    });

    it('TCP-60: the same ports again begin a new session', async () => {
      const { connection, first, ack } = await shake();
      connection.send({ sequence: first, acknowledgement: ack, payload: 'MAIL FROM:<a@example.com>\r\n' });
      const reply = await answered(connection, '250 ');
      const last = reply.sequence + reply.payload.length;
      connection.send({ sequence: first + 27, acknowledgement: last, payload: '', fl: 'FA' });
      await until("the server's FIN", () => connection.heard().find(({ flags }) => (flags & FIN) !== 0));
      connection.send({ sequence: first + 28, acknowledgement: last + 1, payload: '', fl: 'A' });
      await delay(SETTLE_MS);

      const since = connection.heard().length;
      const again = first + 500_000_000;
      connection.send({ sequence: again - 1, acknowledgement: 0, payload: '', fl: 'S' });
      const next = await complete(connection, again, since);
      connection.send({ sequence: again, acknowledgement: next, payload: 'NOOP again\r\n' });
      await until('the second session', () => listener.lines().includes('NOOP again'));
      const starts = posternLogTexts(posternOf(world)).filter(
        (line) => line.includes(`(${connection.address}:`) && line.includes('Start '),
      );
      expect(starts).toHaveLength(2);
    });

    it('TCP-64: acknowledgements of nothing cost neither memory nor sessions', async () => {
      const before = await statistics();
      const kilobytes = posternOf(world).residentKilobytes();
      const flood = await client.open(++connections, 25);
      for (let count = 0; count < 3_000; count++) {
        flood.send({ sequence: 7_919 * count, acknowledgement: 104_729 * count, payload: '', fl: 'A' });
      }
      const { connection, first, ack } = await shake();
      connection.send({ sequence: first, acknowledgement: ack, payload: 'NOOP beside\r\n' });
      await answered(connection, '250 ');
      const strays = ({ drops }: Awaited<ReturnType<typeof statistics>>) => drops['l4-tcp-invalid-tcp-initiator'] ?? 0;
      await until('the end of the flood', async () => strays(await statistics()) - strays(before) >= 3_000);
      const sessions = await posternOf(world).sessions();
      expect(sessions.filter(({ initiator }) => initiator.address === flood.address)).toEqual([]);
      expect(posternOf(world).residentKilobytes() - kilobytes).toBeLessThan(32_768);
    });

    it.each(['wscale14', 'wscale15'])('TCP-82: window scale %s', async (opt) => {
      const { connection, first, ack } = await shake({ opt });
      connection.send({ sequence: first, acknowledgement: ack, payload: `NOOP ${opt}\r\n` });
      await answered(connection, '250 ');
      expect(listener.lines()).toContain(`NOOP ${opt}`);
    });

    it('TCP-88: a refusal leaves no half transaction at the server', async () => {
      const before = listener.ends().length;
      const envelope = 'EHLO a\r\n¦MAIL FROM:<a@example.com>\r\n¦RCPT TO:<u@example.com>\r\n'.split('¦');
      const steps = envelope.flatMap((send) => [{ send }, { expect: '^250 ' }]);
      const told = await talk(world.lab.client, {
        host: '10.80.2.5',
        port: 25,
        steps: [
          { expect: '^220 ' },
          ...steps,
          { send: 'DATA\r\n' },
          { expect: '^354 ' },
          { send: 'Subject: x\r\n\r\nx\n.\r\nMAIL FROM:<smug@evil.test>\r\n\r\n.\r\n' },
          { waitForEnd: true, timeoutMs: 8_000 },
        ],
      });
      expect(told.received).toMatch(/^5\d\d .*refused/m);
      expect(told.end).toBe('fin');
      await until('the end at the server', () => listener.ends().length > before);
      expect(listener.ends().at(-1)).toBe('reset');
      expect(await world.lab.server.must(['ss', '-Htn', 'state', 'established', 'sport', '=', ':25'])).not.toContain(
        '10.80.1.2',
      );
    });

    it('TCP-52: half-closed behind QUIT, it still reads the answer', async () => {
      const told = await talk(world.lab.client, {
        host: '10.80.2.2',
        port: 25,
        steps: [{ expect: '^220 ' }, { send: 'QUIT\r\n' }, { finish: true }, { expect: '^221 ' }, { waitForEnd: true }],
      });
      expect(told).toMatchObject({ end: 'fin' });
      expect(told.stoppedAt).toBeUndefined();
    });
  });

  describe('a server', () => {
    const first = 9_000_000;
    const isSyn = ({ flags }: Heard) => (flags & SYN_ACK) === SYN;

    /** Answers the handshake of the next client; its SYN, to answer to. */
    async function welcome(since: number, greeting = ''): Promise<Heard> {
      const syn = await until('a SYN', () => server.heard().slice(since).find(isSyn));
      server.send(syn, { sequence: first - 1, acknowledgement: syn.sequence + 1, payload: greeting, fl: 'SA' });
      const complete = ({ flags, sourcePort }: Heard) => sourcePort === syn.sourcePort && flags === 0x10;
      await until('the end of the handshake', () => server.heard().slice(since).find(complete));
      return syn;
    }

    it('TCP-56: octets in SYN-ACK are read by nobody, or by both', async () => {
      const capture = await startCapture(world.lab.router, 'outside0', `${world.folder('wire')}/tcp-56.pcap`);
      const steps = [{ expect: '^220 ', timeoutMs: 5_000 }, { sleepMs: SETTLE_MS }] as const;
      const talking = talk(world.lab.client, { host: server.address, port: 25, steps });
      const since = server.heard().length;
      const syn = await until('a SYN', () => server.heard().slice(since).find(isSyn));
      const acknowledgement = syn.sequence + 1;
      server.send(syn, { sequence: first - 1, acknowledgement, payload: '220 hidden\r\n', fl: 'SA' });
      await delay(SETTLE_MS);
      server.send(syn, { sequence: first - 1, acknowledgement, payload: '', fl: 'SA' });
      await delay(SETTLE_MS);
      server.send(syn, { sequence: first, acknowledgement, payload: '220 spoken\r\n' });
      const { received } = await talking;
      await capture.stop();
      expect(received).toBe('220 spoken\r\n');
      expect(readFileSync(capture.file, 'latin1')).not.toContain('hidden');
    });

    it('TCP-58: a SYN of its own instead of an answer makes no connection', async () => {
      const since = server.heard().length;
      const talking = talk(world.lab.client, { host: server.address, port: 25, connectTimeoutMs: 3_000, steps: [] });
      const syn = await until('a SYN', () => server.heard().slice(since).find(isSyn));
      server.send(syn, { sequence: first - 1, acknowledgement: 0, payload: '', fl: 'S' });
      await delay(SETTLE_MS);
      server.send(syn, { sequence: first, acknowledgement: syn.sequence + 1, payload: 'EHLO inverted\r\n', fl: 'PA' });
      const told = await talking;
      expect(told.received).toBe('');
      expect(server.heard().slice(since).filter(isAnswer)).toEqual([]);
      expect((await posternOf(world).sessions()).filter(({ state }) => state === 'SIS_OPEN')).not.toContainEqual(
        expect.objectContaining({ responder: expect.objectContaining({ address: server.address }) }),
      );
    });

    it('REP-09: a reply whose acknowledgement was lost comes masked again, however it is cut', async () => {
      const acknowledgements = ['-p', 'tcp', '-d', server.address, '-j', 'DROP'];
      const capture = await startCapture(world.lab.router, 'outside0', `${world.folder('wire')}/rep-09.pcap`);
      const since = server.heard().length;
      const talking = talk(world.lab.client, {
        host: server.address,
        port: 25,
        steps: [{ expect: '^220 ' }, { send: 'EHLO a\r\n' }, { expect: '^250 ' }, { sleepMs: 3 * SETTLE_MS }],
      });
      const syn = await welcome(since);
      const [start, text] = [syn.sequence + 1, '250-mx\r\n250-CHUNKING\r\n250-XCLIENT NAME\r\n250 HELP\r\n'];
      server.send(syn, { sequence: first, acknowledgement: start, payload: '220 hi\r\n' });
      await until('EHLO', () => server.heard().slice(since).find(hasText));
      const reply = (from: number, to?: number) =>
        server.send(syn, { sequence: first + 8 + from, acknowledgement: start + 8, payload: text.slice(from, to) });
      await world.lab.client.must(['iptables', '-w', '-A', 'OUTPUT', ...acknowledgements]);
      reply(0);
      await delay(SETTLE_MS);
      reply(0);
      reply(9);
      reply(12, 30);
      await delay(SETTLE_MS);
      await world.lab.client.must(['iptables', '-w', '-D', 'OUTPUT', ...acknowledgements]);
      const { received } = await talking;
      await capture.stop();
      expect(received.match(/^250[- ]/gm)).toHaveLength(4);
      expect(received).not.toMatch(/CHUNKING|XCLIENT/);
      const wire = readFileSync(capture.file, 'latin1');
      expect(wire).not.toMatch(/CHUNK|CLIENT/);
      expect(wire.match(/XXXXXXXX/g)?.length).toBeGreaterThan(2);
    });
  });
});
