import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { type Configuration, EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { type LearnedChanges, LearnedIndex } from '../policy/learned.ts';
import { LearnedSenders, usesLearning } from './learned-senders.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-learned-senders-'));
afterAll(() => rmSync(folder, { recursive: true }));

const opened: LearnedSenders[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((senders) => senders.close()));
});

const LEARNING: Configuration = {
  ...EMPTY_CONFIGURATION,
  policyMaps: [{ name: 'P', protocol: 'smtp', classes: [{ name: 'C', actions: [['learn', 'sender']] }] }],
};

function start(name: string) {
  const told: LearnedChanges[] = [];
  const logger = { log: () => undefined, tick: () => undefined, close: () => undefined };
  const stateDir = join(folder, name);
  const senders = new LearnedSenders({ stateDir, logger, tell: (changes) => void told.push(changes) });
  opened.push(senders);
  return { senders, told, stateDir };
}

const client = '192.0.2.1';

test('nothing is opened for a configuration that neither learns nor asks', async () => {
  const { senders, stateDir } = start('none');
  await senders.configure(EMPTY_CONFIGURATION);
  expect(existsSync(stateDir)).toBe(false);
  senders.learn({ sender: 'a@example.org', client });
  expect([senders.entries(), senders.whole(), senders.clear('all')]).toEqual([[], undefined, 0]);
});

test('who asks what was learned needs the store too, but a map of layer 3 and 4 does not', () => {
  const asking = (protocol?: 'smtp') => ({
    ...EMPTY_CONFIGURATION,
    classMaps: [{ ...{ name: 'C', combine: 'match-any' as const }, matches: [{ words: ['sender', 'learned'] }] }].map(
      (map) => (protocol === undefined ? map : { ...map, protocol }),
    ),
  });
  expect([usesLearning(LEARNING), usesLearning(asking('smtp')), usesLearning(asking())]).toEqual([true, true, false]);
});

test('what workers learn within a moment is told to all of them at once', async () => {
  const { senders, told } = start('wave');
  await senders.configure(LEARNING);
  for (const number of [1, 2, 3]) senders.learn({ sender: `s${number}@example.org`, client });
  await vi.waitFor(() => expect(told).toHaveLength(1));
  const index = new LearnedIndex(Date.now);
  for (const changes of told) index.apply(changes);
  expect([1, 2, 3, 4].map((number) => index.sender(`S${number}@example.org`))).toEqual([true, true, true, false]);
  expect([index.domain('example.org'), index.client(client)]).toEqual([true, true]);
  senders.tick();
  expect(told).toHaveLength(1);
});

test('a worker that begins later is told everything, and what is cleared is told as gone', async () => {
  const { senders, told } = start('later');
  await senders.configure(LEARNING);
  senders.learn({ sender: 'a@example.org', client, minutes: 5 });
  senders.learn({ sender: 'b@example.net', client });
  const index = new LearnedIndex(Date.now);
  index.apply(senders.whole() ?? { revision: 0, whole: true, put: [], removed: [] });
  expect(senders.clear('@example.org')).toBe(1);
  await vi.waitFor(() => expect(told).toHaveLength(1));
  for (const changes of told) index.apply(changes);
  expect([index.sender('a@example.org'), index.sender('b@example.net')]).toEqual([false, true]);
});

test('it is there again after a restart', async () => {
  const { senders } = start('restart');
  await senders.configure(LEARNING);
  senders.learn({ sender: 'a@example.org', client });
  await senders.close();
  const next = start('restart');
  await next.senders.configure(LEARNING);
  expect(next.senders.entries()).toMatchObject([{ sender: 'a@example.org', hits: 1 }]);
});
