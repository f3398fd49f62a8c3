import { describe, expect, test } from 'vitest';
import { formatLogMessage, iosLine } from '../log/format.ts';
import type { GateDrop } from '../native/addon.ts';
import { type Configuration, EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { zoneMessage } from './zone-told.ts';

const CONFIGURATION: Configuration = {
  ...EMPTY_CONFIGURATION,
  zones: [{ name: 'outside' }, { name: 'dmz' }],
  interfaces: [{ name: 'out0', zone: 'outside' }, { name: 'dmz0', zone: 'dmz' }, { name: 'free0' }],
  zonePairs: [{ name: 'OUT-DMZ', source: 'outside', destination: 'dmz', policy: 'P' }],
  classMaps: [
    { name: 'MAIL', combine: 'match-all', matches: [{ words: ['protocol', 'smtp'] }] },
    { name: 'PING', combine: 'match-all', matches: [{ words: ['protocol', 'icmp'] }] },
  ],
  policyMaps: [
    {
      name: 'P',
      classes: [
        { name: 'MAIL', actions: [['inspect'], ['police', 'rate', '8000', 'burst', '1000']] },
        { name: 'PING', actions: [['pass', 'log']] },
        { name: 'class-default', actions: [['drop', 'log']] },
      ],
    },
  ],
};
const NAMES = ['', 'out0', 'dmz0', 'free0'];

function lineOf(changes: Partial<GateDrop>): string | undefined {
  const packet: GateDrop = {
    ...{ protocol: 6, passed: false, inInterface: 1, outInterface: 2, counter: 0 },
    ...{ sourceAddress: Uint8Array.of(198, 51, 100, 7), sourcePort: 40_000 },
    ...{ destinationAddress: Uint8Array.of(192, 0, 2, 25), destinationPort: 80 },
    ...{ ipIdent: 7, flags: 2, sequence: 5, acknowledgement: 0 },
    ...changes,
  };
  const message = zoneMessage(CONFIGURATION, packet, (index) => NAMES[index] ?? '');
  return message === undefined ? undefined : iosLine(formatLogMessage(message));
}

describe('a packet that a zone policy decided', () => {
  test.each<[string, Partial<GateDrop>, string]>([
    [
      'by its class',
      {},
      'tcp session 198.51.100.7:40000 192.0.2.25:80 on zone-pair OUT-DMZ class class-default due to  DROP action found in policy-map with ip ident 7 tcpflags 0x2 seq.no 5 ack 0',
    ],
    [
      'without a pair',
      { inInterface: 2, outInterface: 1, protocol: 17 },
      'udp session 198.51.100.7:40000 192.0.2.25:80 due to  No zone-pair between zones with ip ident 7',
    ],
    [
      'toward an interface in no zone',
      { outInterface: 3 },
      'tcp session 198.51.100.7:40000 192.0.2.25:80 due to  One of the interfaces not being cfged for zoning with ip ident 7 tcpflags 0x2 seq.no 5 ack 0',
    ],
    [
      'beyond the rate of an inspected class',
      { destinationPort: 25, flags: 16 },
      'tcp session 198.51.100.7:40000 192.0.2.25:25 on zone-pair OUT-DMZ class MAIL due to  Police rate limiting with ip ident 7 tcpflags 0x10 seq.no 5 ack 0',
    ],
    [
      'the same in the other direction',
      { inInterface: 2, outInterface: 1, sourcePort: 25, destinationPort: 40_000, flags: 16 },
      'tcp session 198.51.100.7:25 192.0.2.25:40000 on zone-pair OUT-DMZ class MAIL due to  Police rate limiting with ip ident 7 tcpflags 0x10 seq.no 5 ack 0',
    ],
  ])('%s', (_name, changes, line) => {
    expect(lineOf(changes)).toBe(`%FW-6-DROP_PKT: Dropping ${line}`);
  });

  test('of another transport, and of one that could not be read', () => {
    expect(lineOf({ protocol: 47, inInterface: 2, outInterface: 1 })).toContain('Dropping Unknown-l4 session');
    expect(lineOf({ protocol: 0, inInterface: 99, outInterface: 99 })).toContain('Dropping Unknown-l4 session');
  });

  test('and let pass', () => {
    expect(lineOf({ protocol: 1, passed: true, sourcePort: 9, destinationPort: 8 })).toBe(
      '%FW-6-PASS_PKT: (target:class)-(OUT-DMZ:PING) Passing icmp pkt 198.51.100.7:9 => 192.0.2.25:8 with ip ident 7',
    );
    expect(lineOf({ passed: true, inInterface: 3, outInterface: 3 })).toBeUndefined();
  });
});
