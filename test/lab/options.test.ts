import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, type Step, type Talk, talk } from './dialogue.ts';
import { ADDRESSES } from './lab.ts';
import { startListener } from './listener.ts';
import { observe } from './observe.ts';
import { configurationOf, type LogLine } from './postern.ts';
import { until } from './process.ts';
import { createWorld, posternOf, type World } from './world.ts';

/** The options of `ip inspect name`, and where an interface's rule holds: each beside a case where it must not. */

const SMTP_GREETED: readonly Step[] = [{ expect: '^220 ' }, ...exchange(['EHLO client.lab.example', '^250 '])];
const ILLEGAL: readonly Step[] = [...SMTP_GREETED, ...exchange(['XYZZY', '^5\\d\\d ']), { send: 'QUIT\r\n' }];
const POP3_INVALID: readonly Step[] = [{ expect: '^\\+OK' }, { send: 'XYZZY\r\n' }, { waitForEnd: true }];

let world: World;
let reloads = 0;

beforeAll(async () => {
  world = await createWorld({ configuration: configurationOf(['esmtp']), logDialogues: true });
});
afterAll(async () => {
  await world?.close();
});

/** Puts the configuration in force and answers the log from there on. */
async function reload(configuration: string): Promise<() => LogLine[]> {
  const postern = posternOf(world);
  postern.reload(configuration);
  reloads += 1;
  const isReloaded = (line: LogLine): boolean => line.mnemonic === 'CONFIG_RELOADED';
  await until('the new configuration', () => postern.log().filter(isReloaded).length === reloads);
  const before = postern.log().length;
  return () => postern.log().slice(before);
}

const mnemonics = (lines: readonly LogLine[]): string[] => lines.flatMap(({ mnemonic }) => mnemonic ?? []);
const client = (port: number, steps: readonly Step[], host: string = ADDRESSES.server.v4): Promise<Talk> =>
  talk(world.lab.client, { host, port, steps });
const ofNoInterest = { sleepMs: 150 } as const;

describe('audit-trail and alert', () => {
  it.each([
    ['nothing configured: alerts and no audit trail', [], 'pop3', { trail: false, alert: true }],
    ['audit-trail of the protocol', [], 'pop3 audit-trail on', { trail: true, alert: true }],
    ['audit-trail for all', ['ip inspect audit-trail'], 'pop3', { trail: true, alert: true }],
    [
      'the protocol has the last word',
      ['ip inspect audit-trail'],
      'pop3 audit-trail off',
      { trail: false, alert: true },
    ],
    ['alerts off for the protocol', [], 'pop3 alert off', { trail: false, alert: false }],
    ['alerts off for all', ['ip inspect alert-off'], 'pop3', { trail: false, alert: false }],
    ['alerts off but for the protocol', ['ip inspect alert-off'], 'pop3 alert on', { trail: false, alert: true }],
  ] as const)('%s', async (_name, globals, protocol, expected) => {
    const log = await reload(configurationOf([protocol], globals));
    expect((await client(110, [...POP3_INVALID, ofNoInterest])).end).toBe('fin');
    const told = mnemonics(log());
    expect(told.includes('SESS_AUDIT_TRAIL_START')).toBe(expected.trail);
    expect(told.includes('SESS_AUDIT_TRAIL')).toBe(expected.trail);
    expect(told.includes('POP3_INVALID_COMMAND')).toBe(expected.alert);
  });
});

describe('timeout', () => {
  it('ends an idle session with RST to both, and no busy one', async () => {
    const log = await reload(configurationOf(['pop3 audit-trail on timeout 2', 'imap audit-trail on']));
    const idle: readonly Step[] = [{ expect: 'OK' }, { waitForEnd: true, timeoutMs: 8_000 }];
    const busy = Array.from({ length: 8 }, (_, at) => [{ sleepMs: 500 }, ...exchange([`${at} NOOP`, `^${at} OK`])]);
    const pop3 = observe(world, { port: 110, steps: idle });
    const busyPop3 = client(110, [
      { expect: '^\\+OK' },
      ...Array(8)
        .fill([{ sleepMs: 500 }, ...exchange(['CAPA', '^\\.'])])
        .flat(),
    ]);
    const imap = client(143, [{ expect: 'OK' }, ...busy.flat(), ...exchange(['z LOGOUT', '^z OK'])]);
    const seen = await pop3;
    expect(seen.client.end).toBe('reset');
    expect(seen.resets).toEqual({ client: true, server: true });
    expect((await imap).stoppedAt).toBeUndefined();
    expect((await busyPop3).stoppedAt).toBeUndefined();
    expect(
      log()
        .filter(({ mnemonic }) => mnemonic === 'SESSION_EXPIRED')
        .map(({ protocol }) => protocol),
    ).toEqual(['pop3']);
  });
});

describe('where a rule holds', () => {
  it.each([
    ['in where connections enter', 'outside0', 'in', true],
    ['out where they leave', 'inside0', 'out', true],
    ['in where only answers enter', 'inside0', 'in', false],
    ['out where only answers leave', 'outside0', 'out', false],
  ] as const)('%s', async (_name, device, direction, inspected) => {
    await reload(`ip inspect name LAB esmtp\ninterface ${device}\n ip inspect LAB ${direction}\n`);
    for (const host of [ADDRESSES.server.v4, ADDRESSES.server.v6]) {
      const seen = await observe(world, { port: 25, host, steps: ILLEGAL });
      expect(seen.client.stoppedAt).toBeUndefined();
      expect(seen.toServer.includes('\r\nxxxxx\r\n')).toBe(inspected);
      expect(seen.toServer.includes('XYZZY')).toBe(!inspected);
    }
  });

  it('not on a port that is nobody’s, until ip port-map names it', async () => {
    const redirect = ['-p', 'tcp', '--dport', '2525', '-j', 'REDIRECT', '--to-ports', '25'];
    await world.lab.server.must(['iptables', '-w', '-t', 'nat', '-A', 'PREROUTING', ...redirect]);
    const verbatim = async () => (await observe(world, { port: 2525, steps: ILLEGAL })).toServer.includes('XYZZY');
    await reload(configurationOf(['esmtp']));
    expect(await verbatim()).toBe(true);
    await reload(configurationOf(['esmtp'], ['ip port-map smtp port tcp 2525']));
    expect(await verbatim()).toBe(false);
    await reload(configurationOf(['esmtp'], ['ip port-map smtp port tcp from 2520 to 2530']));
    expect(await verbatim()).toBe(false);
  });
});

describe('the router itself', () => {
  const greeting = '+OK listener\r\n';
  const replies = [['^QUIT', '+OK bye\r\n'] as const, ['.', '-ERR what?\r\n'] as const];

  it.each([
    ['a server on it: with router-traffic', 'interface outside0\n ip inspect LAB in', ' router-traffic', true],
    ['a server on it: without', 'interface outside0\n ip inspect LAB in', '', false],
    ['a server on it: under interface any', 'interface any\n ip inspect LAB in', '', true],
  ])('%s', async (_name, place, option, inspected) => {
    await reload(`ip inspect name LAB pop3${option}\n${place}\n`);
    const host = ADDRESSES.routerOutside.v4;
    const listener = await startListener(world.lab.router, { host, port: 110, greeting, replies });
    await client(110, [{ expect: '^\\+OK' }, { send: 'XYZZY\r\n' }, { expect: '^-ERR' }], host);
    expect(listener.lines().includes('XYZZY')).toBe(!inspected);
    await listener.stop();
  });

  it.each([
    ['a client on it: with router-traffic', 'interface inside0\n ip inspect LAB out', ' router-traffic', true],
    ['a client on it: without', 'interface inside0\n ip inspect LAB out', '', false],
    ['a client on it: under interface any', 'interface any\n ip inspect LAB in', '', true],
  ])('%s', async (_name, place, option, inspected) => {
    await reload(`ip inspect name LAB pop3${option}\n${place}\n`);
    const host = ADDRESSES.sink.v4;
    const listener = await startListener(world.lab.server, { host, port: 110, greeting, replies });
    const steps: readonly Step[] = [{ expect: '^\\+OK' }, { send: 'XYZZY\r\n' }, { expect: '^-ERR' }];
    const answer = await talk(world.lab.router, { host, port: 110, steps });
    expect(answer.stoppedAt, answer.end).toBeUndefined();
    expect(listener.lines().includes('XYZZY')).toBe(!inspected);
    await listener.stop();
  });
});
