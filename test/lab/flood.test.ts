import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, talk } from './dialogue.ts';
import { MAIL_ACCOUNT } from './dovecot.ts';
import { floodResult, queueStates, routeFlood, startFlood, synReceived } from './flood.ts';
import { configurationOf } from './postern.ts';
import { type Running, until } from './process.ts';
import { inRepository } from './repository.ts';
import { createWorld, posternOf, type World } from './world.ts';

/**
 * A short flood of SYNs at the mail server (the long ones are the bench's). Bounds of time are wide: the machine that
 * runs this may be busy.
 */

const FLOOD = { synsASecond: 20_000, seconds: 3 } as const;
const NOOPS_A_SECOND = 50;
const STALL_MICROSECONDS_MAX = 1_000_000;

/** The count alone decides: the rate of a minute would keep Postern aggressive for minutes after so many SYNs. */
const CONFIGURATION = configurationOf(
  ['esmtp', 'pop3', 'imap'],
  [
    'postern queue count 1',
    'ip inspect max-incomplete low 400',
    'ip inspect max-incomplete high 500',
    'ip inspect one-minute low 2000000000',
    'ip inspect one-minute high 2000000000',
    'ip inspect tcp max-incomplete host 100000',
    'ip inspect tcp synwait-time 3',
  ],
);

describe('a flood of SYNs', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ configuration: CONFIGURATION });
    await routeFlood(world.lab);
  });
  afterAll(async () => {
    await world?.close();
  });

  const alerts = () =>
    posternOf(world)
      .log()
      .filter(({ mnemonic }) => mnemonic?.includes('ALERT') === true)
      .map(({ mnemonic, msg }) => `${mnemonic}: ${msg}`);

  async function startNoops(): Promise<Running> {
    const { user, password } = MAIL_ACCOUNT;
    const words = [world.lab.target.v4, '110', user, password, String(NOOPS_A_SECOND)];
    const noops = world.lab.client.start([inRepository('build', 'bench', 'paced-noops'), ...words]);
    await noops.waitFor(/ready/);
    return noops;
  }

  async function smtpSession(): Promise<string> {
    const steps = [{ expect: '^220 ' }, ...exchange(['HELO honest.example', '^250 '], ['QUIT', '^221 '])];
    const { end, stoppedAt } = await talk(world.lab.client, { host: world.lab.target.v4, port: 25, steps });
    return stoppedAt === undefined ? 'complete' : `${end} at ${stoppedAt}`;
  }

  it('raises no alert before it comes', async () => {
    for (let session = 0; session < 5; session++) expect(await smtpSession()).toBe('complete');
    expect(alerts()).toEqual([]);
    expect((await posternOf(world).statistics()).aggressive).toBe(false);
  });

  it('is noticed, overflows nowhere but in its own queue, and leaves an established session alone', async () => {
    const noops = await startNoops();
    const flood = startFlood(world.lab.client, FLOOD);
    process.kill(noops.pid, 'SIGUSR1');
    await until('Postern to be aggressive', async () => (await posternOf(world).statistics()).aggressive, 5_000);
    await delay(1_000);
    const { sessions } = await posternOf(world).statistics();
    // Aggressive mode holds the number where it began: each new one takes the place of the oldest.
    expect(sessions.halfOpen).toBeGreaterThan(400);
    expect(sessions.halfOpen).toBeLessThan(5_000);
    expect(await synReceived(world.lab.server)).toBeGreaterThan(0);
    await flood.exited;
    process.kill(noops.pid, 'SIGTERM');
    await noops.exited;
    expect(floodResult(flood.output()).sent).toBeGreaterThan(20_000);
    const queues = await queueStates(world.lab.router);
    expect(queues.map(({ queue }) => queue)).toEqual([0, 1]);
    expect(queues.find(({ queue }) => queue === 1)).toMatchObject({ lost: 0 });
    const said = /^asked (\d+) answered (\d+) p50 (\S+)/m.exec(noops.output());
    const [asked, answered, p50] = (said?.slice(1) ?? []).map(Number);
    expect(asked).toBeGreaterThan(NOOPS_A_SECOND);
    expect(answered).toBe(asked);
    expect(p50).toBeLessThan(STALL_MICROSECONDS_MAX);
  });

  it('is over when its connections are, also for the server', async () => {
    await posternOf(world).waitForLog(/ALERT_OFF/, 20_000);
    const [on, off, ...more] = alerts();
    expect(on).toMatch(/^ALERT_ON: getting aggressive, count \(\d+\/500\) current 1-min rate: \d+$/);
    expect(off).toMatch(/^ALERT_OFF: calming down, count \(\d+\/400\) current 1-min rate: \d+$/);
    expect(more).toEqual([]);
    // Left alone, the server's kernel would keep them for a minute.
    await until('the server to be rid of them', async () => (await synReceived(world.lab.server)) === 0, 10_000);
    await until(
      'the gate to be empty',
      async () => (await posternOf(world).statistics()).sessions.halfOpen === 0,
      10_000,
    );
    expect((await posternOf(world).statistics()).aggressive).toBe(false);
    expect(await smtpSession()).toBe('complete');
  });
});
