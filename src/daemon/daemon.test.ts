import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { halfOpenId } from '../engine/session.ts';
import type { LogMessage } from '../log/log-message.ts';
import { type HalfOpenRecord, loadPatterns } from '../native/addon.ts';
import { createFakeAddon } from '../native/fake-addon.ts';
import { NO_PATTERNS } from '../policy/application/pattern-sets.ts';
import { loadConfiguration } from './configuration-file.ts';
import { Daemon } from './daemon.ts';

/** A worker that answers every question, and says in its log what it was started and configured with. */
const WORKER = `
import { parentPort, workerData } from 'node:worker_threads';
const say = (settings) => {
  const { sessionLimits: limits, patterns } = settings;
  const detail = JSON.stringify({ shared: workerData.sessionCounts.workers, limits, patterns });
  parentPort.postMessage({ kind: 'log', message: { id: 'NOTICE', fields: { detail } } });
};
parentPort.on('message', (message) => {
  if (message.kind === 'stop') process.exit(0);
  if (message.kind === 'configure') say(message.settings);
  if (message.request === undefined) return;
  const statistics = { counters: { received: 10, accepted: 10 }, refusals: {}, masks: {} };
  const replies = {
    sessions: { kind: 'sessions', sessions: [] },
    statistics: { kind: 'statistics', statistics },
    clearSessions: { kind: 'count', count: 1 },
    clearStatistics: { kind: 'count', count: 0 },
  };
  parentPort.postMessage({ kind: 'reply', request: message.request, reply: replies[message.kind] });
});
say(workerData.settings);
parentPort.postMessage({ kind: 'learn', learned: { sender: 'bad@example.org', client: '192.0.2.1', minutes: 9 } });
parentPort.postMessage({ kind: 'serving', rank: 'none', tookOver: false });
`;

const folder = mkdtempSync(join(tmpdir(), 'postern-daemon-'));
const workerFile = join(folder, 'worker.mjs');
const config = join(folder, 'postern.conf');
writeFileSync(workerFile, WORKER);
afterAll(() => rmSync(folder, { recursive: true }));

const daemons: Daemon[] = [];
afterEach(async () => {
  await Promise.all(daemons.splice(0).map((daemon) => daemon.stop()));
});

const LINES = [
  ...['postern queue count 2', 'ip inspect max-incomplete high 20', 'ip inspect max-incomplete low 10'],
  ...['ip inspect tcp max-incomplete host 5 block-time 1', 'ip inspect sessions maximum 9', 'ip inspect name A smtp'],
];

function createDaemon(lines: readonly string[] = LINES) {
  writeFileSync(config, `${lines.join('\n')}\n`);
  const fake = createFakeAddon();
  const patterns = loadPatterns();
  const messages: LogMessage[] = [];
  const daemon = new Daemon(
    {
      run: { config, control: '', stateDir: folder, logFormat: 'ios', queue: 40, installRules: false },
      addon: fake.addon,
      patterns,
      logger: { log: (message) => void messages.push(message), tick: () => undefined, close: () => undefined },
      version: '9.9',
      workerFile: pathToFileURL(workerFile),
      testHooks: false,
      onHopeless: () => undefined,
    },
    loadConfiguration(config),
  );
  daemons.push(daemon);
  const show = async (command: string): Promise<string> => {
    const { output, error } = await daemon.exec({ command });
    return output ?? error ?? '';
  };
  return { fake, daemon, messages, patterns, show };
}

const record = (entry: number): HalfOpenRecord => ({
  ...{ entry, generation: 1, initiatorAddress: Uint8Array.of(198, 51, 100, 1), initiatorPort: 40_000 + entry },
  ...{ responderAddress: Uint8Array.of(203, 0, 113, 25), responderPort: 25, answered: true, createdMsAgo: 10 },
});

describe('queues', () => {
  test('the gate has the first, the workers those behind it, with the gate to ask', async () => {
    const { fake, daemon } = createDaemon();
    await daemon.start();
    expect(fake.gates.map(({ queue }) => queue)).toEqual([40]);
    expect(fake.opened.map(({ queue, gate }) => [queue, gate])).toEqual([
      [41, 0],
      [42, 0],
    ]);
    expect((await daemon.statistics()).workers.map(({ queue }) => queue)).toEqual([41, 42]);
  });

  test('a queue that cannot be had leaves nothing open', async () => {
    const { fake, daemon } = createDaemon();
    fake.refuse = { queue: 42, why: 'queue 42 belongs to process 77' };
    await expect(daemon.start()).rejects.toThrow('queue 42 belongs to process 77');
    await daemon.stop();
    expect([fake.closed, fake.gatesClosed]).toEqual([[0], [0]]);
  });

  test('what the kernel lost is told of the gate apart', async () => {
    const { fake, daemon, messages } = createDaemon();
    await daemon.start();
    for (const [queue, lost] of [
      [40, 1_000],
      [41, 2],
      [42, 3],
    ] as const)
      fake.kernelDrops.set(queue, lost);
    await daemon.tick();
    await daemon.tick();
    const lost = messages.filter(({ id }) => id === 'QUEUE_OVERRUN').map(({ fields }) => fields);
    expect(lost).toEqual([
      { queue: 40, packets: 1_000 },
      { queue: 41, packets: 5 },
    ]);
    const { packets } = await daemon.statistics();
    expect([packets.kernelDropped, packets.gateKernelDropped]).toEqual([1_005, 1_000]);
  });
});

describe('the gate in what is shown', () => {
  test('packets, half-open sessions and attempts', async () => {
    const { fake, daemon } = createDaemon();
    await daemon.start();
    fake.gateCounters.set('received', 7);
    fake.gateSample = { halfOpen: 3, halfOpenPeak: 4, attempts: 6, hosts: [], drops: [] };
    const { packets, sessions } = await daemon.statistics();
    expect(packets.received).toBe(27);
    expect(sessions).toMatchObject({ halfOpen: 3, maxHalfOpen: 4, created: 6, oneMinuteRate: 6 });
  });

  test('half-open sessions are listed and cleared by their ids', async () => {
    const { fake, daemon, show } = createDaemon();
    await daemon.start();
    fake.halfOpen = [record(3), record(4)];
    expect(await show('show ip inspect sessions')).toContain(
      ` Session ${halfOpenId(4, 1)} (198.51.100.1:40004)=>(203.0.113.25:25) smtp SIS_OPENING\n`,
    );
    // A worker of this test clears one session whatever it is asked.
    const { output } = await daemon.exec({ command: `clear ip inspect session ${halfOpenId(4, 1)}`, json: true });
    expect(JSON.parse(output ?? '')).toEqual({ cleared: 3 });
    expect(fake.halfOpenCleared).toEqual([[4, 1]]);
  });

  test('blocked hosts are shown, and free when they are cleared', async () => {
    const { fake, daemon, show } = createDaemon();
    await daemon.start();
    const hosts = [{ address: Uint8Array.of(203, 0, 113, 25), halfOpen: 6 }];
    fake.gateSample = { halfOpen: 6, halfOpenPeak: 6, attempts: 6, hosts, drops: [] };
    expect((await daemon.statistics()).blockedHosts).toBe(1);
    expect(await show('show ip inspect blocked-hosts')).toContain('203.0.113.25');
    expect(await show('clear ip inspect blocked-hosts 203.0.113.25')).toBe('');
    expect(await show('show ip inspect blocked-hosts')).toBe('');
    expect(await show('clear ip inspect blocked-hosts 203.0.113.25')).toBe('% 203.0.113.25 is not blocked');
  });
});

describe('a reload', () => {
  test('sets the gate and the limits of the workers', async () => {
    const { fake, daemon, messages } = createDaemon();
    await daemon.start();
    expect(fake.gateLimits.at(-1)).toMatchObject({ halfOpenMax: 20, hostHalfOpenMax: 5 });
    writeFileSync(config, 'postern queue count 2\nip inspect max-incomplete high 30\nip inspect name B smtp\n');
    expect(await daemon.reload()).toEqual([]);
    expect(fake.gateLimits.at(-1)).toMatchObject({ halfOpenMax: 30, hostHalfOpenMax: 50 });
    await daemon.statistics();
    const details = messages.flatMap((message) => (message.id === 'NOTICE' ? [String(message.fields.detail)] : []));
    const told = details.filter((detail) => detail.startsWith('{')).map((detail) => JSON.parse(detail));
    const [unlimited, before] = [null, { maximum: 9, rules: [{ rule: 'A', place: 1, maximum: null }] }];
    const after = { maximum: unlimited, rules: [{ rule: 'B', place: 2, maximum: null }] };
    expect(told).toEqual(
      [before, before, after, after].map((limits) => ({ shared: 2, limits, patterns: NO_PATTERNS })),
    );
  });

  test('a bad file changes nothing', async () => {
    const { fake, daemon } = createDaemon();
    await daemon.start();
    writeFileSync(config, 'ip inspect max-incomplete high none\n');
    expect(await daemon.reload()).toHaveLength(1);
    expect(fake.gateLimits).toHaveLength(1);
  });
});

describe('patterns', () => {
  const policy = (pattern: string) => [
    ...['postern queue count 2', 'parameter-map type regex WORDS', ` pattern "${pattern}"`],
    ...['class-map type inspect smtp match-any C', ' match sender address regex WORDS'],
    ...['policy-map type inspect smtp P', ' class type inspect smtp C', '  log'],
  ];
  const BAD = '(ab){9999}';
  const MESSAGE = `% Pattern "${BAD}" of parameter-map WORDS: Resource limit exceeded`;
  /** What workers were told of sets, in their order. */
  const setsOf = (messages: readonly LogMessage[]) =>
    messages
      .map(({ fields }) => ('detail' in fields ? String(fields.detail) : ''))
      .flatMap((detail) => (detail.startsWith('{') ? [JSON.parse(detail).patterns?.sets] : []));

  test('are compiled before workers begin, anew when they change, and released when all have taken the new ones', async () => {
    const { daemon, messages, patterns } = createDaemon(policy('one'));
    await daemon.start();
    await daemon.statistics();
    const [{ sender: first }, second] = setsOf(messages);
    expect(second).toEqual({ sender: first });
    expect(patterns.matchOnce(first, 'one@example.org')).toEqual([0]);
    // The patterns are the same, so they are not compiled again.
    writeFileSync(config, `${['ip inspect audit-trail', ...policy('one')].join('\n')}\n`);
    expect(await daemon.reload()).toEqual([]);
    expect(setsOf(messages).slice(2)).toEqual([{ sender: first }, { sender: first }]);
    writeFileSync(config, `${policy('two').join('\n')}\n`);
    expect(await daemon.reload()).toEqual([]);
    const [{ sender: next }] = setsOf(messages).slice(4);
    expect(patterns.matchOnce(next, 'two@example.org')).toEqual([0]);
    expect(() => patterns.matchOnce(first, 'one@example.org')).toThrow('no such patterns');
  });

  test('that are refused leave the old policy as it was', async () => {
    const { daemon, messages, patterns, show } = createDaemon(policy('one'));
    await daemon.start();
    await daemon.statistics();
    const told = setsOf(messages);
    writeFileSync(config, `${policy(BAD).join('\n')}\n`);
    expect(await daemon.reload()).toEqual([`${config}:3:11: ${MESSAGE}\n pattern "${BAD}"\n          ^`]);
    expect(await daemon.configure(['parameter-map type regex WORDS', `pattern "${BAD}"`])).toEqual({
      error: `terminal:2:10: ${MESSAGE}\npattern "${BAD}"\n         ^`,
    });
    await daemon.statistics();
    expect(setsOf(messages)).toEqual(told);
    expect(messages.map(({ id }) => id)).toContain('CONFIG_REJECTED');
    expect(patterns.matchOnce(told[0].sender, 'one@example.org')).toEqual([0]);
    expect(await show('show running-config')).not.toContain(BAD);
  });

  test('that are refused let no daemon start', async () => {
    const { daemon, fake } = createDaemon(policy(BAD));
    await expect(daemon.start()).rejects.toThrow(MESSAGE);
    expect([fake.opened, fake.gates]).toEqual([[], []]);
  });
});

test('what is learned is shown and cleared', async () => {
  const { daemon, show } = createDaemon([
    ...['postern queue count 1', 'parameter-map type regex TRAP', ' pattern "trap"'],
    ...['class-map type inspect smtp match-any C', ' match recipient address regex TRAP'],
    ...['policy-map type inspect smtp P', ' class type inspect smtp C', '  learn sender for 9'],
  ]);
  await daemon.start();
  await vi.waitFor(async () => expect(await show('show postern learned')).toContain('bad@example.org'));
  expect(await show('clear postern learned @example.org')).not.toMatch(/^%/);
  expect(await show('show postern learned')).not.toContain('bad@example.org');
});

test('the gate is closed when it is over', async () => {
  const { fake, daemon } = createDaemon();
  await daemon.start();
  await daemon.stop();
  daemons.pop();
  expect(fake.gatesClosed).toEqual([0]);
});
