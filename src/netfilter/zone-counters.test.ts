import { describe, expect, test } from 'vitest';
import { NO_PLACE, NO_ZONE_PAIR, zoneMatchKey } from '../policy/zone-labels.ts';
import { keepCounts, zoneMatches } from './counters.ts';

const SAVED: Readonly<Record<string, string>> = {
  'iptables-save': `*mangle
[3:180] -A POSTERN-ZONE-1 -p tcp -m multiport --dports 25,587 -m comment --comment "zone OUT-DMZ MAIL inspect" -j POSTERN-ZONE-INSPECT
[7:420] -A POSTERN-ZONE-2 -m comment --comment "zone OUT-DMZ class-default drop"
[1:60] -A POSTERN-ZONE-2 -m limit --limit 10/sec --limit-burst 20 -j POSTERN-ZONE-DROPPED
[7:420] -A POSTERN-ZONE-2 -j DROP
[2:80] -A POSTERN-ZONE-3 -m comment --comment "zone - no-zone-pair drop" -j DROP
[9:90] -A POSTERN-ACL-1 -m comment --comment "list 102: 10 deny ip any any" -j DROP
`,
  'ip6tables-save': `[1:70] -A POSTERN-ZONE-2 -m comment --comment "zone OUT-DMZ class-default drop"
`,
};
const run = (program: string) =>
  Promise.resolve({ code: 0, stdout: SAVED[program.split('/').at(-1) ?? ''] ?? '', stderr: '' });

describe('the counters of zones', () => {
  test('by pair, class and action, both families together', async () => {
    expect(await zoneMatches(run)).toEqual(
      new Map([
        [zoneMatchKey('OUT-DMZ', 'MAIL', 'inspect'), { packets: 3, bytes: 180 }],
        [zoneMatchKey('OUT-DMZ', 'class-default', 'drop'), { packets: 8, bytes: 490 }],
        [zoneMatchKey(NO_PLACE, NO_ZONE_PAIR, 'drop'), { packets: 2, bytes: 80 }],
      ]),
    );
  });

  test('go on when rules are installed again, in whatever chain they stand then', () => {
    const text =
      '-A POSTERN-ZONE-9 -m comment --comment "zone OUT-DMZ class-default drop" -j DROP\n-A POSTERN-ZONE-9 -j DROP';
    expect(keepCounts(text, SAVED['iptables-save'] ?? '')).toBe(`[7:420] ${text}`);
    const other = '-A POSTERN-ZONE-9 -m comment --comment "zone OUT-DMZ class-default pass" -j ACCEPT';
    expect(keepCounts(other, SAVED['iptables-save'] ?? '')).toBe(other);
  });

  test('a name is plain text to a rule, and short enough for a comment', () => {
    expect(zoneMatchKey('A"B', 'C$D', 'drop')).toBe('A%22B C%24D drop');
    const [long, longer] = [
      zoneMatchKey('P'.repeat(128), 'C'.repeat(200), 'drop'),
      zoneMatchKey('P'.repeat(128), 'C'.repeat(199), 'drop'),
    ];
    expect(`zone ${long}`.length).toBeLessThan(256);
    expect(long).not.toBe(longer);
  });
});
