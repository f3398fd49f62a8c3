import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, type Step, talk } from './dialogue.ts';
import { MAIL_ACCOUNT } from './dovecot.ts';
import { arrivedUnchanged, plainMessage } from './messages.ts';
import { PERMISSIVE } from './postern.ts';
import { createWorld, type World } from './world.ts';

/**
 * A client that types one byte at a time with Nagle's algorithm on sends nothing more until its byte is acknowledged: a
 * firewall that holds the byte until the line is whole stops it for good.
 */

function typed(steps: readonly Step[], gapMs?: number): Step[] {
  const pace = gapMs === undefined ? { chunk: 1 } : { chunk: 1, gapMs };
  return steps.map((step) => ('send' in step ? { ...step, ...pace } : step));
}

const { user, password } = MAIL_ACCOUNT;
const MESSAGE = plainMessage('typed');
const STUFFED = MESSAGE.replaceAll(/^\./gm, '..');

const SESSIONS: Readonly<Record<'smtp' | 'pop3' | 'imap', { port: number; steps: Step[] }>> = {
  smtp: {
    port: 25,
    steps: [
      { expect: '^220 ' },
      ...exchange(['EHLO typist.example', '^250 '], ['NOOP', '^250 '], ['MAIL FROM:<a@example.org>', '^250 ']),
      ...exchange(['RCPT TO:<u@example.com>', '^250 '], ['DATA', '^354 ']),
      { send: `${STUFFED}.\r\n` },
      { expect: '^250 ', timeoutMs: 20_000 },
      ...exchange(['QUIT', '^221 ']),
      { waitForEnd: true },
    ],
  },
  pop3: {
    port: 110,
    steps: [
      { expect: '^\\+OK' },
      ...exchange(['CAPA', '^\\.\\r'], [`USER ${user}`, '^\\+OK'], [`PASS ${password}`, '^\\+OK'], ['STAT', '^\\+OK']),
      ...exchange(['QUIT', '^\\+OK']),
      { waitForEnd: true },
    ],
  },
  imap: {
    port: 143,
    steps: [
      { expect: '^\\* OK' },
      ...exchange(['a CAPABILITY', '^a OK'], [`b LOGIN {${user.length}}`, '^\\+ ']),
      ...exchange([`${user} "${password}"`, '^b OK'], ['c SELECT INBOX', '^c OK'], ['d LOGOUT', '^d OK']),
      { waitForEnd: true },
    ],
  },
};

describe.each([true, false])('typing one byte at a time, offloads: %s', (offloads) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ configuration: PERMISSIVE, offloads });
  });
  afterAll(async () => {
    await world?.close();
  });

  describe.each(['v4', 'v6'] as const)('IP%s', (family) => {
    it.each([
      ['smtp', undefined],
      ['pop3', undefined],
      ['imap', undefined],
      ['smtp', 1],
      ['pop3', 3],
      ['imap', 3],
    ] as const)('a whole %s session, %s ms between bytes', async (protocol, gapMs) => {
      const { port, steps } = SESSIONS[protocol];
      const before = world.postfix.mailbox().length;
      const host = world.lab.target[family];
      const answer = await talk(world.lab.client, { host, port, steps: typed(steps, gapMs) });
      expect(answer.stoppedAt, answer.received).toBeUndefined();
      // Dovecot acts on LOGOUT's CR; its close then meets the LF on the way and becomes a reset.
      expect(answer.end).not.toBe('open');
      if (protocol === 'smtp')
        expect(arrivedUnchanged(await world.postfix.waitForMail(before + 1), MESSAGE)).toBe(true);
    });
  });
});
