import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curlFetch, fetchmail } from './clients.ts';
import { exchange, type Step } from './dialogue.ts';
import { MAIL_ACCOUNT } from './dovecot.ts';
import { ADDRESSES } from './lab.ts';
import { startListener } from './listener.ts';
import { plainMessage } from './messages.ts';
import { formsOfSecret, observe } from './observe.ts';
import { configurationOf } from './postern.ts';
import { createWorld, posternOf, type World } from './world.ts';

/** What POP3 and IMAP inspection refuses, seen from both sides of the wire. */

const { user, password } = MAIL_ACCOUNT;
const PLAIN = Buffer.from(`\0${user}\0${password}`, 'latin1').toString('base64');
const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');

interface Refusal {
  readonly name: string;
  readonly protocol: 'pop3' | 'imap';
  readonly steps: readonly Step[];
  /** Must never reach the server. */
  readonly forbidden: readonly string[];
  readonly alert: 'INVALID_COMMAND' | 'NON_SECURE_LOGIN' | 'FOREIGN_PROTOCOL';
}

const pop3 = (name: string, line: string, alert: Refusal['alert'], forbidden: readonly string[] = [line]): Refusal => ({
  name: `POP3 ${name}`,
  protocol: 'pop3',
  steps: [{ expect: '^\\+OK' }, { send: `${line}\r\n` }, { waitForEnd: true }],
  forbidden,
  alert,
});

const imap = (name: string, line: string, alert: Refusal['alert'], forbidden: readonly string[] = [line]): Refusal => ({
  name: `IMAP ${name}`,
  protocol: 'imap',
  steps: [{ expect: '^\\* OK' }, { send: `a1 ${line}\r\n` }, { waitForEnd: true }],
  forbidden,
  alert,
});

const secrets = formsOfSecret(user, password);

const REFUSALS: readonly Refusal[] = [
  pop3('unknown command', 'XYZZY', 'INVALID_COMMAND'),
  pop3('command of a later state', 'RETR 1', 'INVALID_COMMAND'),
  pop3('another protocol', 'GET / HTTP/1.1', 'FOREIGN_PROTOCOL'),
  pop3('USER with secure-login', `USER ${user}`, 'NON_SECURE_LOGIN'),
  pop3('AUTH PLAIN with initial response', `AUTH PLAIN ${PLAIN}`, 'NON_SECURE_LOGIN', secrets),
  pop3('AUTH LOGIN', 'AUTH LOGIN', 'NON_SECURE_LOGIN', ['AUTH LOGIN']),
  {
    ...pop3('pipelined USER and PASS', '', 'NON_SECURE_LOGIN', secrets),
    steps: [{ expect: '^\\+OK' }, { send: `USER ${user}\r\nPASS ${password}\r\nSTAT\r\n` }, { waitForEnd: true }],
  },
  imap('unknown command', 'XYZZY', 'INVALID_COMMAND'),
  imap('command of a later state', 'SELECT INBOX', 'INVALID_COMMAND'),
  imap('LOGIN with secure-login', `LOGIN ${user} ${password}`, 'NON_SECURE_LOGIN', secrets),
  imap('quoted LOGIN', `LOGIN "${user}" "${password}"`, 'NON_SECURE_LOGIN', secrets),
  imap(
    'LOGIN with literals',
    `LOGIN {${user.length}+}\r\n${user} {${password.length}+}\r\n${password}`,
    'NON_SECURE_LOGIN',
    [password],
  ),
  imap('AUTHENTICATE PLAIN', 'AUTHENTICATE PLAIN', 'NON_SECURE_LOGIN', ['AUTHENTICATE PLAIN']),
  imap('AUTHENTICATE PLAIN with initial response', `AUTHENTICATE PLAIN ${PLAIN}`, 'NON_SECURE_LOGIN', secrets),
];

const PORTS = { pop3: 110, imap: 143 } as const;
const WORDS = { pop3: /^-ERR /m, imap: /^\* BYE /m } as const;

const WORLDS = [
  { how: 'words', nat: false },
  { how: 'reset', nat: false },
  { how: 'words', nat: true },
  { how: 'reset', nat: true },
] as const;

describe.each(WORLDS)('closing by $how, translated addresses: $nat', ({ how, nat }) => {
  let world: World;
  beforeAll(async () => {
    const options = `alert on audit-trail on ${how === 'reset' ? 'reset ' : ''}secure-login`;
    world = await createWorld({ nat, configuration: configurationOf([`pop3 ${options}`, `imap ${options}`]) });
    world.dovecot.deliver(plainMessage('in the box'));
  });
  afterAll(async () => {
    await world?.close();
  });

  it.each(REFUSALS)('$name', async ({ protocol, steps, forbidden, alert }) => {
    const seen = await observe(world, { port: PORTS[protocol], steps });
    for (const text of forbidden) expect(seen.toServer).not.toContain(text);
    // Not a part of the refused line's arguments may go ahead either; at most what still looked like a verb.
    expect(seen.toServer.length).toBeLessThan(20);
    expect(seen.resets.server).toBe(true);
    if (how === 'reset') {
      expect(seen.client.end).toBe('reset');
    } else {
      expect(seen.client.received).toMatch(WORDS[protocol]);
      if (protocol === 'imap') expect(seen.client.received).toMatch(/^a1 (NO|BAD) /m);
      expect(seen.client.end).toBe('fin');
    }
    const mnemonic = alert === 'FOREIGN_PROTOCOL' ? alert : `${protocol.toUpperCase()}_${alert}`;
    expect(posternOf(world).output()).toMatch(new RegExp(mnemonic));
  });

  it('what follows QUIT does not reach the server', async () => {
    const login = [{ expect: '^\\+OK' }, ...exchange(['AUTH CRAM-MD5', '^\\+ '], ['*', '^-ERR'])];
    const seen = await observe(world, {
      port: PORTS.pop3,
      steps: [...login, { send: 'QUIT\r\nLIST\r\n' }, { waitForEnd: true }],
    });
    expect(seen.toServer).toContain('QUIT');
    expect(seen.toServer).not.toContain('LIST');
  });

  it.each([
    ['pop3', 'STAT', '+OK slow\r\n'],
    ['imap', 'a1 NOOP', '* OK slow\r\n'],
  ] as const)('a %s client that speaks before the greeting is refused', async (protocol, line, greeting) => {
    const host = ADDRESSES.sink.v4;
    const slow = { host, port: PORTS[protocol], greeting, greetingDelayMs: 1_500, replies: [] };
    const listener = await startListener(world.lab.server, slow);
    const steps: Step[] = [{ send: `${line}\r\n` }, { waitForEnd: true }];
    const seen = await observe(world, { host, port: PORTS[protocol], steps });
    expect(seen.client.end).toBe(how === 'reset' ? 'reset' : 'fin');
    expect(listener.lines()).toEqual([]);
    expect(listener.ends()).toEqual(['reset']);
    await listener.stop();
  });

  it('a line broken over segments is refused like a whole one', async () => {
    const steps: Step[] = [{ expect: '^\\* OK' }, { send: `a1 LOGIN ${user} ${password}\r\n`, chunk: 1, gapMs: 5 }];
    const seen = await observe(world, { port: PORTS.imap, steps: [...steps, { waitForEnd: true }] });
    for (const text of [password, user]) expect(seen.toServer).not.toContain(text);
    expect(seen.client.end).toBe(how === 'reset' ? 'reset' : 'fin');
  });

  it('a login that keeps its secret passes: CRAM-MD5', async () => {
    const where = { scheme: 'imap', host: world.lab.target.v4, path: 'INBOX;MAILINDEX=1' } as const;
    const finished = await curlFetch(world.lab.client, where, ['--login-options', 'AUTH=CRAM-MD5']);
    expect(finished.code, finished.stderr).toBe(0);
    expect(finished.stdout).toContain('in the box');
  });

  it('a login that keeps its secret passes: APOP', async () => {
    const where = { scheme: 'pop3', host: world.lab.target.v4, path: '1' } as const;
    const finished = await curlFetch(world.lab.client, where, ['--login-options', 'AUTH=+APOP']);
    expect(finished.code, finished.stderr).toBe(0);
    expect(finished.stdout).toContain('in the box');
  });

  it.each(['imap', 'pop3'] as const)('a clear-text login inside TLS passes: %s', async (scheme) => {
    const where = { scheme, host: world.lab.target.v4, path: scheme === 'imap' ? 'INBOX;MAILINDEX=1' : '1' } as const;
    const finished = await curlFetch(world.lab.client, where, ['--ssl-reqd']);
    expect(finished.code, finished.stderr).toBe(0);
    expect(finished.stdout).toContain('in the box');
  });

  it('fetchmail with a password is refused, and its password stays on its side', async () => {
    const folder = world.folder(`fetchmail-${how}`);
    const { finished, messages } = await fetchmail(world.lab.client, {
      host: world.lab.target.v4,
      protocol: 'IMAP',
      folder,
    });
    expect(finished.code).not.toBe(0);
    expect(messages).toEqual([]);
  });

  it('no secret shows in the log', () => {
    for (const text of [...secrets, base64(user)]) expect(posternOf(world).output()).not.toContain(text);
  });

  it('counts each refusal under its reason, and leaves no session', async () => {
    const { refusals, packets } = await posternOf(world).statistics();
    expect(refusals['cleartext-login']).toBeGreaterThanOrEqual(7);
    expect((refusals['invalid-command'] ?? 0) + (refusals['command-out-of-state'] ?? 0)).toBeGreaterThanOrEqual(4);
    expect(refusals['foreign-protocol']).toBe(1);
    expect(packets.held).toBe(0);
    expect(packets.received).toBe(packets.accepted + packets.rewritten + packets.dropped + packets.held);
  });
});
