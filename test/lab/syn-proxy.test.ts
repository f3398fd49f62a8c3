import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, type Step, type Talk, talk } from './dialogue.ts';
import { floodResult, routeFlood, startFlood, synReceived } from './flood.ts';
import { ADDRESSES } from './lab.ts';
import { longMessage } from './messages.ts';
import { configurationOf } from './postern.ts';
import { type Running, until } from './process.ts';
import { inRepository } from './repository.ts';
import { createWorld, posternOf, type World } from './world.ts';

/**
 * `postern syn-proxy aggressive`: the kernel answers SYNs for a flooded server, and what then reaches the server is
 * inspected as ever.
 */
const FLOOD = { synsASecond: 20_000, seconds: 5 } as const;
const HONEST_A_SECOND = 20;
const SUCCESS_LEAST = 0.95;
const HOST = ADDRESSES.server.v4;
const LINES = [
  'postern queue count 2',
  'postern syn-proxy aggressive',
  'ip inspect tcp max-incomplete host 50 block-time 1',
  'ip inspect max-incomplete high 100000',
  'ip inspect max-incomplete low 90000',
  // A thousand a minute is calm; the honest clients of the test are no flood.
  ...['ip inspect one-minute high 2000000000', 'ip inspect one-minute low 3000'],
  'ip inspect tcp synwait-time 5',
];
const CONFIGURATION = configurationOf(
  ['esmtp alert on audit-trail on max-data 20000', 'pop3 alert on', 'imap alert on'],
  LINES,
);
const GREETED: readonly Step[] = [{ expect: '^220 ' }, ...exchange(['EHLO client.lab.example', '^250 '])];
const BYE: readonly Step[] = [...exchange(['QUIT', '^221 ']), { waitForEnd: true }];
const ENVELOPE = exchange(['MAIL FROM:<a@example.org>', '^250 '], ['RCPT TO:<u@example.com>', '^250 ']);

const told = (world: World): string[] =>
  posternOf(world)
    .log()
    .filter(({ mnemonic }) => /SYN_PROXY|BLOCK_HOST/.test(mnemonic ?? ''))
    .map(({ mnemonic, msg }) => `${mnemonic}: ${msg}`);

const tableOf = (world: World, table: 'raw' | 'mangle', program = 'iptables-save'): Promise<string> =>
  world.lab.router.must([program, '-t', table]);

async function startHonest(world: World): Promise<Running> {
  const words = [world.lab.target.v4, '25', String(HONEST_A_SECOND)];
  const honest = world.lab.client.start([inRepository('build', 'bench', 'new-sessions'), ...words]);
  await honest.waitFor(/ready/);
  return honest;
}

interface Honest {
  readonly success: number;
  readonly p50Microseconds: number;
}

async function endHonest(honest: Running): Promise<Honest> {
  process.kill(honest.pid, 'SIGTERM');
  await honest.exited;
  const said = /^begun (\d+) completed (\d+) p50 ([\d.]+)/m.exec(honest.output())?.slice(1) ?? [];
  const [begun, completed, p50] = said.map(Number);
  expect(begun).toBeGreaterThan(HONEST_A_SECOND);
  return { success: (completed ?? 0) / (begun ?? 1), p50Microseconds: p50 ?? Number.POSITIVE_INFINITY };
}

const smtp = (world: World, ...steps: readonly Step[]): Promise<Talk> =>
  talk(world.lab.client, { host: world.lab.target.v4, port: 25, steps: [...GREETED, ...steps] });

/** A POP3 session that begins now and asks again when the proxy is long gone. */
function longPop3(world: World, sleepMs: number): Promise<Talk> {
  const steps: Step[] = [
    { expect: '^\\+OK' },
    ...exchange(['CAPA', '^\\.\\r\\n']),
    { sleepMs },
    ...exchange(['CAPA', '^\\.\\r\\n'], ['QUIT', '^\\+OK']),
    { waitForEnd: true },
  ];
  return talk(world.lab.client, { host: world.lab.target.v4, port: 110, steps });
}

describe('a flooded server', () => {
  let world: World;
  let loose: string;
  beforeAll(async () => {
    world = await createWorld({ configuration: CONFIGURATION, logDialogues: true });
    await routeFlood(world.lab);
    loose = await world.lab.router.must(['sysctl', 'net.netfilter.nf_conntrack_tcp_loose']);
  });
  afterAll(async () => {
    await world?.close();
  });

  it('answers for itself as long as nobody floods it', async () => {
    expect((await smtp(world, ...BYE)).stoppedAt).toBeUndefined();
    expect(told(world)).toEqual([]);
    expect(await tableOf(world, 'raw')).not.toContain('POSTERN');
    expect(await tableOf(world, 'mangle')).not.toContain('SYNPROXY');
  });

  it('is answered for, honest clients come in and are inspected, and it ends in its time', {
    timeout: 90_000,
  }, async () => {
    const honest = await startHonest(world);
    const before = await posternOf(world).statistics();
    const flood = startFlood(world.lab.client, FLOOD);
    await posternOf(world).waitForLog(/SYN_PROXY_ON/, 5_000);
    process.kill(honest.pid, 'SIGUSR1');
    const lasting = longPop3(world, 30_000);
    await delay(300);
    expect((await posternOf(world).statistics()).synProxyHosts).toEqual([HOST]);
    expect((await posternOf(world).exec('show', 'ip', 'inspect', 'statistics')).stdout).toContain(
      `The kernel answers for ${HOST}`,
    );

    const masked = await smtp(world, ...exchange(['XYZZY please', '^5\\d\\d ']), ...BYE);
    expect(masked.stoppedAt).toBeUndefined();
    expect(world.postfix.log()).not.toContain('XYZZY');
    const big: Step = { send: `${longMessage('beyond', 600)}.\r\n` };
    const mailboxes = world.postfix.mailbox().length;
    const refused = await smtp(
      world,
      ...ENVELOPE,
      ...exchange(['DATA', '^354 ']),
      big,
      {
        expect: '^55[24] 5\\.\\d\\.\\d ',
      },
      { waitForEnd: true },
    );
    expect([refused.stoppedAt, refused.end]).toEqual([undefined, 'fin']);
    expect(world.postfix.mailbox()).toHaveLength(mailboxes);
    const pop3 = (await posternOf(world).sessions()).find(({ protocol }) => protocol === 'pop3');
    expect(pop3).toMatchObject({ state: 'SIS_OPEN', rule: 'LAB', inInterface: 'outside0', outInterface: 'inside0' });
    expect(pop3?.bytes.initiator).toBe(6);
    expect(pop3?.bytes.responder).toBeGreaterThan(20);
    // What came before the rules stood, and less than a twentieth of a second of the flood.
    expect(await synReceived(world.lab.server)).toBeLessThan(1_000);

    await flood.exited;
    expect(floodResult(flood.output()).sent).toBeGreaterThan(20_000);
    const { success, p50Microseconds } = await endHonest(honest);
    expect(success).toBeGreaterThanOrEqual(SUCCESS_LEAST);
    // A packet that is lost, or translated twice, costs a second.
    expect(p50Microseconds).toBeLessThan(500_000);
    // Of the flood next to nothing came to the gate.
    const attempts = (await posternOf(world).statistics()).sessions.created - before.sessions.created;
    expect(attempts).toBeLessThan(floodResult(flood.output()).sent / 4);
    await posternOf(world).waitForLog(/SYN_PROXY_OFF/, 40_000);
    expect(told(world)).toEqual([
      `SYN_PROXY_ON: The kernel answers new connections to host ${HOST} (ports 25,110,143,587)`,
      expect.stringMatching(`^SYN_PROXY_OFF: Host ${HOST} answers for itself again .* after \\d+ seconds$`),
    ]);
    expect(await tableOf(world, 'raw')).not.toContain('POSTERN');
    expect(await tableOf(world, 'mangle')).not.toContain('SYNPROXY');
    expect(await world.lab.router.must(['sysctl', 'net.netfilter.nf_conntrack_tcp_loose'])).toBe(loose);
    expect((await smtp(world, ...BYE)).stoppedAt).toBeUndefined();
    const lasted = await lasting;
    expect([lasted.stoppedAt, lasted.end]).toEqual([undefined, 'fin']);
    expect((await posternOf(world).statistics()).synProxyHosts).toEqual([]);
  });

  it('a stop in the middle leaves no rule', async () => {
    const flood = startFlood(world.lab.client, { ...FLOOD, seconds: 2, seed: 2 });
    await until('the rules', async () => (await tableOf(world, 'raw')).includes('POSTERN'), 5_000);
    await posternOf(world).stop();
    await flood.exited;
    expect(await tableOf(world, 'raw')).not.toContain('POSTERN');
    expect(await tableOf(world, 'mangle')).not.toContain('POSTERN');
  });
});

describe('behind access lists', () => {
  const lists = [
    'access-list 101 permit tcp any any eq smtp',
    'access-list 101 deny ip any any',
    'access-list 102 deny ip any any',
  ];
  const configuration = [
    ...[...LINES, 'ip inspect name LAB tcp', 'ip inspect name LAB esmtp alert on'],
    ...['interface outside0', ' ip inspect LAB in', ' ip access-group 101 in'],
    ...['interface inside0', ' ip access-group 102 in', ...lists, ''],
  ].join('\n');
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ configuration });
    await routeFlood(world.lab);
  });
  afterAll(async () => {
    await world?.close();
  });

  it('the sessions of the proxy are openings, and nobody else is answered', { timeout: 60_000 }, async () => {
    const flood = startFlood(world.lab.client, { ...FLOOD, seconds: 4, seed: 3 });
    await posternOf(world).waitForLog(/SYN_PROXY_ON.*ports all/, 5_000);
    await delay(300);
    for (let session = 0; session < 5; session++) {
      expect((await smtp(world, ...exchange(['XYZZY please', '^5\\d\\d ']), ...BYE)).stoppedAt).toBeUndefined();
    }
    expect(world.postfix.log()).not.toContain('XYZZY');
    const denied = { host: world.lab.target.v4, port: 110, connectTimeoutMs: 1_000, steps: [{ expect: '^\\+OK' }] };
    expect((await talk(world.lab.client, denied)).stoppedAt).toBe(0);
    await flood.exited;
    // A connection after the end, whose answers need an opening of their own.
    await posternOf(world).waitForLog(/SYN_PROXY_OFF/, 40_000);
    expect((await smtp(world, ...BYE)).stoppedAt).toBeUndefined();
  });
});

describe('a server behind DNAT', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ configuration: CONFIGURATION, nat: true });
    await routeFlood(world.lab);
  });
  afterAll(async () => {
    await world?.close();
  });

  it('cannot be answered for: that is told once, and the thresholds guard it', { timeout: 90_000 }, async () => {
    const flood = startFlood(world.lab.client, { ...FLOOD, host: world.lab.target.v4, synsASecond: 500, seconds: 12 });
    await posternOf(world).waitForLog(/SYN_PROXY_REFUSED/, 15_000);
    await posternOf(world).waitForLog(/BLOCK_HOST/, 5_000);
    await flood.exited;
    const refusals = told(world).filter((line) => line.startsWith('SYN_PROXY_REFUSED'));
    expect(refusals).toEqual([
      `SYN_PROXY_REFUSED: The kernel cannot answer for host ${HOST}: no SYN comes to this address itself, so DNAT leads there`,
    ]);
    await until('the rules to go', async () => !(await tableOf(world, 'raw')).includes('POSTERN'), 5_000);
  });
});
