import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { curlFetch } from './clients.ts';
import { exchange, type Step, talk } from './dialogue.ts';
import { MAIL_ACCOUNT } from './dovecot.ts';
import { longMessage } from './messages.ts';
import { observe } from './observe.ts';
import { configurationOf, startPostern } from './postern.ts';
import { until } from './process.ts';
import { createWorld, posternOf, type World } from './world.ts';

/** The lines `postern fail`, `offload`, `queue count` and `hostname`, by what becomes of flows. */

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const PROTOCOLS = ['esmtp audit-trail on', 'pop3 audit-trail on', 'imap audit-trail on'];
const { user, password } = MAIL_ACCOUNT;

async function made(lines: readonly string[]): Promise<World> {
  world = await createWorld({ configuration: configurationOf(PROTOCOLS, lines) });
  return world;
}

describe('a flow that is under way when Postern starts', () => {
  const steps: readonly Step[] = [
    { expect: '^220 ' },
    ...exchange(['EHLO client.lab.example', '^250 ']),
    { sleepMs: 4_000 },
    ...exchange(['NOOP', '^250 '], ['QUIT', '^221 ']),
  ];

  async function startedLate(lines: readonly string[]) {
    world = await createWorld();
    const { lab } = world;
    const talking = observe(world, { port: 25, steps });
    await until('the session', async () => (await lab.client.must(['ss', '-tnH'])).includes(':25'));
    // The greeting and EHLO are over by then.
    await delay(700);
    const configuration = configurationOf(PROTOCOLS, lines);
    const postern = await startPostern({ router: lab.router, folder: world.folder('postern'), configuration });
    return { talking, postern };
  }

  it('is reset on both sides under postern fail closed', async () => {
    const { talking, postern } = await startedLate(['postern fail closed']);
    const seen = await talking;
    await postern.stop();
    expect(seen.client.end).toBe('reset');
    expect(seen.toServer).not.toContain('NOOP');
    expect(seen.resets).toEqual({ client: true, server: true });
  });

  it('passes under postern fail open, and show says so', async () => {
    const { talking, postern } = await startedLate(['postern fail open']);
    const [session] = await until('the session in show', async () => {
      const sessions = await postern.sessions();
      return sessions.length > 0 && sessions;
    });
    expect(session).toMatchObject({ protocol: 'smtp', midstream: true });
    expect((await postern.exec('show', 'ip', 'inspect', 'sessions', 'detail')).stdout).toContain('picked up under way');
    const seen = await talking;
    await postern.stop();
    expect(seen.client.stoppedAt).toBeUndefined();
    expect(seen.resets).toEqual({ client: false, server: false });
  });
});

describe('postern offload', () => {
  it.each([
    ['on', true],
    ['off', false],
  ])('%s: TLS in the kernel: %s', async (word, offloads) => {
    const { lab, dovecot } = await made([`postern offload ${word}`]);
    const postern = posternOf(world as World);
    dovecot.deliver(longMessage('large', 40_000));
    const before = await postern.statistics();
    const url = { scheme: 'imap', host: lab.target.v4, path: 'INBOX;MAILINDEX=1' } as const;
    const fetched = await curlFetch(lab.client, url, ['--ssl-reqd']);
    expect(fetched.code, fetched.stderr).toBe(0);
    const received = (await postern.statistics()).packets.received - before.packets.received;
    expect(received < 80, `${received} packets came by the queue`).toBe(offloads);
    const marks = await lab.router.must(['conntrack', '-L', '-p', 'tcp', '--dport', '143']);
    expect(/mark=[1-9]/.test(marks), marks).toBe(offloads);
    await until('the end of the session', async () => (await postern.sessions()).length === 0, 10_000);
    await postern.waitForLog(/Stop imap session/);
  });

  it('on: LOGOUT of an authenticated session is still seen, and nothing passes behind it', async () => {
    await made(['postern offload on']);
    const steps: readonly Step[] = [
      { expect: 'OK' },
      ...exchange([`a LOGIN ${user} ${password}`, '^a OK'], ['b SELECT INBOX', '^b OK']),
      { send: 'c LOGOUT\r\n' },
      { expect: '^c OK' },
      { send: 'd SELECT behind-logout\r\n' },
      { sleepMs: 500 },
    ];
    const seen = await observe(world as World, { port: 143, steps });
    expect(seen.toServer).toContain('c LOGOUT');
    expect(seen.toServer).not.toContain('behind-logout');
  });
});

describe('postern hostname and queue count', () => {
  it('name the firewall in refusals, and serve as many queues', async () => {
    await made(['hostname router-name', 'postern hostname mx-guard', 'postern queue count 2']);
    const { lab } = world as World;
    const steps: readonly Step[] = [{ expect: '^\\+OK' }, { send: 'XYZZY\r\n' }, { waitForEnd: true }];
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => talk(lab.client, { host: lab.target.v4, port: 110, steps })),
    );
    for (const { received } of answers) expect(received).toMatch(/^-ERR .*mx-guard refused: /m);
    const postern = posternOf(world as World);
    expect((await postern.statistics()).workers.map(({ queue }) => queue)).toEqual([1, 2]);
    const rules = await lab.router.must(['iptables', '-t', 'mangle', '-nvxL', 'POSTERN-QUEUE']);
    const packets = new Map<string, number>();
    for (const [, count, queue = ''] of rules.matchAll(/^\s*(\d+) .*NFQUEUE num (\d+)/gm)) {
      packets.set(queue, (packets.get(queue) ?? 0) + Number(count));
    }
    // The gate's, which has the first packet of each connection, then the workers'.
    expect([...packets.keys()]).toEqual(['0', '1', '2']);
    expect(packets.get('0')).toBe(12);
    for (const count of packets.values()) expect(count).toBeGreaterThan(0);
  });
});
