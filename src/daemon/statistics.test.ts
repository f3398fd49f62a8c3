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

  test('tells sessions a second over one minute and five', () => {
    const rate = new CreationRate();
    expect(rate.setupRates()).toEqual({ oneMinute: 0, fiveMinutes: 0 });
    feed(
      rate,
      Array.from({ length: 301 }, (_, second) => (second <= 240 ? second : 240 + (second - 240) * 3)),
    );
    expect(rate.setupRates()).toEqual({ oneMinute: 3, fiveMinutes: (240 + 180) / 300 });
    feed(rate, Array(301).fill(420), 301_000);
    expect(rate.setupRates()).toEqual({ oneMinute: 0, fiveMinutes: 0 });
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
  const gate = {
    ...{ counters: {}, kernelDropped: 0, halfOpen: 0, maxHalfOpen: 0, attempts: 0 },
    ...{ aggressive: false, oneMinuteRate: 0, blockedHosts: 0, synProxyHosts: [] },
  };
  const input = {
    gate,
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
      gateKernelDropped: 0,
    });
    expect(combined.protocolPackets).toEqual({ tcp: 6, smtp: 4, pop3: 0, imap: 0, udp: 0, icmp: 0 });
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

  test('packets of the gate count with those of the workers, its losses beside theirs', () => {
    const workers = [
      {
        counters: { received: 10, accepted: 9, dropped: 1, 'flows-created': 3, 'max-half-open': 2 },
        refusals: { 'host-blocked': 1 },
        masks: {},
      },
    ];
    const counters = {
      ...{ received: 100, accepted: 60, dropped: 40, 'drop-host-blocked': 40, 'flows-half-open': 7 },
      ...{ 'half-open-evicted': 20, 'half-open-expired': 5, 'half-open-reset': 3 },
    };
    const combined = combineStatistics({
      ...{ ...input, workers },
      gate: {
        ...{ counters, kernelDropped: 11, halfOpen: 8, maxHalfOpen: 21, attempts: 63 },
        ...{ aggressive: true, oneMinuteRate: 62, blockedHosts: 2, synProxyHosts: ['203.0.113.25'] },
      },
    });
    expect(combined.packets).toMatchObject({ received: 110, accepted: 69, dropped: 41 });
    expect(combined.packets).toMatchObject({ kernelDropped: 15, gateKernelDropped: 11 });
    expect(combined.sessions).toMatchObject({ halfOpen: 8, maxHalfOpen: 21, created: 63, setupsAborted: 28 });
    expect(combined.sessions.oneMinuteRate).toBe(62);
    expect(combined).toMatchObject({ aggressive: true, blockedHosts: 2, synProxyHosts: ['203.0.113.25'] });
    expect(combined.drops).toEqual({ 'l4-tcp-synflood-blackout-drop': 40 });
    expect(combined.refusals).toEqual({ 'host-blocked': 41, 'half-open-evicted': 20, 'synwait-timeout': 5 });
  });
});
