import { describe, expect, test } from 'vitest';
import { CreationRate, combineStatistics } from './statistics.ts';

describe('CreationRate', () => {
  const feed = (rate: CreationRate, totals: readonly number[], startMs = 0): void => {
    for (const [second, total] of totals.entries()) rate.sample(total, startMs + second * 1_000);
  };

  test('counts from the start while that is less than a minute ago', () => {
    const rate = new CreationRate();
    feed(rate, [0, 3, 8]);
    expect([rate.rate(), rate.maxRate()]).toEqual([8, 8]);
  });

  test('counts the last sixty seconds after that, and remembers the most', () => {
    const rate = new CreationRate();
    const totals = Array.from({ length: 61 }, (_, second) => second * 10);
    feed(rate, totals);
    expect(rate.rate()).toBe(600);
    feed(rate, Array(30).fill(600), 61_000);
    expect([rate.rate(), rate.maxRate()]).toEqual([300, 600]);
  });

  test('a cleared counter begins again', () => {
    const rate = new CreationRate();
    feed(rate, [100, 200]);
    rate.sample(5, 2_000);
    expect([rate.rate(), rate.maxRate()]).toEqual([5, 200]);
  });

  test('clearing forgets the rates, but not when the last session came', () => {
    const rate = new CreationRate();
    feed(rate, [0, 7]);
    rate.clear();
    expect([rate.rate(), rate.maxRate(), rate.lastCreatedSecondsAgo(3_000)]).toEqual([0, 0, 2]);
    feed(rate, [0, 2], 4_000);
    expect([rate.rate(), rate.maxRate()]).toEqual([2, 2]);
  });

  test('knows when the last session came, and that none did', () => {
    const rate = new CreationRate();
    expect(rate.lastCreatedSecondsAgo(5_000)).toBeUndefined();
    feed(rate, [0, 0]);
    expect(rate.lastCreatedSecondsAgo(5_000)).toBeUndefined();
    feed(rate, [1, 1, 1], 10_000);
    expect(rate.lastCreatedSecondsAgo(13_999)).toBe(3);
  });
});

describe('combineStatistics', () => {
  const input = {
    health: [{ queue: 0, heartbeatAgeMs: 3, restarts: 1 }],
    ...{ kernelDropped: 4, rate: new CreationRate(), nowMs: 61_500, startedAtMs: 1_000 },
  };

  test('knows when it was cleared, and that it never was', () => {
    expect(combineStatistics({ ...input, workers: [] }).clearedSecondsAgo).toBeUndefined();
    expect(combineStatistics({ ...input, workers: [], clearedAtMs: 60_000 }).clearedSecondsAgo).toBe(1);
  });

  test('adds the workers up', () => {
    const worker = (received: number, refusals: Record<string, number>) => ({
      counters: {
        received,
        accepted: received - 1,
        dropped: 1,
        'smtp-packets': 2,
        'other-packets': 1,
        'max-established': 2,
      },
      refusals,
      masks: { EXPN: 1 },
    });
    const combined = combineStatistics({
      ...input,
      workers: [worker(10, { 'early-talk': 1 }), worker(5, { 'early-talk': 2, cleared: 1 })],
    });
    expect(combined.packets).toEqual({
      ...{ received: 15, accepted: 13, rewritten: 0, dropped: 2, held: 0, kernelDropped: 4, injected: 0 },
    });
    expect(combined.protocolPackets).toEqual({ tcp: 6, smtp: 4, pop3: 0, imap: 0 });
    expect(combined.refusals).toEqual({ 'early-talk': 3, cleared: 1 });
    expect(combined.masks).toEqual({ EXPN: 2 });
    expect(combined.workers).toEqual(input.health);
    expect(combined.startedSecondsAgo).toBe(60);
  });

  test('without workers everything is zero, and no session was ever created', () => {
    const combined = combineStatistics({ ...input, workers: [] });
    expect(Object.values(combined.reassembly)).toEqual([0, 0, 0, 0, 0]);
    expect('lastCreatedSecondsAgo' in combined.sessions).toBe(false);
    expect(combined.aggressive).toBe(false);
  });
});
