import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curlFetch, smtpSource } from './clients.ts';
import { crowd, exchange, talk } from './dialogue.ts';
import { ADDRESSES } from './lab.ts';
import { plainMessage } from './messages.ts';
import { configurationOf, type Postern } from './postern.ts';
import { type Running, until } from './process.ts';
import { createWorld, posternOf, type World } from './world.ts';

/**
 * Many sessions leave nothing behind. `POSTERN_LOAD_SESSIONS` is how many come one after another (200000 by hand).
 */

const SEQUENTIAL_SESSIONS = Number(process.env.POSTERN_LOAD_SESSIONS ?? 2_000);
const PARALLEL_SESSIONS = 1_000;
/** The collector's slack and the kernel's rounding; a kilobyte a session would be far above it at 200,000 sessions. */
const GROWTH_KILOBYTES_MAX = 16_384;

/** Thresholds out of the way: they have tests of their own. */
const CONFIGURATION = configurationOf(
  ['esmtp audit-trail off', 'pop3', 'imap'],
  ['postern compat defaults modern', 'ip inspect tcp finwait-time 1', 'ip inspect alert-off'],
);

async function isEmpty(postern: Postern): Promise<boolean> {
  const { packets, sessions } = await postern.statistics();
  return (await postern.sessions()).length === 0 && packets.held === 0 && sessions.halfOpen === 0;
}

describe('load', () => {
  let world: World;
  let sink: Running;
  beforeAll(async () => {
    world = await createWorld({ configuration: CONFIGURATION });
    // -e is silent, -u drops root; a backlog for all sessions at once.
    const where = [`${ADDRESSES.sink.v4}:25`, String(PARALLEL_SESSIONS)];
    sink = world.lab.server.start(['sh', '-c', `ulimit -n 8192; exec smtp-sink -u nobody -m 2000 ${where.join(' ')}`]);
    await until('smtp-sink', async () =>
      (await world.lab.server.must(['ss', '-ltnH', 'src', ADDRESSES.sink.v4])).includes(':25'),
    );
  });
  afterAll(async () => {
    await sink?.stop();
    await world?.close();
  });

  it(`${PARALLEL_SESSIONS} sessions at the same time all complete, and leave nothing`, {
    timeout: 120_000,
  }, async () => {
    const postern = posternOf(world);
    const many = { host: ADDRESSES.sink.v4, port: 25, sessions: PARALLEL_SESSIONS, parallel: PARALLEL_SESSIONS };
    const result = await crowd(world.lab.client, { ...many, hold: true });
    expect(result).toMatchObject({ completed: PARALLEL_SESSIONS, failed: 0, heldAtOnce: PARALLEL_SESSIONS });
    const { sessions } = await postern.statistics();
    expect(sessions.maxEstablished).toBeGreaterThanOrEqual(PARALLEL_SESSIONS);
    await until('an empty session table', () => isEmpty(postern), 20_000);
  });

  it(`${SEQUENTIAL_SESSIONS} sessions in sequence leave no session and no memory`, { timeout: 3_600_000 }, async () => {
    const postern = posternOf(world);
    const warm = { count: 1_000, bytes: 512, parallel: 4 };
    expect((await smtpSource(world.lab.client, ADDRESSES.sink.v4, warm)).code).toBe(0);
    await until('an empty session table', () => isEmpty(postern), 20_000);
    const before = postern.residentKilobytes();
    const created = (await postern.statistics()).sessions.created;
    const load = { count: SEQUENTIAL_SESSIONS, bytes: 512, parallel: 4 };
    const finished = await smtpSource(world.lab.client, ADDRESSES.sink.v4, load);
    expect(finished.code, finished.stderr).toBe(0);
    await until('an empty session table', () => isEmpty(postern), 20_000);
    const after = await postern.statistics();
    expect(after.sessions.created - created).toBeGreaterThanOrEqual(SEQUENTIAL_SESSIONS);
    const { received, accepted, rewritten, dropped, kernelDropped } = after.packets;
    expect(received).toBe(accepted + rewritten + dropped);
    expect(kernelDropped).toBe(0);
    const grown = postern.residentKilobytes() - before;
    console.log(`${SEQUENTIAL_SESSIONS} sessions: resident memory ${before} KB before, ${grown} KB grown`);
    expect(grown).toBeLessThan(GROWTH_KILOBYTES_MAX);
  });

  it('sessions that the client abandons are gone after their timeouts', async () => {
    const postern = posternOf(world);
    const steps = [{ expect: '^220 ' }, ...exchange(['HELO gone.example', '^250 '])];
    // The talker's process ends without QUIT; its kernel closes the connection.
    await talk(world.lab.client, { host: ADDRESSES.sink.v4, port: 25, steps });
    await until('an empty session table', () => isEmpty(postern), 20_000);
  });

  it('an authenticated IMAP session leaves the queue for its bulk direction', async () => {
    const postern = posternOf(world);
    world.dovecot.deliver(plainMessage('bulk').padEnd(2_000_000, 'x\r\n'));
    const before = (await postern.statistics()).packets.received;
    const where = { scheme: 'imap', host: world.lab.target.v4, path: 'INBOX;MAILINDEX=1' } as const;
    const fetched = await curlFetch(world.lab.client, where);
    expect(fetched.stdout.length).toBeGreaterThan(1_900_000);
    // 2 MB are some 1,400 segments, 30 super-packets at the least; the client's half of them and the login stay.
    const queued = (await postern.statistics()).packets.received - before;
    expect(queued).toBeLessThan(1_000);
    await until('an empty session table', () => isEmpty(postern), 20_000);
  });
});
