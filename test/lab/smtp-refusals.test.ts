import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { swaks } from './clients.ts';
import { exchange, type Step } from './dialogue.ts';
import { MAIL_ACCOUNT } from './dovecot.ts';
import { arrivedUnchanged, longMessage, plainMessage } from './messages.ts';
import { formsOfSecret, observe } from './observe.ts';
import { configurationOf } from './postern.ts';
import { createWorld, posternOf, type World } from './world.ts';

/** What SMTP inspection masks and refuses, seen from both sides of the wire. */

const GREETED: readonly Step[] = [{ expect: '^220 ' }, ...exchange(['EHLO client.lab.example', '^250 '])];
const BYE: readonly Step[] = [...exchange(['QUIT', '^221 ']), { waitForEnd: true }];
const ENVELOPE = exchange(['MAIL FROM:<a@example.org>', '^250 '], ['RCPT TO:<u@example.com>', '^250 ']);
const DATA = exchange(['DATA', '^354 ']);
const SMUGGLED =
  'MAIL FROM:<smug@evil.example>\r\nRCPT TO:<u@example.com>\r\nDATA\r\nSubject: SMUGGLED\r\n\r\nx\r\n.\r\nQUIT\r\n';

describe.each([false, true])('esmtp, translated addresses: %s', (nat) => {
  let world: World;
  beforeAll(async () => {
    const configuration = configurationOf(['esmtp alert on audit-trail on max-data 20000'], ['hostname guard']);
    world = await createWorld({ nat, configuration, logDialogues: true, sendingQueue: true });
  });
  afterAll(async () => {
    await world?.close();
  });

  it.each([
    ['XYZZY please', 'xxxxxxxxxxxx'],
    ['XEXCH50 3 2', 'xxxxxxxxxxx'],
    ['WIZ', 'xxx'],
  ])('masks the illegal verb of "%s", and the session goes on', async (line, mask) => {
    const seen = await observe(world, { port: 25, steps: [...GREETED, ...exchange([line, '^5\\d\\d ']), ...BYE] });
    expect(seen.client).toMatchObject({ end: 'fin' });
    expect(seen.client.stoppedAt).toBeUndefined();
    expect(seen.toServer).toBe(`EHLO client.lab.example\r\n${mask}\r\nQUIT\r\n`);
    expect(world.postfix.log()).not.toContain(line);
    expect(posternOf(world).output()).toContain('SMTP_INVALID_COMMAND');
  });

  it.each(['XYZZY one', 'ETRNX two'])('masks "%s" that comes a byte at a time', async (line) => {
    const typed: Step[] = [{ send: `${line}\r\n`, chunk: 1, gapMs: 2 }, { expect: '^5\\d\\d ' }];
    const seen = await observe(world, { port: 25, steps: [...GREETED, ...typed, ...BYE] });
    expect(seen.client.stoppedAt).toBeUndefined();
    expect(seen.toServer).not.toContain(line.slice(0, 5));
    expect(seen.toServer.split('\r\n')[1]).toHaveLength(line.length);
  });

  it('hides CHUNKING and keeps the known extensions, byte for byte as long as before', async () => {
    const seen = await observe(world, { port: 25, steps: [...GREETED, ...BYE] });
    expect(seen.fromServer).toContain('CHUNKING');
    expect(seen.client.received).not.toContain('CHUNKING');
    expect(seen.client.received).toMatch(/^250[- ]X{8}\r$/m);
    for (const kept of ['PIPELINING', 'SIZE', '8BITMIME', 'DSN', 'ENHANCEDSTATUSCODES', 'STARTTLS', 'AUTH']) {
      expect(seen.client.received).toContain(kept);
    }
    expect(seen.client.received).toHaveLength(seen.fromServer.length);
  });

  it('runs no command that hides in a BDAT chunk', async () => {
    const chunk = 'VRFY hidden-in-chunk\r\n';
    const steps: Step[] = [
      ...GREETED,
      ...ENVELOPE,
      { send: `BDAT ${chunk.length} LAST\r\n${chunk}` },
      { sleepMs: 500 },
    ];
    const seen = await observe(world, { port: 25, steps });
    expect(seen.toServer).not.toMatch(/^BDAT/m);
    expect(/< .*VRFY hidden-in-chunk/.test(world.postfix.log())).toBe(false);
  });

  it.each([
    ['LF . LF', '\n.\n'],
    ['CRLF . LF', '\r\n.\n'],
    ['CR CRLF . CR CRLF', '\r\r\n.\r\r\n'],
    ['CRLF . CR CRLF', '\r\n.\r\r\n'],
  ])('lets no second message through behind %s', async (_name, end) => {
    const steps: Step[] = [...GREETED, ...ENVELOPE, ...DATA, { send: `Subject: outer\r\n\r\nx${end}${SMUGGLED}` }];
    await observe(world, { port: 25, steps: [...steps, { sleepMs: 500 }] });
    expect(world.postfix.log()).not.toContain('smug@evil.example');
    expect(world.postfix.mailbox().join('')).not.toContain('SMUGGLED\n\nx');
  });

  it('lets nothing in clear through behind STARTTLS', async () => {
    const steps: Step[] = [...GREETED, { send: 'STARTTLS\r\nVRFY behind-starttls\r\n' }, { sleepMs: 500 }];
    const seen = await observe(world, { port: 25, steps });
    expect(seen.toServer).not.toContain('behind-starttls');
  });

  it('refuses a message beyond max-data: the client reads why, the server keeps nothing', async () => {
    const message = longMessage('beyond', 600);
    const before = world.postfix.mailbox().length;
    const steps: Step[] = [...GREETED, ...ENVELOPE, ...DATA, { send: `${message}.\r\n` }, { expect: '^5\\d\\d ' }];
    const seen = await observe(world, { port: 25, steps: [...steps, { waitForEnd: true }] });
    expect(seen.client.received).toMatch(/^55[24] 5\.\d\.\d /m);
    expect(seen.client.end).toBe('fin');
    expect(seen.resets.server).toBe(true);
    expect(world.postfix.mailbox()).toHaveLength(before);
  });

  it("makes a real queue bounce what is refused, with the firewall's words", async () => {
    const to = 'u+beyond@example.com';
    await world.queue?.submit(longMessage('beyond, queued', 600), 'a@example.org', to);
    const fate = await world.queue?.waitForFate(to);
    expect(fate?.line).toMatch(/status=bounced .*said: 55[24] 5\./);
  });

  it('passes a message within max-data', async () => {
    const message = plainMessage('within');
    const finished = await swaks(world.lab.client, world.lab.target.v4, message);
    expect(finished.code, finished.stdout).toBe(0);
    expect(arrivedUnchanged(await world.postfix.waitForMail(1), message)).toBe(true);
  });

  it('keeps the secret of AUTH out of its log', async () => {
    const { user, password } = MAIL_ACCOUNT;
    const login = [
      '--auth',
      'LOGIN',
      '--auth-user',
      user,
      '--auth-password',
      `${password}-wrong`,
      '--quit-after',
      'AUTH',
    ];
    await swaks(world.lab.client, world.lab.target.v4, '', login);
    for (const text of formsOfSecret(user, `${password}-wrong`)) {
      expect(posternOf(world).output()).not.toContain(text);
    }
  });

  it('counts masks and refusals', async () => {
    const { masks, refusals } = await posternOf(world).statistics();
    expect(Object.values(masks).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(5);
    expect(refusals['data-too-long']).toBeGreaterThanOrEqual(2);
  });
});

describe('smtp', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ configuration: configurationOf(['smtp alert on']), logDialogues: true });
  });
  afterAll(async () => {
    await world?.close();
  });

  it('masks EHLO, so that clients fall back to HELO and their mail passes', async () => {
    const message = plainMessage('fallback');
    const finished = await swaks(world.lab.client, world.lab.target.v4, message);
    expect(finished.code, finished.stdout).toBe(0);
    expect(arrivedUnchanged(await world.postfix.waitForMail(1), message)).toBe(true);
    expect(world.postfix.log()).toContain('HELO client.lab.example');
    expect(world.postfix.log()).not.toContain('EHLO');
  });
});
