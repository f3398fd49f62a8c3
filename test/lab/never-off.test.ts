import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawClient, type RawConnection, startRawClient } from './attacks/raw.ts';
import { ADDRESSES, createLab, type Lab } from './lab.ts';
import { configurationOf, type Postern, posternLogTexts, startPostern } from './postern.ts';
import { type Running, until } from './process.ts';
import { inRepository } from './repository.ts';

/** Nothing that a peer can repeat, send or lose often enough switches the inspector off: what it sends then is judged. */

const COMMANDS = 10_000;
/** Fewer than may be unanswered (docs/limits.md). */
const COMMANDS_A_ROUND = 50;
const REFUSED_SESSIONS = 300;
const MESSAGES = 11;
const MESSAGE_LINE = `${'0123456789abcdef'.repeat(62)}\r\n`;
const MESSAGE_LINES = 19_200;
const SESSION_OCTETS = 200_000_000;
const BAD_SEGMENTS = 3_000;
/** A gap is given up after the reassembly timeout has gone by twice (cisco-ios 3.6). */
const REASSEMBLY_SECONDS = 2;
const FORBIDDEN = { smtp: 'XEXCH50 late\r\n', pop3: 'XYZZY late\r\n', imap: 'b XYZZY late\r\n' } as const;
const SYN_ACK = 0x12;

interface Round {
  readonly send: string;
  readonly repeat?: number;
  /** Lines that answer it. */
  readonly answers: number;
  readonly times: number;
}
interface Told {
  readonly received: string;
  readonly end: string;
  readonly octets: number;
  readonly complete: boolean;
}

const PORTS = {
  25: {
    greeting: '220 mx.example ESMTP\r\n',
    replies: [
      ['^DATA$', '354 go\r\n'],
      ['^(?:EHLO|HELO|MAIL|RCPT|NOOP)', '250 ok\r\n'],
    ],
  },
  110: {
    greeting: '+OK ready\r\n',
    replies: [
      ['^UTF8', '+OK\r\n'],
      ['^', '-ERR\r\n'],
    ],
  },
  143: {
    greeting: '* OK ready\r\n',
    replies: [
      ['^a\\d+ NOOP', 'TAG OK\r\n'],
      ['^', 'b BAD\r\n'],
    ],
  },
};

describe('the inspector', () => {
  let lab: Lab;
  let postern: Postern;
  let server: Running;
  let raw: RawClient | undefined;
  let connections = 0;
  const program = [process.execPath, inRepository('test', 'lab', 'never-off.mjs')];

  beforeAll(async () => {
    lab = await createLab();
    const folder = join(lab.folder, 'postern');
    mkdirSync(folder);
    const protocols = ['esmtp alert on', 'pop3 alert on reset', 'imap alert on reset'];
    const globals = [`ip inspect tcp reassembly timeout ${REASSEMBLY_SECONDS}`];
    const configuration = configurationOf(protocols, globals);
    const input = JSON.stringify({ role: 'server', host: ADDRESSES.sink.v4, ports: PORTS, tells: 'late|again|^DATA' });
    server = lab.server.start(program, { input });
    await server.waitFor(/143/);
    postern = await startPostern({ router: lab.router, folder, configuration });
  });
  afterAll(async () => {
    raw?.stop();
    await server?.stop();
    await postern?.stop();
    await lab?.close();
  });

  const heard = () =>
    server
      .output()
      .split('\n')
      .flatMap((line) => (line.startsWith('{"port"') ? [JSON.parse(line) as { line?: string; octets?: number }] : []));
  const lines = () => heard().flatMap(({ line }) => line ?? []);
  async function play(port: keyof typeof PORTS, rounds: readonly Round[]): Promise<Told> {
    const input = JSON.stringify({ role: 'client', host: ADDRESSES.sink.v4, port, rounds });
    return JSON.parse(await lab.client.must(program, { input, timeoutMs: 60_000 })) as Told;
  }
  const expectNothingForbidden = () =>
    expect(lines().filter((line) => /^(?:XEXCH|XYZZY|b XYZZY)/.test(line))).toEqual([]);

  it(`after ${COMMANDS} masked commands masks the next`, async () => {
    const round = { send: 'XEXCH50 2 2\r\n', repeat: COMMANDS_A_ROUND, answers: COMMANDS_A_ROUND };
    const told = await play(25, [
      { ...round, times: COMMANDS / COMMANDS_A_ROUND },
      { send: FORBIDDEN.smtp, answers: 1, times: 1 },
    ]);
    expect(told).toMatchObject({ complete: true, end: 'open' });
    expect((await postern.statistics()).masks['smtp-command']).toBe(COMMANDS + 1);
    expectNothingForbidden();
  });

  it.each([
    ['POP3', 110, () => 'UTF8\r\n', FORBIDDEN.pop3],
    ['IMAP', 143, (index: number) => `a${100 + index} NOOP\r\n`, FORBIDDEN.imap],
  ] as const)(
    `after ${COMMANDS} commands of %s refuses the first that is none`,
    async (_name, port, command, forbidden) => {
      const send = Array.from({ length: COMMANDS_A_ROUND }, (_, index) => command(index)).join('');
      const round = { send, answers: COMMANDS_A_ROUND };
      const told = await play(port, [
        { ...round, times: COMMANDS / COMMANDS_A_ROUND },
        { send: forbidden, answers: 1, times: 1 },
      ]);
      const octets = (COMMANDS / COMMANDS_A_ROUND) * send.length + forbidden.length;
      expect(told).toMatchObject({ complete: false, end: 'reset', octets });
      expectNothingForbidden();
    },
  );

  it('masks what stands in the middle of large segments full of commands', async () => {
    const many = 'NOOP many\r\n'.repeat(COMMANDS / 2);
    const told = await play(25, [{ send: `${many}${FORBIDDEN.smtp}${many}`, answers: COMMANDS + 1, times: 3 }]);
    expect(told).toMatchObject({ complete: true, end: 'open' });
    expectNothingForbidden();
  });

  it(`after ${REFUSED_SESSIONS} refused sessions refuses one more`, async () => {
    const before = (await postern.statistics()).refusals['invalid-command'] ?? 0;
    const sessions = { role: 'client', host: ADDRESSES.sink.v4, port: 110, sessions: REFUSED_SESSIONS, parallel: 20 };
    const rounds = [{ send: FORBIDDEN.pop3, answers: 1, times: 1 }];
    const told = await lab.client.must(program, { input: JSON.stringify({ ...sessions, rounds }), timeoutMs: 60_000 });
    const ends = told
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as Told).end);
    expect(ends).toEqual(new Array(REFUSED_SESSIONS).fill('reset'));
    expect(((await postern.statistics()).refusals['invalid-command'] ?? 0) - before).toBe(REFUSED_SESSIONS);
    expectNothingForbidden();
  });

  it(`after ${SESSION_OCTETS} octets of messages masks the next command`, async () => {
    const envelope = 'MAIL FROM:<a@example.org>\r\nRCPT TO:<u@example.com>\r\nDATA\r\n';
    const message = { send: MESSAGE_LINE, repeat: MESSAGE_LINES, answers: 0, times: 1 };
    const one: Round[] = [{ send: envelope, answers: 3, times: 1 }, message, { send: '.\r\n', answers: 1, times: 1 }];
    const told = await play(25, [
      { send: 'EHLO me.example\r\n', answers: 1, times: 1 },
      ...new Array<Round[]>(MESSAGES).fill(one).flat(),
      { send: FORBIDDEN.smtp, answers: 1, times: 1 },
    ]);
    expect(told).toMatchObject({ complete: true, end: 'open' });
    expect(told.octets).toBeGreaterThan(SESSION_OCTETS);
    expect(told.received).toMatch(/500 what\r\n$/);
    await until('all of it at the server', () => heard().some(({ octets }) => octets === told.octets));
    expectNothingForbidden();
  });

  async function open(): Promise<{ connection: RawConnection; first: number; acknowledgement: number }> {
    // Not earlier: its wire hears everything, and would read hundreds of megabytes.
    raw ??= await startRawClient({ lab });
    const connection = await raw.open(++connections, 25);
    const first = 1_000_000 * connections;
    connection.send({ sequence: first - 1, acknowledgement: 0, payload: '', fl: 'S' });
    const answer = await until('SYN-ACK', () => connection.heard().find(({ flags }) => (flags & SYN_ACK) === SYN_ACK));
    connection.send({ sequence: first, acknowledgement: answer.sequence + 1, payload: '', fl: 'A' });
    const greeting = await until('the greeting', () => connection.heard().find(({ payload }) => payload.length > 0));
    const acknowledgement = greeting.sequence + greeting.payload.length;
    connection.send({ sequence: first, acknowledgement, payload: '', fl: 'A' });
    return { connection, first, acknowledgement };
  }

  it(`after ${BAD_SEGMENTS} segments with something wrong masks what comes in order`, async () => {
    const { connection, first, acknowledgement } = await open();
    const payload = 'NOOP again\r\n';
    for (let count = 0; count < BAD_SEGMENTS; count += 3) {
      connection.send({ sequence: first, acknowledgement, payload, csum: 'bad' });
      connection.send({ sequence: first + 2 ** 30 + count, acknowledgement, payload });
      connection.send({ sequence: first, acknowledgement, payload, ack: String(2 ** 28 + count) });
    }
    connection.send({ sequence: first, acknowledgement, payload: FORBIDDEN.smtp });
    await until('an answer', () => connection.heard().some((one) => one.payload.toString().startsWith('500 ')));
    expect(lines()).not.toContain('NOOP again');
    expectNothingForbidden();
  });

  it.each(['between commands', 'in message data'])(
    'behind a gap that never closes lets nothing pass: %s',
    async (where) => {
      const { connection, first, acknowledgement } = await open();
      const dataBegun = () => lines().filter((line) => line === 'DATA').length;
      const before = dataBegun();
      const opening = where === 'in message data' ? 'MAIL FROM:<>\r\nRCPT TO:<u@b.example>\r\nDATA\r\n' : 'NOOP\r\n';
      connection.send({ sequence: first, acknowledgement, payload: opening });
      const reply = await until('an answer', () =>
        connection.heard().findLast(({ payload }) => /^(?:250|354) .*\r\n$/s.test(payload.toString('latin1'))),
      );
      await delay(300);
      const next = {
        acknowledgement: (connection.heard().findLast(({ payload }) => payload.length > 0) ?? reply).sequence,
      };
      const behind = first + opening.length + 10;
      const end = where === 'in message data' ? '\r\n.\r\n' : '';
      const late = `${end}${FORBIDDEN.smtp}`;
      connection.send({ ...next, sequence: behind, payload: late });
      await delay((2 * REASSEMBLY_SECONDS + 1) * 1_000);
      connection.send({ ...next, sequence: behind, payload: late });
      connection.send({ ...next, sequence: behind + late.length, payload: FORBIDDEN.smtp });
      connection.send({ ...next, sequence: first + opening.length, payload: FORBIDDEN.smtp });
      await delay(500);
      expect(dataBegun() - before).toBe(where === 'in message data' ? 1 : 0);
      expect(
        posternLogTexts(postern).some((line) => line.includes(connection.address) && /reassembly/.test(line)),
      ).toBe(true);
      expectNothingForbidden();
    },
  );

  it('judges a new session as the first, and every packet got a verdict', async () => {
    const told = await play(25, [{ send: FORBIDDEN.smtp, answers: 1, times: 1 }]);
    expect(told).toMatchObject({ complete: true, end: 'open' });
    expectNothingForbidden();
    const { packets } = await postern.statistics();
    expect(packets.received).toBe(packets.accepted + packets.rewritten + packets.dropped + packets.held);
  });
});
