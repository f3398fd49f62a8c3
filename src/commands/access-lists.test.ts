import { describe, expect, test } from 'vitest';
import { conditionsOf } from '../policy/access-conditions.ts';
import { entryLabel, numberedRules } from '../policy/access-entry.ts';
import { runExec } from './exec.ts';
import type { ExecContext } from './exec-context.ts';
import { parseConfiguration } from './parse-configuration.ts';
import { printConfiguration } from './print-configuration.ts';

const read = (...lines: readonly string[]) => parseConfiguration(lines.join('\n'), 'file');
const oneEntry = (entry: string) => read(`access-list 101 ${entry}`);

describe('entries', () => {
  test.each([
    ['permit tcp any any ack syn established', "% 'established' cannot be combined with single TCP flags"],
    ['permit tcp any gt 65535 any', '% No port is above 65535'],
    ['permit udp any any lt 0', '% No port is below 0'],
    ['permit tcp any any eq 25 fragments', "% 'fragments' cannot be combined with what only the first fragment has"],
    ['permit icmp any any echo fragments', "% 'fragments' cannot be combined with what only the first fragment has"],
  ])('%s cannot be meant', (entry, message) => {
    const { errors } = oneEntry(entry);
    expect(errors.map((error) => [error.line, error.message])).toEqual([[1, message]]);
  });

  test.each([
    'permit udp any any syn',
    'permit ip any any eq 25',
    'permit udp any any established',
    'permit tcp any any echo',
    'permit ip any any dscp 64',
    'permit ip any any tos 16',
    'permit ip any any precedence 8',
    'permit ip any any time-range X',
    'permit ip any any reflect X',
  ])('%s is not a line at all', (entry) => expect(oneEntry(entry).errors).toHaveLength(1));

  test.each([
    [
      'permit tcp any any syn log ack',
      'permit tcp any any ack syn log',
      { protocol: 6, anyFlag: ['ack', 'syn'], log: true },
    ],
    ['deny icmp any any 3 04', 'deny icmp any any 3 4', { protocol: 1, icmp: { type: 3, code: 4 } }],
    ['deny icmp any any echo', 'deny icmp any any echo', { icmp: { type: 8 } }],
    ['permit ip any any log-input', 'permit ip any any log-input', { log: true }],
    [
      'permit 050 any any precedence critical dscp 046',
      'permit 50 any any dscp 46 precedence critical',
      { protocol: 50, dscp: 46, precedence: 5 },
    ],
    ['permit ip any any tos min-delay', 'permit ip any any tos min-delay', { tos: 8 }],
    ['permit tcp any any established', 'permit tcp any any established', { anyFlag: ['ack', 'rst'] }],
    ['permit udp any neq ntp any', 'permit udp any neq ntp any', { sourcePorts: { from: 123, to: 123, except: true } }],
  ])('%s', (typed, saved, meant) => {
    const { configuration, errors } = oneEntry(typed);
    expect(errors).toEqual([]);
    const printed = printConfiguration(configuration);
    expect(printed).toContain(`access-list 101 ${saved}\n`);
    expect(read(printed).configuration).toEqual(configuration);
    const [entry] = configuration.accessLists[0]?.entries ?? [];
    expect(entry?.kind === 'rule' ? conditionsOf(entry) : undefined).toMatchObject(meant);
  });

  test('a list that is bound and judges nothing is told of; a name that no comment holds is refused', () => {
    const { notices } = read('interface eth0', ' ip access-group L in', 'ip access-list extended L', ' remark nothing');
    expect(notices.map(({ line, message }) => [line, message])).toEqual([
      [2, '% notice: access list L has no entries and permits everything'],
    ]);
    expect(read(`ip access-list extended ${'L'.repeat(65)}`).errors).toHaveLength(1);
    expect(read('ip access-list extended L\u00e4').errors).toHaveLength(1);
    expect(read(`ip access-list extended ${'L'.repeat(64)}`).errors).toEqual([]);
  });
});

describe('labels', () => {
  test('hold no sign that iptables-restore reads otherwise, and fit into a comment', () => {
    const name = '"\\$(x);%'.padEnd(64, '"');
    const { configuration, errors } = read(`ip access-list extended ${name}`, ' permit ip any any');
    expect(errors).toEqual([]);
    const [list] = configuration.accessLists;
    const [rule] = list === undefined ? [] : numberedRules(list);
    const label = list === undefined || rule === undefined ? '' : entryLabel(list, rule.sequence, rule.rule);
    expect(label).toMatch(/^list [A-Za-z0-9_.%-]+: 10 permit ip any any$/);
    expect(label.length).toBeLessThanOrEqual(255);
  });
});

describe('show and clear', () => {
  const { configuration } = read(
    'ip access-list extended 102',
    ' remark mail',
    ' permit tcp any host 192.0.2.25 eq smtp',
    ' deny ip any any log',
    'access-list 10 permit 192.0.2.0 0.0.0.255',
  );
  const cleared: (string | undefined)[] = [];
  const context = {
    configuration,
    accessMatches: async () =>
      new Map([
        ['list 102: 20 permit tcp any host 192.0.2.25 eq smtp', 12],
        ['list 102: 30 deny ip any any log', 1],
        ['list 102: 30 deny ip any any', 99],
      ]),
    clearAccessMatches: async (list: string | undefined) => cleared.push(list) > 0,
  } as unknown as ExecContext;

  test('each entry with what it decided', async () => {
    expect((await runExec({ command: 'show ip access-lists' }, context)).output).toBe(`Extended IP access list 102
    20 permit tcp any host 192.0.2.25 eq smtp (12 matches)
    30 deny ip any any log (1 match)
Standard IP access list 10
    10 permit 192.0.2.0, wildcard bits 0.0.0.255
`);
    const { output } = await runExec({ command: 'show access-lists 102', json: true }, context);
    expect(JSON.parse(output ?? '')).toMatchObject([
      { name: '102', entries: [{ kind: 'remark' }, { sequence: 20, matches: 12 }, { sequence: 30, matches: 1 }] },
    ]);
  });

  test('clear: one list, all, and one that is not there', async () => {
    expect((await runExec({ command: 'clear access-list counters 102' }, context)).output).toBe('');
    expect((await runExec({ command: 'clear access-list counters' }, context)).output).toBe('');
    expect((await runExec({ command: 'clear access-list counters 11' }, context)).error).toContain('not defined');
    expect(cleared).toEqual(['102', undefined]);
  });
});
