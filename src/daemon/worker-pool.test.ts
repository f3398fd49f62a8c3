import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { makeSessionCounts } from '../engine/session-limits.ts';
import type { LogMessage } from '../log/log-message.ts';
import { createFakeAddon } from '../native/fake-addon.ts';
import { NO_PATTERNS } from '../policy/application/pattern-sets.ts';
import { EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import type { Learning } from '../policy/learned.ts';
import { workerSettings } from './configuration-file.ts';
import { WorkerPool } from './worker-pool.ts';

/** A worker that speaks the protocol and owns no queue; it says back what it was told. */
const WORKER = `
import { parentPort, workerData } from 'node:worker_threads';
if (workerData.settings.hostname === 'broken') throw new Error('no such thing');
const told = [];
parentPort.on('message', (message) => {
  told.push(message.kind);
  if (message.kind === 'stop') process.exit(0);
  if (message.kind === 'crash') throw new Error('crashed on request');
  if (message.kind === 'statistics') {
    const reply = { kind: 'statistics', statistics: { counters: { host: workerData.host }, refusals: {}, masks: {} } };
    parentPort.postMessage({ kind: 'reply', request: message.request, reply });
  }
  if (message.kind === 'debug') parentPort.postMessage({ kind: 'debug', line: 'worker ' + workerData.worker + ' ' + message.on });
  if (message.kind === 'configure') {
    const fields = { detail: message.settings.hostname };
    parentPort.postMessage({ kind: 'log', message: { id: 'NOTICE', fields } });
    parentPort.postMessage({ kind: 'learn', learned: { sender: 'a@example.org', client: '192.0.2.1' } });
    parentPort.postMessage({ kind: 'reply', request: message.request, reply: { kind: 'count', count: 0 } });
  }
});
parentPort.postMessage({ kind: 'serving', rank: 'none', tookOver: false });
`;

const folder = mkdtempSync(join(tmpdir(), 'postern-pool-'));
const workerFile = join(folder, 'worker.mjs');
writeFileSync(workerFile, WORKER);
afterAll(() => rmSync(folder, { recursive: true }));

const SENDER: Learning = { sender: 'a@example.org', client: '192.0.2.1' };
const SETTINGS = { ...workerSettings(EMPTY_CONFIGURATION, NO_PATTERNS), hostname: 'mx' };
const queue = (number: number) => ({ queue: number, lengthMaxPackets: 10, failOpen: false, injectMark: 1 });
const pools: WorkerPool[] = [];

function createPool(testHooks = true) {
  const fake = createFakeAddon();
  const messages: LogMessage[] = [];
  const lines: string[] = [];
  const hopeless: string[] = [];
  const learned: Learning[] = [];
  const pool = new WorkerPool({
    ...{ addon: fake.addon, workerFile: pathToFileURL(workerFile), testHooks, sessionCounts: makeSessionCounts(4) },
    logger: { log: (message) => void messages.push(message), tick: () => undefined, close: () => undefined },
    onDebug: (line) => void lines.push(line),
    onLearn: (sender) => void learned.push(sender),
    onHopeless: (detail) => void hopeless.push(detail),
  });
  pools.push(pool);
  return { fake, pool, messages, lines, hopeless, learned, ids: () => messages.map(({ id }) => id) };
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.stop()));
});

const askCounters = async (pool: WorkerPool) =>
  (await pool.ask((request) => ({ kind: 'statistics', request }))).map((reply) =>
    reply.kind === 'statistics' ? reply.statistics.counters : {},
  );

describe('opening', () => {
  test('all queues or none', () => {
    const { fake, pool } = createPool();
    fake.refuse = { queue: 2, why: 'queue 2 belongs to process 77' };
    expect(() => pool.open([queue(0), queue(1), queue(2), queue(3)])).toThrow('queue 2 belongs to process 77');
    expect(fake.opened.map((options) => options.queue)).toEqual([0, 1]);
    expect(fake.closed).toEqual([0, 1]);
  });

  test('a worker a queue, each with its host', async () => {
    const { pool, fake } = createPool();
    fake.kernelDrops.set(5, 3);
    pool.open([queue(5), queue(6)]);
    await pool.start(SETTINGS);
    expect(await askCounters(pool)).toEqual([{ host: 0 }, { host: 1 }]);
    expect(pool.health()).toEqual([
      { queue: 5, heartbeatAgeMs: 0, restarts: 0 },
      { queue: 6, heartbeatAgeMs: 0, restarts: 0 },
    ]);
    expect(pool.kernelDrops()).toBe(3);
    expect(new Set(fake.woken)).toEqual(new Set([0, 1]));
  });

  test('a worker that cannot start fails the start', async () => {
    const { pool } = createPool();
    pool.open([queue(0)]);
    await expect(pool.start({ ...SETTINGS, hostname: 'broken' })).rejects.toThrow(
      /queue 0 could not start: no such thing/,
    );
  });
});

describe('messages', () => {
  test('settings and debug go to every worker, lines and log messages come back', async () => {
    const { pool, lines, messages, learned } = createPool();
    pool.open([queue(0), queue(1)]);
    await pool.start(SETTINGS);
    pool.debug(true);
    await pool.configure({ ...SETTINGS, hostname: 'other' });
    // They have been taken when that is over.
    expect(messages.map(({ fields }) => fields)).toEqual([{ detail: 'other' }, { detail: 'other' }]);
    expect(learned).toEqual([SENDER, SENDER]);
    await askCounters(pool);
    expect(lines.toSorted()).toEqual(['worker 0 true', 'worker 1 true']);
    expect(messages).toHaveLength(2);
  });

  test('settings that a worker died of before it took them are told as such', async () => {
    const { pool } = createPool();
    pool.open([queue(0)]);
    await pool.start(SETTINGS);
    pool.hurt(0, 'crash');
    await expect(pool.configure({ ...SETTINGS, hostname: 'other' })).rejects.toThrow('was replaced');
  });
});

describe('a worker that dies', () => {
  test('is replaced on the same host, told of, and what was asked of it fails', async () => {
    const { pool, lines, ids } = createPool();
    pool.open([queue(0), queue(1)]);
    await pool.start(SETTINGS);
    pool.debug(true);
    expect(pool.hurt(1, 'crash')).toBe(true);
    await expect(pool.ask((request) => ({ kind: 'sessions', request }))).rejects.toThrow(/queue 1 was replaced/);
    await vi.waitFor(() => expect(pool.health()[1]).toEqual({ queue: 1, heartbeatAgeMs: 0, restarts: 1 }));
    await vi.waitFor(async () => expect(await askCounters(pool)).toEqual([{ host: 0 }, { host: 1 }]));
    expect(ids()).toEqual(['WORKER_REPLACED']);
    // Whoever listens to debug goes on hearing the new one.
    await vi.waitFor(() => expect(lines.filter((line) => line === 'worker 1 true')).toHaveLength(2));
  });

  test('again and again is hopeless', async () => {
    const { pool, fake, hopeless } = createPool();
    pool.open([queue(0)]);
    await pool.start(SETTINGS);
    await pool.configure({ ...SETTINGS, hostname: 'broken' });
    pool.hurt(0, 'crash');
    await vi.waitFor(() => expect(hopeless).toHaveLength(1), { timeout: 20_000, interval: 50 });
    expect(hopeless[0]).toMatch(/queue 0 fails again and again/);
    expect(pool.health()[0]?.restarts).toBe(11);
    // Nobody is left to give the held packets their verdicts, so the pool does.
    await pool.stop();
    expect(fake.closed).toEqual([0]);
    pools.pop();
  }, 30_000);

  test('is not hurt without the hooks, nor a queue that is not there', async () => {
    const { pool } = createPool(false);
    pool.open([queue(0)]);
    await pool.start(SETTINGS);
    expect(pool.hurt(0, 'crash')).toBe(false);
    expect(createPool().pool.hurt(0, 'crash')).toBe(false);
  });
});

describe('a worker that hangs', () => {
  test('is replaced, one that is alive is not', async () => {
    const { pool, fake, ids } = createPool();
    pool.open([queue(0), queue(1)]);
    await pool.start(SETTINGS);
    fake.heartbeatAgesMs.set(0, 1_500);
    pool.replaceStalled([0, 1]);
    await vi.waitFor(() => expect(pool.health().map(({ restarts }) => restarts)).toEqual([1, 0]));
    expect(ids()).toEqual(['WORKER_STALLED', 'WORKER_REPLACED']);
    fake.heartbeatAgesMs.set(0, 0);
    await vi.waitFor(async () => expect(await askCounters(pool)).toHaveLength(2));
  });
});
