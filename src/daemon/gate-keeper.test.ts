import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { formatLogMessage, iosLine } from '../log/format.ts';
import type { LogMessage } from '../log/log-message.ts';
import type { GateDrop, GateSample } from '../native/addon.ts';
import { createFakeAddon, FAKE_COUNTERS } from '../native/fake-addon.ts';
import { type Configuration, EMPTY_CONFIGURATION, type InspectGlobals } from '../policy/configuration.ts';
import { GateKeeper } from './gate-keeper.ts';

const QUEUE = { queue: 40, lengthMaxPackets: 10, failOpen: false, injectMark: 1 };
const HOST = Uint8Array.of(203, 0, 113, 25);
const MINUTE = 60_000;

const configurationOf = (inspect: InspectGlobals, more: Partial<Configuration> = {}): Configuration => ({
  ...EMPTY_CONFIGURATION,
  ...more,
  inspect,
});

const ZONED: Partial<Configuration> = {
  interfaces: [{ name: 'out0', zone: 'outside' }],
  zones: [{ name: 'outside' }],
  zonePairs: [{ name: 'OUT-SELF', source: 'outside', destination: 'self', policy: 'P' }],
  classMaps: [{ name: 'POP', combine: 'match-all', matches: [{ words: ['protocol', 'pop3'] }] }],
  policyMaps: [{ name: 'P', classes: [{ name: 'POP', actions: [['pass', 'log']] }] }],
};

function keep(inspect: InspectGlobals = {}, more: Partial<Configuration> = {}, proxied: readonly string[] = []) {
  const fake = createFakeAddon();
  const messages: LogMessage[] = [];
  const aggressive: (readonly [boolean, readonly string[]])[] = [];
  const hopeless: string[] = [];
  const flooded: string[][] = [];
  let nowMs = 0;
  const keeper = new GateKeeper(
    {
      addon: fake.addon,
      logger: { log: (message) => void messages.push(message), tick: () => undefined, close: () => undefined },
      markSession: 16,
      now: () => nowMs,
      synProxy: {
        takes: (host) => proxied.includes(host),
        flooded: (hosts) => void flooded.push([...hosts]),
        hosts: () => proxied,
      },
      onAggressive: (on, hosts) => void aggressive.push([on, hosts]),
      onHopeless: (detail) => void hopeless.push(detail),
    },
    configurationOf(inspect, more),
  );
  keeper.open(QUEUE);
  return {
    ...{ fake, keeper, messages, aggressive, hopeless, flooded },
    lines: () => messages.map((message) => iosLine(formatLogMessage(message))),
    limits: () => fake.gateLimits.at(-1),
    sampleAfter(afterMs: number, sample: Partial<GateSample> = {}) {
      nowMs += afterMs;
      const halfOpen = sample.halfOpen ?? fake.gateSample.halfOpen;
      fake.gateSample = { halfOpen, halfOpenPeak: halfOpen, attempts: 0, hosts: [], drops: [], ...sample };
      keeper.sample();
    },
  };
}

const reported = { hosts: [{ address: HOST, halfOpen: 51 }] };

describe("the gate's signs of life", () => {
  test('are asked for while there is a gate', () => {
    const { fake, keeper } = keep();
    fake.gateHeartbeatAgeMs = 70;
    expect(keeper.heartbeatAgeMs()).toBe(70);
    keeper.close();
    expect(keeper.heartbeatAgeMs()).toBeNaN();
  });
});

describe('limits of the gate', () => {
  test('follow from the configuration', () => {
    const { limits } = keep({
      ...{ maxIncompleteHigh: 20, tcpMaxIncompleteHost: 5, tcpSynwaitTimeSeconds: 7, tcpHalfOpenResetOff: true },
      ...{ logDropPackets: true, windowScaleLoose: true },
    });
    expect(limits()).toEqual({
      ...{ halfOpenMax: 20, hostHalfOpenMax: 5, aggressive: false, synwaitMs: 7_000, resetOnExpiry: false },
      ...{ windowScaleLoose: true, reportDrops: true, markSession: 0 },
    });
  });

  test('without lines they are those of IOS; modern has none', () => {
    expect(keep().limits()).toMatchObject({ halfOpenMax: 500, hostHalfOpenMax: 50, synwaitMs: 30_000 });
    expect(keep().limits()).toMatchObject({ resetOnExpiry: true, reportDrops: false });
  });

  test('failing open, no server is left waiting for an ACK that would be adopted unjudged', () => {
    const off = { tcpHalfOpenResetOff: true };
    expect(keep(off).limits()).toMatchObject({ resetOnExpiry: false });
    expect(keep(off, { postern: { fail: 'open' } }).limits()).toMatchObject({ resetOnExpiry: true });
    const modern = keep({}, { postern: { defaults: 'modern' } }).limits();
    expect(modern).toMatchObject({ halfOpenMax: Number.POSITIVE_INFINITY, hostHalfOpenMax: Number.POSITIVE_INFINITY });
  });

  test('SYNs carry the mark of a session only where sessions are openings', () => {
    const filtered = { interfaces: [{ name: 'eth0', accessGroupIn: '110' }] };
    expect(keep({}, filtered).limits()?.markSession).toBe(16);
    const generic = { rules: [{ name: 'R', protocols: [{ protocol: 'tcp' }] }] };
    expect(keep({}, generic).limits()?.markSession).toBe(16);
    expect(keep({}, { rules: [{ name: 'R', protocols: [{ protocol: 'smtp' }] }] }).limits()?.markSession).toBe(0);
  });

  test('a reload changes them at once, and aggressive mode lasts', () => {
    const { keeper, limits, sampleAfter, fake } = keep({ maxIncompleteHigh: 20, maxIncompleteLow: 10 });
    sampleAfter(50, { halfOpen: 20, halfOpenPeak: 21 });
    keeper.configure(configurationOf({ maxIncompleteHigh: 30, maxIncompleteLow: 10 }));
    expect(limits()).toMatchObject({ halfOpenMax: 30, aggressive: true });
    expect(fake.gateLimits).toHaveLength(3);
  });
});

describe('a flood', () => {
  test('begins and ends with its two lines, and the gate is told', () => {
    const { sampleAfter, lines, limits, aggressive, keeper } = keep({
      ...{ maxIncompleteHigh: 20, maxIncompleteLow: 10, oneMinuteHigh: 1_000, oneMinuteLow: 900 },
    });
    sampleAfter(50, { halfOpen: 20, attempts: 20 });
    expect(limits()?.aggressive).toBe(false);
    sampleAfter(50, { halfOpen: 20, halfOpenPeak: 21, attempts: 10 });
    expect(limits()?.aggressive).toBe(true);
    sampleAfter(MINUTE, { halfOpen: 10 });
    expect(limits()?.aggressive).toBe(true);
    sampleAfter(50, { halfOpen: 9 });
    expect(limits()?.aggressive).toBe(false);
    expect(lines()).toEqual([
      '%FW-4-ALERT_ON: getting aggressive, count (21/20) current 1-min rate: 29',
      '%FW-4-ALERT_OFF: calming down, count (9/10) current 1-min rate: 11',
    ]);
    expect(aggressive).toEqual([
      [true, []],
      [false, []],
    ]);
    expect(keeper.counts()).toMatchObject({ maxHalfOpen: 21, halfOpen: 9, attempts: 30, aggressive: false });
  });

  test('names the servers that most of the half-open sessions are for', () => {
    const { sampleAfter, aggressive, fake } = keep({ maxIncompleteHigh: 20, maxIncompleteLow: 10 });
    const record = (entry: number, responder: Uint8Array) => ({
      ...{ entry, generation: 0, initiatorAddress: Uint8Array.of(198, 51, 100, 1), initiatorPort: entry },
      ...{ responderAddress: responder, responderPort: 25, answered: true, createdMsAgo: 0 },
    });
    const other = Uint8Array.of(203, 0, 113, 26);
    fake.halfOpen = Array.from({ length: 100 }, (_, entry) => record(entry, entry < 60 ? HOST : other));
    fake.halfOpen.push(record(100, Uint8Array.of(203, 0, 113, 27)));
    sampleAfter(50, { halfOpen: 21 });
    expect(aggressive).toEqual([[true, ['203.0.113.25', '203.0.113.26']]]);
  });

  test('alert-off: nothing is told, everything is done', () => {
    const flood = { ...reported, halfOpen: 600 };
    const { sampleAfter, lines, limits, fake } = keep({
      alertOff: true,
      tcpMaxIncompleteHost: 5,
      tcpBlockTimeMinutes: 1,
    });
    sampleAfter(50, flood);
    expect(limits()?.aggressive).toBe(true);
    sampleAfter(2 * MINUTE, { halfOpen: 0 });
    expect(limits()?.aggressive).toBe(false);
    expect(fake.blocked.map(([what]) => what)).toEqual(['block', 'unblock']);
    expect(lines()).toEqual([]);
  });

  test('an unlimited low is told in words', () => {
    const { sampleAfter, keeper, lines } = keep({ maxIncompleteHigh: 20, maxIncompleteLow: 10 });
    sampleAfter(50, { halfOpen: 21 });
    keeper.configure(configurationOf({}, { postern: { defaults: 'modern' } }));
    sampleAfter(50, { halfOpen: 21 });
    expect(lines().at(-1)).toBe('%FW-4-ALERT_OFF: calming down, count (21/unlimited) current 1-min rate: 0');
  });
});

describe('blocked hosts', () => {
  const limited = { tcpMaxIncompleteHost: 50, tcpBlockTimeMinutes: 1 };

  test('are told of, blocked, and free when their time is over', () => {
    const { sampleAfter, lines, fake, keeper } = keep(limited);
    sampleAfter(50, reported);
    expect(keeper.blockedHosts()).toEqual([{ address: '203.0.113.25', blockedSeconds: 0, remainingSeconds: 60 }]);
    sampleAfter(MINUTE - 1);
    expect(keeper.blockedHosts()[0]?.remainingSeconds).toBe(1);
    sampleAfter(1);
    expect(lines()).toEqual([
      '%FW-4-HOST_TCP_ALERT_ON: Max tcp half-open connections (50) exceeded for host 203.0.113.25.',
      '%FW-2-BLOCK_HOST: Blocking new TCP connections to host 203.0.113.25 for 1 minute (half-open count 50 exceeded)',
      '%FW-4-UNBLOCK_HOST: New TCP connections to host 203.0.113.25 no longer blocked',
    ]);
    expect(fake.blocked).toEqual([
      ['block', '203.0.113.25'],
      ['unblock', '203.0.113.25'],
    ]);
    expect(keeper.counts().blockedHosts).toBe(0);
  });

  test('`minutes` for more than one', () => {
    const { sampleAfter, lines } = keep({ ...limited, tcpBlockTimeMinutes: 5 });
    sampleAfter(50, reported);
    expect(lines()[1]).toContain('for 5 minutes (half-open count 50 exceeded)');
  });

  test('block-time 0 tells and leaves the rest to the gate', () => {
    const { sampleAfter, lines, fake } = keep({ tcpMaxIncompleteHost: 50 });
    sampleAfter(50, reported);
    expect([lines().length, fake.blocked]).toEqual([1, []]);
  });

  test('another block-time leaves a running block alone; without the line all end at once (D-23)', () => {
    const { sampleAfter, keeper, fake, lines } = keep(limited);
    sampleAfter(50, reported);
    keeper.configure(configurationOf({ ...limited, tcpBlockTimeMinutes: 9 }));
    keeper.configure(configurationOf({ tcpMaxIncompleteHost: 50 }));
    expect(fake.blocked).toHaveLength(1);
    keeper.configure(configurationOf({}));
    expect(fake.blocked.at(-1)).toEqual(['unblock', '203.0.113.25']);
    expect(lines().at(-1)).toContain('UNBLOCK_HOST');
    expect(keeper.blockedHosts()).toEqual([]);
  });

  test('are unblocked by hand in any spelling of the address', () => {
    const { sampleAfter, keeper, fake } = keep(limited);
    const address = Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x25);
    sampleAfter(50, { hosts: [...reported.hosts, { address, halfOpen: 51 }] });
    expect([keeper.unblock('2001:DB8:0::25'), keeper.unblock('192.0.2.1'), keeper.unblock('nonsense')]).toEqual([
      1, 0, 0,
    ]);
    expect(fake.blocked.at(-1)).toEqual(['unblock', [...address].join('.')]);
    expect(keeper.unblock('all')).toBe(1);
    expect(keeper.unblock('all')).toBe(0);
  });
});

describe('the marks of packets that come to be told of', () => {
  test('are known to the gate from the beginning', () => {
    const { fake } = keep();
    const marks = { zoneDropMark: 0x1900_0000, zonePassMark: 0x0900_0000, zoneMarkMask: 0x1f00_0000 };
    expect(fake.gates).toEqual([expect.objectContaining(marks)]);
  });
});

describe('dropped packets', () => {
  const drop = (counter: string): GateDrop => ({
    ...{ protocol: 6, passed: false, inInterface: 3, outInterface: 0 },
    ...{
      sourceAddress: Uint8Array.of(198, 51, 100, 7),
      sourcePort: 40_000,
      destinationAddress: HOST,
      destinationPort: 25,
    },
    ...{ ipIdent: 17, flags: 2, sequence: 5, acknowledgement: 0, counter: FAKE_COUNTERS.indexOf(counter) },
  });

  test("are told as a worker's are; a drop without a reason is not", () => {
    const { sampleAfter, lines } = keep({ logDropPackets: true });
    sampleAfter(50, { drops: [drop('drop-stray'), drop('drop-refused')] });
    expect(lines()).toEqual([
      '%FW-6-DROP_PKT: Dropping tcp session 198.51.100.7:40000 203.0.113.25:25 due to  Stray Segment with ip ident 17 ' +
        'tcpflags 0x2 seq.no 5 ack 0',
    ]);
  });

  test('by a zone policy are told with pair and class, without any line of classic inspection', () => {
    const { fake, sampleAfter, lines } = keep({}, ZONED);
    fake.interfaces.set(3, 'out0');
    sampleAfter(50, { drops: [drop('drop-zone'), { ...drop('received'), destinationPort: 110, passed: true }] });
    expect(lines()).toEqual([
      '%FW-6-DROP_PKT: Dropping tcp session 198.51.100.7:40000 203.0.113.25:25 on zone-pair OUT-SELF class ' +
        'class-default due to  DROP action found in policy-map with ip ident 17 tcpflags 0x2 seq.no 5 ack 0',
      '%FW-6-PASS_PKT: (target:class)-(OUT-SELF:POP) Passing tcp pkt 198.51.100.7:40000 => 203.0.113.25:110 with ip ident 17',
    ]);
  });
});

describe('counts', () => {
  test('are those of the gate since they were cleared', () => {
    const { sampleAfter, keeper, fake } = keep();
    fake.gateCounters.set('received', 10);
    fake.kernelDrops.set(40, 3);
    sampleAfter(50, { halfOpen: 4, attempts: 6 });
    expect(keeper.counts()).toMatchObject({ counters: { received: 10 }, kernelDropped: 3, halfOpen: 4, attempts: 6 });
    keeper.clearCounts();
    fake.gateCounters.set('received', 12);
    expect(keeper.counts()).toMatchObject({ counters: { received: 2 }, halfOpen: 4, attempts: 0 });
  });
});

describe('the timer', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('samples twenty times a second until the gate is closed, and never after', () => {
    const { fake, keeper } = keep();
    const sampled = vi.spyOn(fake.addon, 'sampleGate');
    keeper.start();
    vi.advanceTimersByTime(1_000);
    expect(sampled).toHaveBeenCalledTimes(20);
    keeper.close();
    vi.advanceTimersByTime(1_000);
    expect(sampled).toHaveBeenCalledTimes(20);
    expect(fake.gatesClosed).toEqual([0]);
    keeper.close();
    expect(fake.gatesClosed).toEqual([0]);
  });

  test('a gate that fails ends the daemon, once and with a reason', () => {
    const { fake, keeper, hopeless } = keep();
    keeper.start();
    fake.gateBroken = 'its thread has ended';
    vi.advanceTimersByTime(1_000);
    expect(hopeless).toEqual(['the gate of queue 40 cannot be watched: its thread has ended']);
  });
});

test('a queue that cannot be had fails the opening', () => {
  const { fake, keeper } = keep();
  fake.refuse = { queue: 41, why: 'queue 41 belongs to process 77' };
  expect(() => keeper.open({ ...QUEUE, queue: 41 })).toThrow('queue 41 belongs to process 77');
});

describe('a server that the kernel may answer for', () => {
  const limits = { tcpMaxIncompleteHost: 50, tcpBlockTimeMinutes: 2 };

  test('is told of and handed over instead of blocked', () => {
    const { sampleAfter, lines, flooded, keeper, fake } = keep(limits, {}, ['203.0.113.25']);
    sampleAfter(50, reported);
    sampleAfter(50, reported);
    expect(lines()).toEqual([
      '%FW-4-HOST_TCP_ALERT_ON: Max tcp half-open connections (50) exceeded for host 203.0.113.25.',
    ]);
    expect(flooded).toEqual([['203.0.113.25'], ['203.0.113.25']]);
    expect(keeper.blockedHosts()).toEqual([]);
    expect(fake.blocked).toEqual([]);
    expect(keeper.counts().synProxyHosts).toEqual(['203.0.113.25']);
  });

  test('another is blocked as ever', () => {
    const { sampleAfter, lines, flooded, keeper } = keep(limits, {}, ['203.0.113.99']);
    sampleAfter(50, reported);
    expect(lines().some((line) => line.includes('BLOCK_HOST'))).toBe(true);
    expect(flooded).toEqual([]);
    expect(keeper.blockedHosts()).toHaveLength(1);
  });

  test('is handed over when aggressive mode begins, and not when it ends', () => {
    const { sampleAfter, flooded, fake } = keep({ maxIncompleteHigh: 20, maxIncompleteLow: 10 }, {}, ['203.0.113.25']);
    const record = { entry: 0, generation: 0, initiatorAddress: HOST, initiatorPort: 1, responderPort: 25 };
    fake.halfOpen = [{ ...record, responderAddress: HOST, answered: true, createdMsAgo: 0 }];
    sampleAfter(50, { halfOpen: 20, halfOpenPeak: 21 });
    expect(flooded).toEqual([['203.0.113.25']]);
    sampleAfter(1_900, { halfOpen: 20, attempts: 30 });
    expect(flooded).toHaveLength(1);
    // While it lasts a flood of another server may begin; leftovers of one that is over are none.
    sampleAfter(200, { halfOpen: 20, attempts: 30 });
    sampleAfter(2_000, { halfOpen: 20, attempts: 3 });
    expect(flooded).toHaveLength(2);
    sampleAfter(MINUTE, { halfOpen: 0 });
    expect(flooded).toHaveLength(2);
  });
});
