import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Packet, RuleTable } from '../../test/rule-table.ts';
import {
  type AccessEntry,
  type ClassMap,
  type Configuration,
  EMPTY_CONFIGURATION,
  type InterfaceConfiguration,
  type PolicyClass,
  type ZonePair,
} from '../policy/configuration.ts';
import { portProtocols } from '../policy/ports.ts';
import { decideZone } from '../policy/zone-classify.ts';
import { rulesFor } from './rules.ts';

const anywhere = { address: '0.0.0.0', wildcard: '255.255.255.255' };
const host = (address: string) => ({ address, wildcard: '0.0.0.0' });
type Rule = AccessEntry & { readonly kind: 'rule' };
const entry = (action: 'permit' | 'deny', protocol: string, rest: Partial<Rule> = {}): Rule => ({
  kind: 'rule',
  action,
  protocol,
  source: anywhere,
  destination: anywhere,
  ...rest,
});

const OUTSIDE = '198.51.100.7';
const SERVER = '192.0.2.25';
const PROTOCOLS = ['smtp', 'pop3', 'imap', 'http', 'dns', 'tcp', 'udp', 'icmp', 'no-such', 'esmtp'] as const;
const INTERFACES: readonly InterfaceConfiguration[] = [
  { name: 'out0', zone: 'outside' },
  { name: 'out1', zone: 'outside' },
  { name: 'dmz0', zone: 'dmz' },
  { name: 'free0' },
];
const LISTS = [
  { name: '101', kind: 'extended', entries: [entry('permit', 'tcp', { destination: host(SERVER) })] },
  {
    name: 'HOLES',
    kind: 'extended',
    entries: [
      entry('deny', 'tcp', { source: host(OUTSIDE), destinationPort: { operator: 'eq', from: 110 } }),
      entry('permit', 'ip', { destination: host(SERVER) }),
      entry('deny', 'udp'),
      entry('permit', 'icmp'),
    ],
  },
] as const;

const classMap = (name: string, combine: ClassMap['combine'], ...matches: readonly string[]): ClassMap => ({
  name,
  combine,
  matches: matches.map((words) => ({ words: words.split(' ') })),
});
const policyClass = (name: string, ...actions: readonly string[]): PolicyClass => ({
  name,
  actions: actions.map((words) => words.split(' ')),
});

function zoned(classes: readonly PolicyClass[], changes: Partial<Configuration> = {}): Configuration {
  return {
    ...EMPTY_CONFIGURATION,
    zones: [{ name: 'outside' }, { name: 'dmz' }],
    zonePairs: [{ name: 'OUT-DMZ', source: 'outside', destination: 'dmz', policy: 'P' }],
    interfaces: INTERFACES,
    accessLists: LISTS,
    classMaps: [
      classMap('MAIL', 'match-any', 'protocol smtp', 'protocol pop3'),
      classMap('ICMP', 'match-all', 'protocol icmp'),
      classMap('LISTED', 'match-all', 'access-group 101', 'class-map MAIL'),
      classMap('HOLED', 'match-all', 'access-group name HOLES', 'protocol tcp'),
    ],
    policyMaps: [{ name: 'P', classes }],
    ...changes,
  };
}

const tableOf = (configuration: Configuration, family: 'ipv4' | 'ipv6' = 'ipv4'): RuleTable =>
  new RuleTable(rulesFor({ configuration, firstQueue: 0, workers: 1, hashKey: 7 })[family]);

const syn = (changes: Partial<Packet> = {}): Packet => ({
  hook: 'FORWARD',
  inInterface: 'out0',
  outInterface: 'dmz0',
  protocol: 'tcp',
  source: OUTSIDE,
  destination: SERVER,
  sourcePort: 40_000,
  destinationPort: 25,
  syn: true,
  state: 'NEW',
  direction: 'ORIGINAL',
  connmark: 0,
  icmpType: 8,
  ...changes,
});

describe('the matrix of zones', () => {
  const table = tableOf(zoned([policyClass('MAIL', 'inspect')]));
  test.each([
    ['out0', 'dmz0', 'queue'],
    ['out1', 'dmz0', 'queue'],
    ['dmz0', 'out0', 'drop'],
    ['out0', 'out1', 'pass'],
    ['out0', 'out0', 'pass'],
    ['out0', 'free0', 'drop'],
    ['free0', 'dmz0', 'drop'],
    ['free0', 'free1', 'pass'],
  ])('%s to %s: %s', (inInterface, outInterface, verdict) => {
    expect(table.judge(syn({ inInterface, outInterface }))).toBe(verdict);
  });

  test('the router is not concerned without a pair of its own', () => {
    expect(table.lines('INPUT')).toEqual([]);
    expect(table.lines('OUTPUT')).toEqual([]);
  });

  test('a pair of the router filters its direction only, and never the loopback', () => {
    const own = tableOf(
      zoned([policyClass('ICMP', 'inspect'), policyClass('class-default', 'drop', 'log')], {
        zonePairs: [{ name: 'OUT-SELF', source: 'outside', destination: 'self', policy: 'P' }],
      }),
    );
    const input = { hook: 'INPUT', outInterface: '' } as const;
    expect(own.judge(syn(input))).toBe('drop');
    expect(own.judge(syn({ ...input, protocol: 'icmp' }))).toBe('queue');
    expect(own.judge(syn({ ...input, inInterface: 'dmz0' }))).toBe('pass');
    expect(own.judge(syn({ ...input, inInterface: 'lo' }))).toBe('pass');
    expect(own.judge(syn({ hook: 'OUTPUT', inInterface: '', outInterface: 'out0' }))).toBe('pass');
  });

  test('what answers the router comes in where nothing filters what it sends', () => {
    const answer = { hook: 'INPUT', outInterface: '', syn: false, direction: 'REPLY', state: 'ESTABLISHED' } as const;
    const pair = { name: 'OUT-SELF', source: 'outside', destination: 'self', policy: 'P' };
    const classes = [policyClass('class-default', 'drop')];
    expect(tableOf(zoned(classes, { zonePairs: [pair] })).judge(syn(answer))).toBe('pass');
    const back = { name: 'SELF-OUT', source: 'self', destination: 'outside', policy: 'P' };
    expect(tableOf(zoned(classes, { zonePairs: [pair, back] })).judge(syn(answer))).toBe('drop');
  });

  test('the answers of a session of the router come to the queue in its other hook', () => {
    const own = tableOf(
      zoned([policyClass('MAIL', 'inspect')], {
        zonePairs: [{ name: 'OUT-SELF', source: 'outside', destination: 'self', policy: 'P' }],
      }),
    );
    const answer = { hook: 'OUTPUT', inInterface: '', outInterface: 'out0', syn: false, direction: 'REPLY' } as const;
    expect(own.judge(syn({ ...answer, connmark: SESSION, state: 'ESTABLISHED' }))).toBe('queue');
    expect(own.judge(syn({ ...answer, state: 'ESTABLISHED' }))).toBe('pass');
  });

  test('a pair may speak for the interfaces in no zone', () => {
    const byDefault = tableOf(
      zoned([policyClass('MAIL', 'pass')], {
        zonePairs: [{ name: 'D', source: 'default', destination: 'dmz', policy: 'P' }],
      }),
    );
    expect(byDefault.judge(syn({ inInterface: 'free0' }))).toBe('pass');
    expect(byDefault.judge(syn({ inInterface: 'free0', destinationPort: 80 }))).toBe('drop');
    expect(byDefault.judge(syn({ inInterface: 'free0', outInterface: 'out0' }))).toBe('drop');
  });

  test('IPv6 has the same matrix, and neighbour discovery is no traffic', () => {
    const ipv6 = tableOf(
      zoned([policyClass('MAIL', 'pass')], {
        zonePairs: [{ name: 'OUT-SELF', source: 'outside', destination: 'self', policy: 'P' }],
      }),
      'ipv6',
    );
    expect(ipv6.judge(syn({ outInterface: 'dmz0' }))).toBe('drop');
    const input = { hook: 'INPUT', outInterface: '', protocol: 'icmpv6' } as const;
    expect(ipv6.judge(syn({ ...input, icmpType: 135 }))).toBe('pass');
    expect(ipv6.judge(syn({ ...input, icmpType: 128 }))).toBe('drop');
  });
});

const SESSION = 0x1000_0000;

describe('sessions', () => {
  const table = tableOf(zoned([policyClass('MAIL', 'inspect'), policyClass('class-default', 'drop')]));
  const back = {
    inInterface: 'dmz0',
    outInterface: 'out0',
    syn: false,
    state: 'ESTABLISHED',
    direction: 'REPLY',
  } as const;

  test('their answers need no pair, and their errors pass with them', () => {
    expect(table.judge(syn({ ...back, connmark: SESSION }))).toBe('queue');
    expect(table.judge(syn({ ...back, protocol: 'icmp', state: 'RELATED', connmark: SESSION }))).toBe('pass');
    expect(table.judge(syn(back))).toBe('drop');
    expect(table.judge(syn({ ...back, protocol: 'icmp', state: 'RELATED' }))).toBe('drop');
  });

  test('live on under a policy that inspects nothing', () => {
    const other = tableOf(zoned([policyClass('class-default', 'drop')]));
    expect(other.judge(syn({ ...back, connmark: SESSION }))).toBe('queue');
    expect(other.judge(syn({ connmark: SESSION }))).toBe('drop');
  });

  test('a SYN is judged whatever its connection was, and so is a connection that a helper expects', () => {
    expect(table.judge(syn({ connmark: SESSION, destinationPort: 80 }))).toBe('drop');
    expect(table.judge(syn({ ...back, state: 'RELATED', connmark: SESSION }))).toBe('drop');
  });

  test('TCP that conntrack gives to no connection is judged by the sessions, from either side', () => {
    expect(table.judge(syn({ ...back, state: 'INVALID' }))).toBe('queue');
    expect(table.judge(syn({ ...back, state: 'INVALID', syn: true }))).toBe('drop');
  });

  test('what can be no session is dropped in an inspected class', () => {
    const all = tableOf(
      zoned([policyClass('ALL', 'inspect')], { classMaps: [classMap('ALL', 'match-any', 'access-group name HOLES')] }),
    );
    expect(all.judge(syn())).toBe('queue');
    expect(all.judge(syn({ protocol: '47' }))).toBe('drop');
    expect(all.judge(syn({ protocol: 'icmp', state: 'RELATED' }))).toBe('drop');
  });
});

describe('the text', () => {
  test('one chain a pair, one line a class of one match', () => {
    const table = tableOf(zoned([policyClass('ICMP', 'pass'), policyClass('class-default', 'drop')]));
    const label = (rest: string) => `-m comment --comment "zone OUT-DMZ ${rest}"`;
    expect(table.lines('POSTERN-ZONE-1')).toEqual([
      `-p icmp ${label('ICMP pass')} -j ACCEPT`,
      `${label('class-default drop')} -j DROP`,
    ]);
    expect(table.lines('POSTERN-FORWARD').filter((line) => line.includes('ZONE'))).toEqual([
      '-i out0 -g POSTERN-ZONE-3',
      '-i out1 -g POSTERN-ZONE-3',
      '-i dmz0 -g POSTERN-ZONE-5',
      '-j POSTERN-ZONE-6',
    ]);
  });

  test('a dropped packet for the log goes to the gate with its mark, and is dropped when nobody is there', () => {
    const logging = zoned([policyClass('MAIL', 'pass log'), policyClass('class-default', 'drop log')], {
      postern: { fail: 'open' },
    });
    const table = tableOf(logging);
    expect(table.lines('POSTERN-ZONE-DROPPED')).toEqual([
      '-j MARK --set-xmark 0x19000000/0x1f000000',
      '-j NFQUEUE --queue-num 0',
    ]);
    expect(table.lines('POSTERN-ZONE-PASSED')).toEqual([
      '-j MARK --set-xmark 0x9000000/0x1f000000',
      '-j NFQUEUE --queue-num 0 --queue-bypass',
    ]);
    const behindCopies = [...table.text.matchAll(/^-A (\S+) .*-j POSTERN-ZONE-DROPPED\n-A (\S+) (.*)$/gm)];
    expect(behindCopies.map(([, chain, next, rest]) => chain === next && rest)).toEqual(['-j DROP']);
    expect(table.lines('POSTERN-SAVE')).toContain('-m mark --mark 0x19000000/0x1f000000 -j DROP');
    expect(table.lines('POSTROUTING')).toEqual(['-j POSTERN-SAVE']);
  });

  test('toward the router a queue that fails open is not asked', () => {
    const zonePairs: readonly ZonePair[] = [{ name: 'OUT-SELF', source: 'outside', destination: 'self', policy: 'P' }];
    const open = zoned([policyClass('class-default', 'drop log')], { zonePairs, postern: { fail: 'open' } });
    expect(tableOf(open).isTold(syn({ hook: 'INPUT', outInterface: '' }))).toBe(false);
    expect(tableOf({ ...open, postern: {} }).isTold(syn({ hook: 'INPUT', outInterface: '' }))).toBe(true);
  });

  test('police: both directions, one bucket, in front of what is offloaded', () => {
    const table = tableOf(zoned([policyClass('MAIL', 'inspect', 'police rate 128000 burst 8000')]));
    const police = [...table.text.matchAll(/^-A (POSTERN-ZONE-\d+) (.*hashlimit.*)$/gm)].map(([, , line]) => line);
    expect(new Set(police)).toHaveLength(1);
    expect(police[0]).toMatch(
      /^-m hashlimit --hashlimit-above 16000b\/s --hashlimit-name postern-\d+-16000-1 -g POSTERN-ZONE-\d+$/,
    );
    const exceeded = /POSTERN-ZONE-\d+$/.exec(police[0] ?? '')?.[0] ?? '';
    expect(table.lines(exceeded)).toEqual([expect.stringMatching(/^-m comment --comment "[^"]+ police" -j DROP$/)]);
    const forward = table.lines('POSTERN-FORWARD');
    expect(forward.findIndex((line) => /^-j POSTERN-ZONE-\d+$/.test(line))).toBeLessThan(
      forward.findIndex((line) => line.includes('ctexpire')),
    );
    const answer = {
      inInterface: 'dmz0',
      outInterface: 'out0',
      syn: false,
      sourcePort: 25,
      destinationPort: 40_000,
    } as const;
    const policed = (packet: Packet) => table.trace(packet).some((line) => line.includes('hashlimit'));
    expect(policed(syn())).toBe(true);
    expect(policed(syn({ ...answer, direction: 'REPLY', connmark: SESSION, state: 'ESTABLISHED' }))).toBe(true);
    expect(policed(syn({ ...answer, state: 'ESTABLISHED' }))).toBe(false);
    expect(policed(syn({ destinationPort: 143 }))).toBe(false);
    expect(policed(syn({ inInterface: 'free0', outInterface: 'free1' }))).toBe(false);
  });

  test('without zones nothing of it stands', () => {
    expect(tableOf({ ...EMPTY_CONFIGURATION, interfaces: [{ name: 'out0' }] }).text).not.toContain('ZONE');
  });

  test('an interface of a zone that no Linux interface can be is named', () => {
    const configuration = zoned([], { interfaces: [{ name: 'GigabitEthernet0/0', zone: 'outside' }] });
    const { skippedInterfaces } = rulesFor({ configuration, firstQueue: 0, workers: 1, hashKey: 7 });
    expect(skippedInterfaces).toEqual(['GigabitEthernet0/0']);
  });
});

describe('a random policy', () => {
  const match = fc.oneof(
    fc.constantFrom(...PROTOCOLS).map((name) => `protocol ${name}`),
    fc.constantFrom('access-group 101', 'access-group name HOLES', 'access-group name NONE'),
  );
  const combine = fc.constantFrom('match-any', 'match-all');
  const classMaps = fc
    .array(fc.tuple(combine, fc.array(match, { minLength: 1, maxLength: 3 }), fc.option(fc.nat(3))), {
      minLength: 4,
      maxLength: 4,
    })
    .map((maps) =>
      maps.map(([how, matches, nested], index) =>
        classMap(
          `C${index}`,
          how as ClassMap['combine'],
          ...matches,
          ...(nested === null ? [] : [`class-map C${nested}`]),
        ),
      ),
    );
  const action = fc.constantFrom('inspect', 'pass', 'drop', 'pass log', 'drop log');
  const classes = fc
    .array(fc.tuple(fc.nat(3), action), { maxLength: 4 })
    .map((found) => found.map(([index, words]) => policyClass(`C${index}`, words)));
  const zone = fc.constantFrom('outside', 'dmz', 'self', 'default');
  const pairs = fc
    .array(fc.tuple(zone, zone), { minLength: 1, maxLength: 4 })
    .map((found) =>
      found.map(([source, destination], index) => ({ name: `Z${index}`, source, destination, policy: 'P' })),
    );
  const interfaces = fc.constantFrom(INTERFACES, [...INTERFACES, { name: 'any', zone: 'dmz' }]);
  const way = fc.constantFrom(
    ...(['out0', 'out1', 'dmz0', 'free0'] as const).flatMap((from) =>
      (['out0', 'dmz0', 'free0', ''] as const).map((to) => [from, to] as const),
    ),
    ...(['out0', 'dmz0', 'free0'] as const).map((to) => ['', to] as const),
  );
  const packets = fc.array(
    fc.record({
      way,
      protocol: fc.constantFrom('tcp', 'udp', 'icmp'),
      source: fc.constantFrom(OUTSIDE, '198.51.100.8'),
      destination: fc.constantFrom(SERVER, '192.0.2.26'),
      destinationPort: fc.constantFrom(25, 53, 80, 110, 143, 587, 8_080),
    }),
    { minLength: 8, maxLength: 24 },
  );

  test.each(['ipv4', 'ipv6'] as const)('is in the kernel what it is to the workers (%s)', (family) => {
    fc.assert(
      fc.property(classMaps, classes, pairs, interfaces, packets, (maps, of, zonePairs, ports, sent) => {
        const configuration = zoned(of, { classMaps: maps, zonePairs, interfaces: ports });
        const table = tableOf(configuration, family);
        for (const one of sent) sameDecision(configuration, table, family, one);
      }),
      { numRuns: 150 },
    );
  });
});

interface Sent {
  readonly way: readonly [string, string];
  readonly protocol: string;
  readonly source: string;
  readonly destination: string;
  readonly destinationPort: number;
}

/** The kernel and the workers agree on the verdict, on what the log tells, and on pair and class. */
function sameDecision(configuration: Configuration, table: RuleTable, family: 'ipv4' | 'ipv6', sent: Sent): void {
  const [inInterface, outInterface] = sent.way;
  const transport = sent.protocol as 'tcp' | 'udp' | 'icmp';
  const [destinationPort, sourcePort] = transport === 'icmp' ? [0, 0] : [sent.destinationPort, 40_000];
  const address = (ipv4: string) => (family === 'ipv6' ? `2001:db8::${ipv4.split('.').at(-1)}` : ipv4);
  const packet = syn({
    hook: inInterface === '' ? 'OUTPUT' : outInterface === '' ? 'INPUT' : 'FORWARD',
    protocol: transport === 'icmp' && family === 'ipv6' ? 'icmpv6' : transport,
    ...{ inInterface, outInterface, destinationPort, sourcePort },
    ...{ source: address(sent.source), destination: address(sent.destination) },
  });
  const mail = portProtocols(configuration);
  const decision = decideZone(configuration, {
    protocol: transport === 'tcp' ? (mail.get(destinationPort) ?? 'tcp') : transport,
    initiator: { address: packet.source, port: sourcePort },
    responder: { address: packet.destination, port: destinationPort },
    ...{ inInterface, outInterface },
  });
  const expected = { unzoned: 'pass', pass: 'pass', drop: 'drop', inspect: 'queue' }[decision.kind];
  const told = decision.kind === 'drop' || decision.kind === 'pass' ? decision.log : false;
  expect([table.judge(packet), table.isTold(packet)]).toEqual([expected, told]);
  if (!('place' in decision) || decision.place === undefined) return;
  const { zonePair, className } = decision.place;
  expect(table.trace(packet).join('\n')).toContain(`"zone ${zonePair} ${className} `);
}
