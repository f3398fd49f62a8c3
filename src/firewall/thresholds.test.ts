import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  initialThresholds,
  publishedRate,
  stepThresholds,
  type ThresholdDecision,
  type ThresholdLimits,
  type ThresholdSample,
} from './thresholds.ts';

const CLASSIC: ThresholdLimits = {
  ...{ maxIncompleteHigh: 500, maxIncompleteLow: 400 },
  ...{ oneMinuteHigh: 500, oneMinuteLow: 400 },
};
const UNLIMITED: ThresholdLimits = {
  ...{ maxIncompleteHigh: Number.POSITIVE_INFINITY, maxIncompleteLow: Number.POSITIVE_INFINITY },
  ...{ oneMinuteHigh: Number.POSITIVE_INFINITY, oneMinuteLow: Number.POSITIVE_INFINITY },
};
const NO_RATE = { ...CLASSIC, oneMinuteHigh: UNLIMITED.oneMinuteHigh, oneMinuteLow: UNLIMITED.oneMinuteLow };
const TICK_MS = 50;

interface Told extends ThresholdDecision {
  readonly atMs: number;
}

/** The thresholds under samples that come every 50 ms. */
function watch(limits: ThresholdLimits = CLASSIC) {
  let state = initialThresholds(0);
  let nowMs = 0;
  const told: Told[] = [];
  const watcher = {
    told,
    limits,
    nowMs: () => nowMs,
    rate: () => publishedRate(state),
    aggressive: () => state.aggressive,
    sample(sample: Partial<ThresholdSample> = {}, afterMs = TICK_MS) {
      nowMs += afterMs;
      const halfOpen = sample.halfOpen ?? 0;
      const whole = { halfOpen, halfOpenPeak: sample.halfOpenPeak ?? halfOpen, attempts: sample.attempts ?? 0 };
      const step = stepThresholds(state, watcher.limits, whole, nowMs);
      state = step.state;
      if (step.decision !== undefined) told.push({ ...step.decision, atMs: nowMs });
      return step.decision;
    },
  };
  return watcher;
}

describe('max-incomplete', () => {
  test('begins strictly above high and ends strictly below low', () => {
    const watcher = watch(NO_RATE);
    expect(watcher.sample({ halfOpen: 500 })).toBeUndefined();
    expect(watcher.sample({ halfOpen: 501 })).toEqual({ kind: 'aggressive', halfOpen: 501, limit: 500, rate: 0 });
    expect(watcher.sample({ halfOpen: 400 })).toBeUndefined();
    expect(watcher.aggressive()).toBe(true);
    expect(watcher.sample({ halfOpen: 399 })).toEqual({ kind: 'calm', halfOpen: 399, limit: 400, rate: 0 });
    expect(watcher.aggressive()).toBe(false);
  });

  test('a peak between two samples is enough, and is the number that is told', () => {
    const watcher = watch(NO_RATE);
    expect(watcher.sample({ halfOpen: 12, halfOpenPeak: 500 })).toBeUndefined();
    expect(watcher.sample({ halfOpen: 500, halfOpenPeak: 501 })).toMatchObject({ kind: 'aggressive', halfOpen: 501 });
  });

  test('between low and high nothing flaps, whichever way it is', () => {
    const watcher = watch(NO_RATE);
    for (let round = 0; round < 200; round += 1) watcher.sample({ halfOpen: round % 2 === 0 ? 401 : 500 });
    expect(watcher.told).toEqual([]);
    watcher.sample({ halfOpen: 501 });
    for (let round = 0; round < 200; round += 1) watcher.sample({ halfOpen: round % 2 === 0 ? 400 : 700 });
    expect(watcher.told.map(({ kind }) => kind)).toEqual(['aggressive']);
  });

  test('low may equal high', () => {
    const watcher = watch({ ...NO_RATE, maxIncompleteLow: 500 });
    for (const halfOpen of [501, 500, 499, 500, 501]) watcher.sample({ halfOpen });
    expect(watcher.told.map(({ kind, halfOpen }) => [kind, halfOpen])).toEqual([
      ['aggressive', 501],
      ['calm', 499],
      ['aggressive', 501],
    ]);
  });
});

describe('one-minute', () => {
  test.each([60, 240, 500, 6_000])('a steady %i a minute converges to that number', (lambda) => {
    const watcher = watch(UNLIMITED);
    let owed = 0;
    for (let tick = 0; tick < (10 * 60_000) / TICK_MS; tick += 1) {
      owed += (lambda * TICK_MS) / 60_000;
      const attempts = Math.floor(owed + 1e-9);
      owed -= attempts;
      watcher.sample({ attempts });
    }
    expect(watcher.rate()).toBeGreaterThanOrEqual(Math.floor(lambda * 0.99) - 1);
    expect(watcher.rate()).toBeLessThanOrEqual(Math.ceil(lambda * 1.01) + 1);
  });

  test('decays to 1/e in a minute, whatever the samples between', () => {
    for (const steps of [1, 7, 1_200]) {
      const watcher = watch(UNLIMITED);
      watcher.sample({ attempts: 1_000_000 }, 0);
      for (let step = 0; step < steps; step += 1) watcher.sample({}, 60_000 / steps);
      expect(watcher.rate()).toBeCloseTo(1_000_000 / Math.E, -1);
    }
  });

  test('alone begins it, strictly above, with the number of half-open sessions of the moment', () => {
    const watcher = watch();
    expect(watcher.sample({ halfOpen: 3, halfOpenPeak: 9, attempts: 500 }, 0)).toBeUndefined();
    expect(watcher.sample({ halfOpen: 3, halfOpenPeak: 9, attempts: 1 }, 0)).toEqual({
      ...{ kind: 'aggressive', halfOpen: 3, limit: 500, rate: 501 },
    });
  });

  test('holds it while half-open sessions are few, until it is strictly below low', () => {
    const watcher = watch();
    watcher.sample({ attempts: 501 }, 0);
    const rates: number[] = [];
    while (watcher.aggressive()) {
      watcher.sample({}, TICK_MS);
      rates.push(watcher.rate());
    }
    expect(rates.at(-1)).toBe(399);
    expect(rates.at(-2)).toBeGreaterThanOrEqual(400);
    expect(watcher.told.at(-1)).toMatchObject({ kind: 'calm', halfOpen: 0, limit: 400, rate: 399 });
    // 60 s * ln(501/400): the moment at which the estimate falls below 400.
    expect(watcher.nowMs()).toBeGreaterThan(60_000 * Math.log(501 / 400) - TICK_MS);
    expect(watcher.nowMs()).toBeLessThan(60_000 * Math.log(501 / 400) + 2 * TICK_MS);
  });

  test('half-open sessions alone hold it too', () => {
    const watcher = watch();
    watcher.sample({ halfOpen: 501 });
    for (let minute = 0; minute < 5; minute += 1) watcher.sample({ halfOpen: 400 }, 60_000);
    expect(watcher.aggressive()).toBe(true);
  });

  test('a clock that went back neither decays nor grows it', () => {
    const watcher = watch(UNLIMITED);
    watcher.sample({ attempts: 100 });
    watcher.sample({}, -10_000);
    expect(watcher.rate()).toBe(100);
    watcher.sample({}, 10_000);
    expect(watcher.rate()).toBe(100);
  });
});

describe('configuration', () => {
  test('unlimited never begins', () => {
    const watcher = watch(UNLIMITED);
    watcher.sample({ halfOpen: 4_000_000, attempts: 1e9 });
    expect(watcher.told).toEqual([]);
  });

  test('new limits hold from the next sample on, both ways', () => {
    const watcher = watch(NO_RATE);
    watcher.sample({ halfOpen: 300 });
    watcher.limits = { ...NO_RATE, maxIncompleteHigh: 200, maxIncompleteLow: 100 };
    expect(watcher.sample({ halfOpen: 300 })).toMatchObject({ kind: 'aggressive', halfOpen: 300, limit: 200 });
    watcher.limits = NO_RATE;
    expect(watcher.sample({ halfOpen: 300 })).toMatchObject({ kind: 'calm', halfOpen: 300, limit: 400 });
  });

  test('unlimited while aggressive ends it', () => {
    const watcher = watch();
    watcher.sample({ halfOpen: 501 });
    watcher.limits = UNLIMITED;
    expect(watcher.sample({ halfOpen: 501 })).toMatchObject({ kind: 'calm' });
  });
});

const samples = fc.array(
  fc.record({
    halfOpen: fc.nat(1_000),
    more: fc.nat(200),
    attempts: fc.nat(100),
    afterMs: fc.nat(5_000),
  }),
  { maxLength: 300 },
);

describe('properties', () => {
  test('on and off take turns, and each has its cause in the numbers it tells', () => {
    fc.assert(
      fc.property(samples, (given) => {
        const watcher = watch();
        for (const { halfOpen, more, attempts, afterMs } of given) {
          watcher.sample({ halfOpen, halfOpenPeak: halfOpen + more, attempts }, afterMs);
        }
        watcher.told.forEach(({ kind, halfOpen, limit, rate }, index) => {
          expect(kind).toBe(index % 2 === 0 ? 'aggressive' : 'calm');
          if (kind === 'aggressive') {
            expect(limit).toBe(500);
            expect(halfOpen > 500 || rate > 500).toBe(true);
          } else {
            expect(limit).toBe(400);
            expect(halfOpen < 400 && rate < 400).toBe(true);
          }
        });
      }),
    );
  });

  test('how a stretch of time is cut into samples changes the rate by no more than their decay', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { minLength: 1, maxLength: 50 }), (attempts) => {
        const fine = watch(UNLIMITED);
        for (const count of attempts) fine.sample({ attempts: count }, 1);
        const coarse = watch(UNLIMITED);
        coarse.sample({ attempts: attempts.reduce((sum, count) => sum + count, 0) }, attempts.length);
        const most = coarse.rate();
        expect(fine.rate()).toBeLessThanOrEqual(most);
        expect(fine.rate()).toBeGreaterThanOrEqual(Math.floor(most * Math.exp(-attempts.length / 60_000)) - 1);
      }),
    );
  });
});
