import { describe, expect, test } from 'vitest';
import { PORT_PROTOCOLS } from '../native/event-batch.ts';
import { EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { loopOptions } from './loop-options.ts';

const MARKS = { offloadBoth: 2, offloadResponder: 4, clear: 8, session: 16 };
const optionsOf = (changes: object) =>
  loopOptions({ configuration: { ...EMPTY_CONFIGURATION, ...changes }, hostname: 'h', marks: MARKS });

test('the defaults of IOS, in the units of the packet loop', () => {
  expect(optionsOf({})).toMatchObject({
    ...{ outOfOrderMax: 16, outOfOrderBytesMax: 1_048_576, reassemblyTimeoutMs: 5_000 },
    ...{ synwaitMs: 30_000, finwaitMs: 5_000, idleMs: 3_600_000 },
    ...{ failOpen: false, offload: true, windowScaleLoose: false, reportDrops: false },
    ...{ markOffloadBoth: 2, markOffloadResponder: 4, markClear: 8 },
  });
});

test('what is configured', () => {
  const options = optionsOf({
    inspect: { reassemblyQueueLength: 32, tcpSynwaitTimeSeconds: 10, logDropPackets: true },
    postern: { fail: 'open', offload: false },
  });
  expect(options).toMatchObject({ outOfOrderMax: 32, synwaitMs: 10_000, reportDrops: true });
  expect(options).toMatchObject({ failOpen: true, offload: false });
});

test('the transports that a rule inspects whole, each for itself', () => {
  const rule = (...protocols: string[]) => [{ name: 'R', protocols: protocols.map((protocol) => ({ protocol })) }];
  const none = { genericTcp: false, genericUdp: false, genericIcmp: false };
  expect(optionsOf({ rules: rule('smtp', 'pop3') })).toMatchObject(none);
  expect(optionsOf({ rules: rule('tcp') })).toMatchObject({ ...none, genericTcp: true });
  expect(optionsOf({ rules: rule('smtp', 'udp') })).toMatchObject({ ...none, genericUdp: true });
  expect(optionsOf({ rules: rule('icmp') })).toMatchObject({ ...none, genericIcmp: true });
});

test('the ports by their native numbers, mapped ones too, and none besides', () => {
  const { ports } = optionsOf({ portMaps: [{ application: 'imap', transport: 'tcp', from: 1_430, to: 1_431 }] });
  const protocolOf = (port: number) => PORT_PROTOCOLS[ports[port] ?? 0];
  expect(ports).toHaveLength(65_536);
  expect([25, 587, 110, 143, 465, 993, 995, 1_430, 1_431].map(protocolOf)).toEqual([
    ...['smtp', 'smtp', 'pop3', 'imap', 'smtps', 'imaps', 'pop3s', 'imap', 'imap'],
  ]);
  expect(ports.filter((protocol) => protocol !== 0)).toHaveLength(9);
});

describe('zones', () => {
  const map = (name: string, ...lines: readonly string[]) => ({
    ...{ name, kind: 'inspect' as const },
    lines: lines.map((line) => line.split(' ')),
  });
  const zoned = (changes: object) =>
    optionsOf({
      classMaps: [{ name: 'C', combine: 'match-any', matches: [{ words: ['protocol', 'icmp'] }] }],
      zonePairs: [{ name: 'ZP', source: 'a', destination: 'b', policy: 'P' }],
      policyMaps: [
        {
          name: 'P',
          classes: [
            { name: 'C', actions: [['inspect', 'ONE']] },
            { name: 'D', actions: [['inspect', 'TWO']] },
          ],
        },
      ],
      parameterMaps: [
        map('ONE', 'tcp finwait-time 9', 'tcp synwait-time 40', 'log dropped-packets'),
        map('TWO', 'tcp finwait-time 7', 'dns-timeout 3'),
      ],
      ...changes,
    });

  test('the strictest of the parameter-maps in use, and of the globals where rules inspect too', () => {
    expect(zoned({})).toMatchObject({ finwaitMs: 7_000, synwaitMs: 30_000, dnsTimeoutMs: 3_000, reportDrops: true });
    const rules = [{ name: 'R', protocols: [{ protocol: 'smtp' }] }];
    expect(zoned({ inspect: { tcpSynwaitTimeSeconds: 12 } })).toMatchObject({ synwaitMs: 30_000 });
    expect(zoned({ rules, inspect: { tcpSynwaitTimeSeconds: 12 } })).toMatchObject({ synwaitMs: 12_000 });
    expect(zoned({ rules })).toMatchObject({ finwaitMs: 5_000 });
    expect(zoned({ zonePairs: [] })).toMatchObject({ finwaitMs: 5_000, reportDrops: false });
  });

  test('what their classes inspect beside mail', () => {
    expect(zoned({ policyMaps: [{ name: 'P', classes: [{ name: 'C', actions: [['inspect']] }] }] })).toMatchObject({
      ...{ genericTcp: false, genericUdp: false, genericIcmp: true },
      markSession: 16,
    });
  });
});
