import { describe, expect, test } from 'vitest';
import { type HostLimit, NO_HOSTS, stepHosts } from './host-blocks.ts';
import { initialThresholds, publishedRate, stepThresholds, type ThresholdLimits } from './thresholds.ts';

/**
 * Floods second by second against the text of cisco-ios 3.2 to 3.4: the rules of this room with a small model of the
 * gate (native/engine/gate.h) that carries their decisions out as the real one does.
 */
const TICK_MS = 50;
const SYNWAIT_MS = 30_000;

interface Entry {
  readonly host: string;
  readonly bornMs: number;
}

interface Told {
  readonly atMs: number;
  readonly text: string;
}

interface Limits extends ThresholdLimits, HostLimit {}

const CLASSIC: Limits = {
  ...{ maxIncompleteHigh: 500, maxIncompleteLow: 400, oneMinuteHigh: 500, oneMinuteLow: 400 },
  ...{ halfOpenMax: 50, blockMinutes: 0 },
};

/** Half-open sessions in the order of their age, limits enforced at every arrival, decisions twenty times a second. */
class Model {
  readonly told: Told[] = [];
  nowMs = 0;
  refused = 0;
  evicted = 0;
  mostHalfOpen = 0;
  readonly limits: Limits;
  #entries: Entry[] = [];
  #thresholds = initialThresholds(0);
  #hosts = NO_HOSTS;
  #peak = 0;
  #attempts = 0;
  #reports = new Set<string>();

  constructor(limits: Partial<Limits> = {}) {
    this.limits = { ...CLASSIC, ...limits };
  }

  get halfOpen(): number {
    return this.#entries.length;
  }

  get aggressive(): boolean {
    return this.#thresholds.aggressive;
  }

  get rate(): number {
    return publishedRate(this.#thresholds);
  }

  of(host: string): number {
    return this.#entries.filter((entry) => entry.host === host).length;
  }

  arrive(host: string): void {
    if (this.#hosts.blocks.has(host)) {
      this.refused += 1;
      return;
    }
    this.#entries.push({ host, bornMs: this.nowMs });
    this.#attempts += 1;
    this.#peak = Math.max(this.#peak, this.halfOpen);
    if (this.of(host) > this.limits.halfOpenMax) this.#reports.add(host);
    if (this.aggressive) this.#evict(() => true);
    while (this.halfOpen > this.limits.maxIncompleteHigh) this.#evict(() => true);
    while (this.of(host) > this.limits.halfOpenMax) this.#evict((entry) => entry.host === host);
    this.mostHalfOpen = Math.max(this.mostHalfOpen, this.halfOpen);
  }

  /** The newest of the host answers: its handshake is complete. */
  complete(host: string): void {
    const index = this.#entries.findLastIndex((entry) => entry.host === host);
    if (index >= 0) this.#entries.splice(index, 1);
  }

  /** `perSecond` arrivals for each host, evenly, and the sample that follows each tick. */
  run(seconds: number, perSecond = 0, hosts: readonly string[] = ['a'], completes = false): void {
    let owed = 0;
    for (let tick = 0; tick < (seconds * 1_000) / TICK_MS; tick += 1) {
      owed += (perSecond * TICK_MS) / 1_000;
      for (; owed >= 1 - 1e-9; owed -= 1) {
        for (const host of hosts) {
          this.arrive(host);
          if (completes) this.complete(host);
        }
      }
      this.nowMs += TICK_MS;
      this.sample();
    }
  }

  sample(): void {
    this.#entries = this.#entries.filter(({ bornMs }) => this.nowMs - bornMs < SYNWAIT_MS);
    const counted = { halfOpen: this.halfOpen, halfOpenPeak: Math.max(this.#peak, this.halfOpen) };
    const step = stepThresholds(this.#thresholds, this.limits, { ...counted, attempts: this.#attempts }, this.nowMs);
    this.#thresholds = step.state;
    const { decision } = step;
    if (decision !== undefined) {
      const name = decision.kind === 'aggressive' ? 'ALERT_ON' : 'ALERT_OFF';
      this.#tell(`${name} (${decision.halfOpen}/${decision.limit}) rate ${decision.rate}`);
    }
    const hosts = stepHosts(this.#hosts, this.limits, [...this.#reports], this.nowMs);
    this.#hosts = hosts.state;
    for (const { kind, host } of hosts.decisions) {
      if (kind === 'block') this.#entries = this.#entries.filter((entry) => entry.host !== host);
      const names = { alert: 'HOST_TCP_ALERT_ON', block: 'BLOCK_HOST', unblock: 'UNBLOCK_HOST' };
      this.#tell(`${names[kind]} ${host}`);
    }
    this.#peak = this.halfOpen;
    this.#attempts = 0;
    this.#reports = new Set();
  }

  texts(): readonly string[] {
    return this.told.map(({ text }) => text);
  }

  #tell(text: string): void {
    this.told.push({ atMs: this.nowMs, text });
  }

  #evict(matches: (entry: Entry) => boolean): void {
    const index = this.#entries.findIndex(matches);
    if (index >= 0) this.#entries.splice(index, 1);
    this.evicted += 1;
  }
}

const MANY = Array.from({ length: 40 }, (_, index) => `host-${index}`);

describe('max-incomplete (3.3)', () => {
  test('a slow rise passes high once, and the oldest makes room for each new one', () => {
    const model = new Model({ oneMinuteHigh: Number.POSITIVE_INFINITY, oneMinuteLow: Number.POSITIVE_INFINITY });
    model.run(12.5, 1, MANY);
    expect([model.halfOpen, model.texts()]).toEqual([480, []]);
    model.run(1, 1, MANY);
    // Forty come at the same moment: the peak is one above high, for the oldest gives way before the next comes.
    expect(model.texts()).toEqual([expect.stringMatching(/^ALERT_ON \(501\/500\) rate \d+$/)]);
    model.run(10, 1, MANY);
    expect(model.halfOpen).toBeLessThanOrEqual(500);
    expect(model.mostHalfOpen).toBeLessThanOrEqual(500);
    expect(model.texts()).toHaveLength(1);
  });

  test('one more than high in a burst: noticed though the sample sees no more than high', () => {
    const model = new Model({ maxIncompleteHigh: 20, maxIncompleteLow: 10 });
    for (let count = 0; count < 20; count += 1) model.arrive('a');
    model.sample();
    expect(model.texts()).toEqual([]);
    model.arrive('a');
    model.sample();
    expect(model.texts()).toEqual(['ALERT_ON (21/20) rate 21']);
    expect(model.halfOpen).toBe(20);
  });

  test('established sessions are no victims: what completes is never half-open long', () => {
    const model = new Model();
    model.run(120, 6, ['a'], true);
    expect([model.halfOpen, model.evicted, model.texts()]).toEqual([0, 0, []]);
    expect(model.rate).toBeGreaterThan(300);
  });

  test('calm again when synwait has emptied the table and the rate is below low', () => {
    const model = new Model({ halfOpenMax: Number.POSITIVE_INFINITY });
    model.run(5, 300);
    expect(model.aggressive).toBe(true);
    model.run(31);
    expect(model.halfOpen).toBe(0);
    expect(model.aggressive).toBe(true);
    model.run(120);
    expect(model.texts()).toEqual([
      expect.stringMatching(/^ALERT_ON \(\d+\/500\) rate \d+$/),
      'ALERT_OFF (0/400) rate 399',
    ]);
  });

  test('a flood that pulses around the thresholds tells twice, not every time', () => {
    const model = new Model({ ...{ oneMinuteHigh: Number.POSITIVE_INFINITY, oneMinuteLow: Number.POSITIVE_INFINITY } });
    for (let pulse = 0; pulse < 10; pulse += 1) {
      model.run(2, 20, MANY.slice(0, 20));
      model.run(8);
    }
    expect(model.texts()).toHaveLength(1);
  });
});

describe('one-minute (3.2)', () => {
  test('a steady rate of lambda converges to lambda and triggers only above high', () => {
    const calm = new Model();
    calm.run(600, 8, ['a'], true);
    expect(calm.texts()).toEqual([]);
    expect(calm.rate).toBeGreaterThan(470);
    expect(calm.rate).toBeLessThanOrEqual(481);
    const loud = new Model();
    loud.run(600, 9, ['a'], true);
    expect(loud.texts()).toEqual(['ALERT_ON (0/500) rate 501']);
  });

  test('the rate alone turns it on, and the line shows how few are half-open', () => {
    const model = new Model();
    model.run(28, 20, ['a'], true);
    for (const host of ['x', 'y', 'z']) model.arrive(host);
    expect(model.texts()).toEqual([]);
    model.run(10, 20, ['a'], true);
    expect(model.texts()).toEqual(['ALERT_ON (3/500) rate 501']);
  });
});

describe('tcp max-incomplete host (3.4)', () => {
  test('block-time 0: the number of the host never exceeds the limit, others are left alone', () => {
    const model = new Model();
    model.run(2, 10, ['b']);
    model.run(10, 30, ['a']);
    expect([model.of('a'), model.of('b')]).toEqual([50, 20]);
    expect(model.texts()).toEqual(['HOST_TCP_ALERT_ON a']);
    expect(model.refused).toBe(0);
  });

  test('block-time 5: all of its sessions go, and each new one is dropped for five minutes', () => {
    const model = new Model({ blockMinutes: 5, oneMinuteHigh: 5_000, oneMinuteLow: 4_000 });
    model.run(10, 30, ['a']);
    expect(model.texts()).toEqual(['HOST_TCP_ALERT_ON a', 'BLOCK_HOST a']);
    expect(model.of('a')).toBe(0);
    expect(model.refused).toBeGreaterThan(200);
    const blockedMs = model.told[1]?.atMs ?? 0;
    model.run(300, 1, ['a']);
    const unblock = model.told[2];
    expect(unblock?.text).toBe('UNBLOCK_HOST a');
    expect((unblock?.atMs ?? 0) - blockedMs).toBe(300_000);
    expect(model.of('a')).toBeGreaterThan(0);
  });
});

test('the whole story in its order, with its numbers', () => {
  const model = new Model({ halfOpenMax: 50, blockMinutes: 1, maxIncompleteHigh: 100, maxIncompleteLow: 80 });
  // A hundred half-open sessions of other servers first, then a flood for one.
  model.run(5, 1, MANY.slice(0, 19));
  expect([model.halfOpen, model.texts()]).toEqual([95, []]);
  model.run(1, 120, ['victim']);
  model.run(5, 120, ['victim']);
  model.run(240);
  expect(model.texts()).toEqual([
    // A hundred and one came, and in the seconds before the rate fell by four.
    'ALERT_ON (101/100) rate 97',
    'HOST_TCP_ALERT_ON victim',
    'BLOCK_HOST victim',
    expect.stringMatching(/^ALERT_OFF \(\d+\/80\) rate \d+$/),
    'UNBLOCK_HOST victim',
  ]);
  const [on, alert, block, off, unblock] = model.told.map(({ atMs }) => atMs);
  expect((alert ?? 0) >= (on ?? 0) && block === alert).toBe(true);
  expect((off ?? 0) > (block ?? 0)).toBe(true);
  expect((unblock ?? 0) - (block ?? 0)).toBe(60_000);
});
