import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCapture } from './capture.ts';
import { curlFetch, curlSend, fetchmail, mbsync, msmtp, smtpSource, startTls, swaks } from './clients.ts';
import { exchange, talk } from './dialogue.ts';
import { MAIL_ACCOUNT } from './dovecot.ts';
import { ADDRESSES } from './lab.ts';
import { arrivedUnchanged, longMessage, mimeMessage, plainMessage } from './messages.ts';
import { PERMISSIVE } from './postern.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

/** Whole sessions of everyday clients pass, and what arrives is what was sent. */

const VARIANTS: readonly (readonly [name: string, options: WorldOptions])[] = [
  // Shows that the lab itself alters nothing: whatever fails only below is Postern's doing.
  ['plain forwarding', { exim: true, courier: true }],
  ['Postern', { configuration: PERMISSIVE, exim: true, courier: true }],
  ['Postern, offloads off', { configuration: PERMISSIVE, offloads: false }],
  ['Postern, destination and source translated', { configuration: PERMISSIVE, nat: true }],
];

/** Every octet that the client's side carried, the server's side carried too, in both directions. */
async function sameBytesOnBothSides(world: World, port: number, during: () => Promise<void>): Promise<void> {
  const outside = await startCapture(world.lab.router, 'outside0', join(world.folder('wire'), 'outside.pcap'));
  const inside = await startCapture(world.lab.router, 'inside0', join(world.folder('wire'), 'inside.pcap'));
  await during();
  await outside.stop();
  await inside.stop();
  const ofPort = (streams: Map<string, string>, side: 'to' | 'from') =>
    [...streams]
      .filter(([ends]) => (side === 'to' ? ends.endsWith(`.${port}`) : ends.includes(`.${port}>`)))
      .map(([, text]) => text)
      .sort();
  for (const side of ['to', 'from'] as const) {
    const sent = ofPort(outside.streams(), side);
    expect(sent.join('').length).toBeGreaterThan(0);
    expect(ofPort(inside.streams(), side)).toEqual(sent);
  }
}

describe.each(VARIANTS)('%s', (_name, options) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ ...options, sendingQueue: true });
  });
  afterAll(async () => {
    await world?.close();
  });

  async function arrives(message: string, send: () => Promise<{ code: number; stdout: string; stderr: string }>) {
    const before = world.postfix.mailbox().length;
    const finished = await send();
    expect(finished, finished.stdout + finished.stderr).toMatchObject({ code: 0 });
    expect(arrivedUnchanged(await world.postfix.waitForMail(before + 1), message)).toBe(true);
  }

  describe.each(['v4', 'v6'] as const)('IP%s', (family) => {
    const host = () => world.lab.target[family];

    it('SMTP: swaks, a command at a time', async () => {
      const message = plainMessage(`swaks ${family}`);
      await arrives(message, () => swaks(world.lab.client, host(), message));
    });

    it('SMTP: swaks, pipelining a MIME message', async () => {
      const message = mimeMessage(`pipelined ${family}`);
      await arrives(message, () => swaks(world.lab.client, host(), message, ['--pipeline']));
    });

    it('SMTP: swaks, STARTTLS', async () => {
      const message = plainMessage(`tls ${family}`);
      await arrives(message, () => swaks(world.lab.client, host(), message, ['--tls']));
    });

    it('SMTP: swaks, AUTH PLAIN', async () => {
      const message = plainMessage(`auth ${family}`);
      const login = ['--auth', 'PLAIN', '--auth-user', MAIL_ACCOUNT.user, '--auth-password', MAIL_ACCOUNT.password];
      await arrives(message, () => swaks(world.lab.client, host(), message, login));
    });

    it('SMTP: curl, a message of many segments', async () => {
      const message = longMessage(`long ${family}`, 4_000);
      const file = join(world.folder('curl'), `long-${family}.eml`);
      writeFileSync(file, message, 'latin1');
      await arrives(message, () => curlSend(world.lab.client, host(), file));
    });

    it('SMTP: msmtp', async () => {
      const message = plainMessage(`msmtp ${family}`);
      await arrives(message, () => msmtp(world.lab.client, host(), message));
    });

    it('SMTP: the bytes are the same on both sides of the router', async () => {
      const message = longMessage(`wire ${family}`, 500);
      await sameBytesOnBothSides(world, 25, async () => {
        // HELO: no extension can be masked, so nothing at all may differ.
        await arrives(message, () => swaks(world.lab.client, host(), message, ['--protocol', 'SMTP']));
      });
    });

    it('SMTP: many connections at once', async () => {
      const before = world.postfix.mailbox().length;
      const finished = await smtpSource(world.lab.client, host(), { count: 40, bytes: 4_096, parallel: 8 });
      expect(finished.code, finished.stderr).toBe(0);
      expect((await world.postfix.waitForMail(before + 40)).length).toBe(before + 40);
    });

    it('IMAP: curl fetches a message unchanged', async () => {
      const message = longMessage(`imap ${family}`, 300);
      world.dovecot.deliver(message);
      const where = { scheme: 'imap', host: host() } as const;
      const found = await curlFetch(world.lab.client, { ...where, path: `INBOX?SUBJECT%20"imap%20${family}"` });
      const number = /SEARCH (\d+)/.exec(found.stdout)?.[1];
      const finished = await curlFetch(world.lab.client, { ...where, path: `INBOX;MAILINDEX=${number}` });
      expect(finished.code, finished.stderr).toBe(0);
      expect(finished.stdout).toBe(message);
    });

    it.each(['--login-options=AUTH=PLAIN', '--sasl-ir', '--ssl-reqd'])('IMAP: curl %s', async (option) => {
      const extra = option.startsWith('--login') ? option.split(/=(.*)/, 2) : [option];
      const where = { scheme: 'imap', host: host(), path: '' } as const;
      const finished = await curlFetch(world.lab.client, where, extra);
      expect(finished.code, finished.stderr).toBe(0);
      expect(finished.stdout).toContain('INBOX');
    });

    it('IMAP: curl appends a message with a literal', async () => {
      const message = plainMessage(`append ${family}`);
      const file = join(world.folder('curl'), `append-${family}.eml`);
      writeFileSync(file, message, 'latin1');
      const where = { scheme: 'imap', host: host(), path: 'INBOX' } as const;
      const finished = await curlFetch(world.lab.client, where, ['-T', file]);
      expect(finished.code, finished.stderr).toBe(0);
      expect(world.dovecot.inbox().some((stored) => stored.replaceAll(/\r?\n/g, '\r\n') === message)).toBe(true);
    });

    it('POP3: curl retrieves a message unchanged', async () => {
      const message = plainMessage(`pop3 ${family}`);
      world.dovecot.deliver(message);
      const listed = await curlFetch(world.lab.client, { scheme: 'pop3', host: host(), path: '' });
      const last = listed.stdout.trim().split('\n').length;
      const texts: string[] = [];
      for (let number = 1; number <= last; number++) {
        const path = String(number);
        texts.push((await curlFetch(world.lab.client, { scheme: 'pop3', host: host(), path })).stdout);
      }
      expect(texts).toContain(message);
    });

    it.each(['IMAP', 'POP3'] as const)('fetchmail over %s', async (protocol) => {
      const folder = world.folder(`fetchmail-${protocol}-${family}`);
      const { finished, messages } = await fetchmail(world.lab.client, { host: host(), protocol, folder });
      expect(finished.code, finished.stdout + finished.stderr).toBe(0);
      expect(messages.length).toBe(world.dovecot.inbox().length);
    });

    it('IMAP: mbsync mirrors the INBOX with pipelined commands', async () => {
      const folder = world.folder(`mbsync-${family}`);
      const { finished, messages } = await mbsync(world.lab.client, { host: host(), folder });
      expect(finished.code, finished.stdout + finished.stderr).toBe(0);
      expect(messages.length).toBe(world.dovecot.inbox().length);
    });

    it.each([
      ['smtp', 25],
      ['smtp', 587],
      ['imap', 143],
      ['pop3', 110],
    ] as const)('openssl completes the handshake: %s on port %i', async (protocol, port) => {
      const finished = await startTls(world.lab.client, host(), port, protocol);
      expect(finished.stdout, finished.stderr).toMatch(/^(221|\+OK|\* BYE)/m);
    });
  });

  it("a real queue's message is sent at the first attempt", async () => {
    const to = 'u@example.com';
    await world.queue?.submit('Subject: queued\n\nfrom the queue\n', 'a@example.org', to);
    expect(await world.queue?.waitForFate(to)).toMatchObject({ status: 'sent' });
  });

  it.runIf(options.exim)('Exim takes a message, pipelined and not', async () => {
    const message = mimeMessage('exim');
    for (const [index, extra] of [[], ['--pipeline']].entries()) {
      const finished = await swaks(world.lab.client, ADDRESSES.exim.v4, message, extra);
      expect(finished.code, finished.stdout).toBe(0);
      expect(arrivedUnchanged((await world.exim?.waitForMail(index + 1)) ?? [], message)).toBe(true);
    }
  });

  it.runIf(options.courier)('Courier serves IMAP and POP3', async () => {
    const message = plainMessage('courier');
    world.courier?.deliver(message.replaceAll('\r\n', '\n'));
    const host = ADDRESSES.courier.v4;
    const imap = await curlFetch(world.lab.client, { scheme: 'imap', host, path: 'INBOX;MAILINDEX=1' });
    expect(imap.stdout, imap.stderr).toBe(message);
    const pop3 = await curlFetch(world.lab.client, { scheme: 'pop3', host, path: '1' });
    expect(pop3.stdout, pop3.stderr).toBe(message);
    const mirrored = await mbsync(world.lab.client, { host, folder: world.folder('mbsync-courier') });
    expect(mirrored.finished.code, mirrored.finished.stderr).toBe(0);
    expect(mirrored.messages).toHaveLength(1);
  });

  it('IMAP: a session with IDLE and LOGOUT ends by itself', async () => {
    const { user, password } = MAIL_ACCOUNT;
    const answer = await talk(world.lab.client, {
      host: world.lab.target.v4,
      port: 143,
      steps: [
        { expect: '^\\* OK' },
        ...exchange([`a LOGIN ${user} ${password}`, '^a OK'], ['b SELECT INBOX', '^b OK'], ['c IDLE', '^\\+ ']),
        ...exchange(['DONE', '^c OK'], ['d LOGOUT', '^d OK']),
        { waitForEnd: true },
      ],
    });
    expect(answer).toMatchObject({ end: 'fin' });
    expect(answer.stoppedAt).toBeUndefined();
  });
});
