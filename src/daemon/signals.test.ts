import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { watchSignals } from './signals.ts';

function harness() {
  const source = new EventEmitter();
  const done: string[] = [];
  const waiting: (() => void)[] = [];
  const disconnect = watchSignals(
    {
      reload: () => {
        done.push('reload');
        return new Promise((resolve) => waiting.push(resolve));
      },
      stop: async (signal) => void done.push(`stop ${signal}`),
      dump: () => {
        done.push('dump');
        throw new Error('dump failed');
      },
      stopAtOnce: () => void done.push('at once'),
      failed: (what) => void done.push(`failed ${what}`),
    },
    source,
  );
  const settle = async (): Promise<void> => {
    waiting.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { source, done, settle, disconnect };
}

test('SIGHUP reloads; signals during a reload run it once more, not three times', async () => {
  const { source, done, settle } = harness();
  for (let count = 0; count < 4; count += 1) source.emit('SIGHUP');
  expect(done).toEqual(['reload']);
  await settle();
  expect(done).toEqual(['reload', 'reload']);
  await settle();
  source.emit('SIGHUP');
  expect(done).toEqual(['reload', 'reload', 'reload']);
});

test('SIGTERM stops, a second one does not wait, and nothing is reloaded meanwhile', () => {
  const { source, done } = harness();
  source.emit('SIGTERM');
  source.emit('SIGHUP');
  source.emit('SIGINT');
  expect(done).toEqual(['stop SIGTERM', 'at once']);
});

test('an action that throws is reported and the next signal still works', () => {
  const { source, done } = harness();
  source.emit('SIGUSR1');
  source.emit('SIGUSR1');
  expect(done).toEqual(['dump', 'failed SIGUSR1', 'dump', 'failed SIGUSR1']);
});

test('disconnect leaves no listener behind', () => {
  const { source, disconnect } = harness();
  disconnect();
  expect(source.eventNames()).toEqual([]);
});
