import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, type Talk, talk } from './dialogue.ts';
import { configurationOf } from './postern.ts';
import { createWorld, posternOf, type World } from './world.ts';

/**
 * A worker that dies or stalls is noticed and replaced within a second, and its queue is served again. Meanwhile steered
 * packets wait or are dropped (`postern fail closed`), never passed unjudged.
 */

const NOTICED_WITHIN_MS = 1_000;
/** Noticing, the new worker's start, and one retransmission of the SYN. */
const SERVED_WITHIN_MS = 4_000;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe.each(['crash-worker', 'stall-worker'])('%s', (hook) => {
  let world: World;
  beforeAll(async () => {
    const configuration = configurationOf(['esmtp', 'pop3 reset'], ['postern queue count 1']);
    world = await createWorld({ configuration, hooks: true });
  });
  afterAll(async () => {
    await world?.close();
  });

  const greeted = (timeoutMs: number): Promise<Talk> =>
    talk(world.lab.client, {
      host: world.lab.target.v4,
      port: 25,
      steps: [{ expect: '^220 ', timeoutMs }, ...exchange(['NOOP', '^250 '], ['QUIT', '^221 '])],
    });

  const restarts = async () => (await posternOf(world).statistics()).workers.map((worker) => worker.restarts);

  it('a new worker takes the queue over, and judges', async () => {
    expect((await greeted(2_000)).stoppedAt).toBeUndefined();
    expect(await restarts()).toEqual([0]);
    const asked = Date.now();
    expect(await posternOf(world).ask(`debug postern ${hook} 1`)).toBe(200);
    await expect.poll(restarts, { interval: 50, timeout: SERVED_WITHIN_MS }).toEqual([1]);
    // Asking for the statistics takes its part of the time: a process that starts, connects and is answered.
    expect(Date.now() - asked).toBeLessThan(NOTICED_WITHIN_MS + 1_000);
    expect((await greeted(SERVED_WITHIN_MS)).stoppedAt).toBeUndefined();
    const unknown = await talk(world.lab.client, {
      host: world.lab.target.v4,
      port: 110,
      steps: [{ expect: '^\\+OK' }, { send: 'XYZZY\r\n' }, { waitForEnd: true }],
    });
    expect(unknown.end).toBe('reset');
  });

  it('a session of the lost worker is ended, not passed on unjudged', async () => {
    const host = world.lab.target.v4;
    const early = [{ expect: '^\\+OK' }, { sleepMs: 2_500 }, { send: 'XYZZY\r\n' }, { expect: '.', timeoutMs: 2_000 }];
    const session = talk(world.lab.client, { host, port: 110, steps: early });
    // When the hook fails, that is the failure to read of.
    session.catch(() => {});
    await delay(700);
    await posternOf(world).ask(`debug postern ${hook} 1`);
    const seen = await session;
    expect(seen.end).toBe('reset');
    expect(seen.received).not.toMatch(/^-ERR Unknown command/m);
  });
});

describe('a daemon that gives up', () => {
  /** One more than the daemon replaces a worker in a row. */
  const CRASHES = 11;

  it('leaves its rules standing, so that nothing passes unjudged', async () => {
    const configuration = configurationOf(['esmtp'], ['postern queue count 1']);
    const world = await createWorld({ configuration, hooks: true });
    try {
      const postern = posternOf(world);
      for (let crash = 1; crash <= CRASHES; crash += 1) {
        await postern.ask('debug postern crash-worker 1');
        if (crash < CRASHES) await postern.waitForLog(new RegExp(`restart ${crash}\\)`), SERVED_WITHIN_MS);
        await delay(500);
      }
      await postern.waitForLog(/fails again and again/, SERVED_WITHIN_MS);
      await expect.poll(() => isAlive(postern.pid), { timeout: SERVED_WITHIN_MS }).toBe(false);
      const answer = await talk(world.lab.client, {
        host: world.lab.target.v4,
        port: 25,
        steps: [{ expect: '^220 ', timeoutMs: 2_000 }],
      });
      expect(answer.stoppedAt).toBe(0);
    } finally {
      await world.close();
    }
  });
});

describe('no daemon at all', () => {
  it.each([
    ['closed', 0],
    ['open', undefined],
  ] as const)('postern fail %s', async (fail, stoppedAt) => {
    const world = await createWorld({ configuration: configurationOf(['esmtp'], [`postern fail ${fail}`]) });
    try {
      // SIGKILL: the rules stay, and nobody answers the queue.
      process.kill(posternOf(world).pid, 'SIGKILL');
      await delay(300);
      const answer = await talk(world.lab.client, {
        host: world.lab.target.v4,
        port: 25,
        steps: [{ expect: '^220 ', timeoutMs: 2_000 }],
      });
      expect(answer.stoppedAt).toBe(stoppedAt);
    } finally {
      await world.close();
    }
  });
});
