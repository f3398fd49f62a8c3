import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADDRESSES } from '../lab.ts';
import { type Listener, startListener } from '../listener.ts';
import { PERMISSIVE } from '../postern.ts';
import { until } from '../process.ts';
import { createWorld, type World } from '../world.ts';
import { type RawClient6, type RawConnection6, startRawClient6 } from './raw6.ts';

/** IPv6 extension headers and fragments (docs/attacks.md, TCP-70 to 74): the server reads what was judged. */

const SETTLE_MS = 1_000;
const FILLER = 'A'.repeat(16);

describe.each([
  ['offloads off', false],
  ['offloads on', true],
])('%s', (_name, offloads) => {
  let world: World;
  let client: RawClient6;
  let listener: Listener;

  beforeAll(async () => {
    world = await createWorld({ configuration: PERMISSIVE, offloads });
    const replies = [['^(?:NOOP|HELP)', '250 ok\r\n']] as const;
    listener = await startListener(world.lab.server, {
      host: ADDRESSES.sink.v6,
      port: 25,
      greeting: '220 hi\r\n',
      replies,
    });
    client = await startRawClient6(world);
  });
  afterAll(async () => {
    client?.stop();
    await world?.close();
  });

  const isAnswered = (connection: RawConnection6) =>
    until('an answer', () => connection.heard().some(({ payload }) => payload.toString().startsWith('250 ')), 5_000);

  describe('IPv6', () => {
    it('TCP-72: SYN with destination options opens, and what comes behind them is judged', async () => {
      const connection = await client.open({ options: true });
      connection.sendNext('NOOP options\r\n', { options: true });
      await isAnswered(connection);
      expect(listener.lines()).toContain('NOOP options');
      connection.sendNext('XEXCH50 1\r\n', { options: true });
      await until('the masked line', () => listener.lines().some((line) => /^x{9}$/i.test(line)), 5_000);
    });

    it.each(['behind destination options', 'behind nothing'])(
      'TCP-72: a verb an octet a segment %s is masked',
      async (where) => {
        const extensions = where === 'behind nothing' ? {} : { options: true };
        const connection = await client.open(extensions);
        for (const octet of `XEXCH51 ${where}\r\n`) connection.sendNext(octet, extensions);
        const masked = new RegExp(`^x{${8 + where.length}}$`, 'i');
        await until('the masked line', () => listener.lines().some((line) => masked.test(line)), 5_000);
        expect(listener.lines().some((line) => line.startsWith('XEXCH51'))).toBe(false);
      },
    );

    it('a forbidden verb in two fragments is masked', async () => {
      const connection = await client.open();
      const payload = `XEXCH52 ${FILLER}\r\n`;
      connection.sendFragments({ payload }, [
        { from: 0, to: 40, more: true },
        { from: 40, to: 100, more: false },
      ]);
      const masked = new RegExp(`^x{${payload.length - 2}}$`, 'i');
      await until('the masked line', () => listener.lines().some((line) => masked.test(line)), 5_000);
      expect(listener.lines().some((line) => line.startsWith('XEXCH52'))).toBe(false);
    });

    it.each([0, 1])(
      'TCP-74: a routing header of type 0 with %i addresses left carries nothing unjudged',
      async (left) => {
        const connection = await client.open();
        connection.send({ payload: 'XYZZY 1\r\n' }, { routing: { left, address: ADDRESSES.server.v6 } });
        await delay(SETTLE_MS);
        expect(listener.lines()).not.toContain('XYZZY 1');
        connection.send({ payload: 'NOOP 12\r\n' });
        await until('a line', () => listener.lines().some((line) => /^(?:NOOP 12|x{7})$/i.test(line)), 5_000);
      },
    );

    it('a segment in two fragments, the later first, is put together', async () => {
      const connection = await client.open();
      const payload = `HELP ${FILLER}\r\n`;
      connection.sendFragments({ payload }, [
        { from: 32, to: 100, more: false },
        { from: 0, to: 32, more: true },
      ]);
      await isAnswered(connection);
      expect(listener.lines()).toContain(payload.trimEnd());
    });

    it('TCP-70: of fragments that overlap the server reads none', async () => {
      const connection = await client.open();
      connection.sendFragments({ payload: `NOOP ${FILLER}\r\n` }, [
        { from: 0, to: 40, more: true },
        { from: 32, to: 48, more: true, filler: 'VRFY overlap\r\nVR' },
        { from: 40, to: 100, more: false },
      ]);
      await delay(SETTLE_MS);
      expect(listener.lines().some((line) => /overlap|NOOP A/.test(line))).toBe(false);
      connection.send({ payload: 'NOOP whole\r\n' });
      await isAnswered(connection);
      expect(listener.lines()).toContain('NOOP whole');
    });
  });
});
