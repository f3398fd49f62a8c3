import { describe, expect, test } from 'vitest';
import type { RunCommand } from '../netfilter/run-command.ts';
import { EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { AccessLists } from './access-lists.ts';

function listsCounting(packets: () => number) {
  const asked: string[] = [];
  const run: RunCommand = async (program, args) => {
    asked.push([program.split('/').at(-1), ...args].join(' '));
    const rule = '-A POSTERN-ACL-1 -p udp -m comment --comment';
    const stdout = [
      `[7:70] ${rule} "list L: 10 permit udp any any" -j RETURN`,
      `[${packets()}:99] ${rule} "list L: the end" -j DROP`,
      `[50:99] -A MINE -m comment --comment "list L: the end" -j DROP`,
    ].join('\n');
    return { code: 0, stdout, stderr: '' };
  };
  return { asked, lists: new AccessLists(run) };
}

const bound = { ...EMPTY_CONFIGURATION, interfaces: [{ name: 'eth0', accessGroupIn: 'L' }] };

describe('the counts of access lists', () => {
  test('are not asked for where no interface has a list', async () => {
    const { lists, asked } = listsCounting(() => 3);
    lists.configure({ ...bound, interfaces: [{ name: 'eth0', inspectIn: 'R' }] });
    expect(await lists.denied()).toBe(0);
    expect(await lists.clearMatches(undefined)).toBe(false);
    expect(asked).toEqual([]);
  });

  test('count what was denied since the statistics were cleared, and from nothing when they were set back', async () => {
    let packets = 3;
    const { lists } = listsCounting(() => packets);
    lists.configure(bound);
    expect(await lists.denied()).toBe(3);
    expect([...(await lists.matches())]).toEqual([
      ['list L: 10 permit udp any any', 7],
      ['list L: the end', 3],
    ]);
    await lists.clearStatistics();
    packets = 8;
    expect(await lists.denied()).toBe(5);
    packets = 1;
    expect(await lists.denied()).toBe(1);
  });

  test('are set back in chains of ours only', async () => {
    const { lists, asked } = listsCounting(() => 3);
    lists.configure(bound);
    expect(await lists.clearMatches('L')).toBe(true);
    expect(asked.at(-1)).toBe('iptables --wait 10 -t mangle -Z POSTERN-ACL-1');
    expect(await lists.clearMatches('OTHER')).toBe(false);
  });
});
