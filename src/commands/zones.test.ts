import { describe, expect, test } from 'vitest';
import { applyLines, parseConfiguration } from './parse-configuration.ts';
import { printConfiguration } from './print-configuration.ts';

function parse(...lines: readonly string[]) {
  return parseConfiguration(lines.join('\n'), 'f');
}

function refused(...lines: readonly string[]): readonly string[] {
  return parse(...lines).errors.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

const ZONES = ['zone security in', 'zone security out'];

describe('zones', () => {
  test('are read, printed and taken back', () => {
    const lines = ['zone security in', ' description where we are', 'zone security out', '!'];
    const { configuration, errors } = parse(...lines);
    expect(errors).toEqual([]);
    expect(configuration.zones).toEqual([{ name: 'in', description: 'where we are' }, { name: 'out' }]);
    expect(printConfiguration(configuration).split('\n').slice(1, 5)).toEqual(lines);
    const undone = applyLines(configuration, ['zone security in', 'no description', 'no zone security out']);
    expect(undone.configuration.zones).toEqual([{ name: 'in' }]);
  });

  test('have names of 64 characters and descriptions of 200', () => {
    expect(refused(`zone security ${'z'.repeat(64)}`)).toEqual([]);
    expect(refused(`zone security ${'z'.repeat(65)}`, ' description x')).toEqual([
      '1:15 % The name of a zone has at most 64 characters, all of them ASCII',
    ]);
    expect(refused('zone security z\u00e4')).toHaveLength(1);
    expect(refused('zone security z', ` description ${'d'.repeat(200)}`)).toEqual([]);
    expect(refused('zone security z', ` description ${'d'.repeat(201)}`)[0]).toContain('at most 200 characters');
  });

  test('self is always there: it is not made, not deleted, not joined (R14)', () => {
    const message = '%Error: zone self is the router itself, it cannot be created or deleted';
    expect(refused('zone security self', ' description x')).toEqual([`1:15 ${message}`]);
    expect(refused('zone security SELF')).toEqual([`1:15 ${message}`]);
    expect(refused('no zone security self')).toEqual([`1:18 ${message}`]);
    expect(refused('interface e', ' zone-member security self')[0]).toContain(
      'no interface can be a member of zone self',
    );
    expect(
      refused('zone security selfish', 'zone security sel', 'zone-pair security Z source sel destination self'),
    ).toEqual([]);
  });

  test('are deleted when nothing is in them', () => {
    expect(refused('no zone security X')).toEqual(['1:18 % Zone X does not exist']);
    const member = [...ZONES, 'interface e', ' zone-member security in'];
    expect(refused(...member, 'no zone security in')).toEqual(['5:18 % Remove all interfaces from zone in first']);
    expect(refused(...member, ' no zone-member security in', 'no zone security in')).toEqual([]);
    expect(refused(...member, 'no interface e', 'no zone security in')).toEqual([]);
  });
});

describe('interfaces', () => {
  test('are in one zone that is there', () => {
    const { configuration, errors } = parse('interface e', ' zone-member security in', ...ZONES);
    expect([errors, configuration.interfaces]).toEqual([[], [{ name: 'e', zone: 'in' }]]);
    expect(configuration.zones).toHaveLength(2);
    expect(parse(...ZONES, 'interface e', ' zone-m sec in').configuration.interfaces[0]?.zone).toBe('in');
    expect(printConfiguration(configuration)).toContain('interface e\n zone-member security in\n');
    expect(refused('interface e', ' zone-member security in')).toEqual(['2:23 % Zone in does not exist']);
    expect(refused(...ZONES, 'interface e', ' zone-member security in', ' zone-member security out')).toEqual([
      '5:23 %Error: interface e is a member of zone in already, remove it before out',
    ]);
    expect(refused(...ZONES, 'interface e', ' zone-member security in', ' zone-member security in')).toEqual([]);
  });

  test('have a zone or a rule, whichever comes first (R12)', () => {
    const rule = [...ZONES, 'ip inspect name R smtp', 'interface e'];
    const [zone, inspect] = [' zone-member security in', ' ip inspect R out'];
    expect(refused(...rule, zone, inspect)).toEqual([
      "6:13 %Error: interface e is a member of zone in and cannot have 'ip inspect R'",
    ]);
    expect(refused(...rule, inspect, zone)).toEqual([
      "6:23 %Error: interface e has 'ip inspect R' and cannot be a member of zone in",
    ]);
    expect(refused(...rule, zone, ' no zone-member security', inspect)).toEqual([]);
    expect(refused(...rule, inspect, ' no ip inspect R out', zone)).toEqual([]);
    expect(refused(...rule, inspect, 'interface f', zone)).toEqual([]);
    expect(refused(...rule, zone, ' ip access-group 1 in')).toEqual([]);
  });
});

describe('zone-pairs', () => {
  const POLICY = ['policy-map type inspect P', ' class class-default', '  drop'];

  test('are read, printed and taken back', () => {
    const lines = [
      ...[
        'zone-pair security IN-OUT source in destination out',
        ' description from us',
        ' service-policy type inspect P',
      ],
      ...[
        'zone-pair security OUT-SELF source out destination self',
        'zone-pair security D source default destination in',
        '!',
      ],
    ];
    const { configuration, errors } = parse(...POLICY, ...ZONES, ...lines);
    expect(errors).toEqual([]);
    expect(configuration.zonePairs[0]).toEqual({
      ...{ name: 'IN-OUT', source: 'in', destination: 'out', description: 'from us', policy: 'P' },
    });
    const printed = printConfiguration(configuration).split('\n');
    expect(printed.slice(printed.indexOf(lines[0] ?? ''), -2)).toEqual(lines);
    const undone = applyLines(configuration, [
      ...['zone-pair security IN-OUT source in destination out', 'no service-policy type inspect P', 'no description'],
      ...['no zone-pair security OUT-SELF', 'no zone-pair security D source default destination in'],
    ]);
    expect(undone.configuration.zonePairs).toEqual([{ name: 'IN-OUT', source: 'in', destination: 'out' }]);
  });

  test('have both ends, and names of 128 characters', () => {
    expect(refused(...ZONES, 'zone-pair security X source in')).toEqual(['3:31 % Incomplete command.']);
    expect(refused(...ZONES, `zone-pair security ${'p'.repeat(128)} source in destination out`)).toEqual([]);
    expect(refused(...ZONES, `zone-pair security ${'p'.repeat(129)} source in destination out`)).toHaveLength(1);
  });

  test('are one a direction, within a zone too, and not from self to self', () => {
    const pair = (name: string, from: string, to: string) =>
      `zone-pair security ${name} source ${from} destination ${to}`;
    expect(refused(...ZONES, pair('A', 'in', 'out'), pair('B', 'in', 'out'), ' service-policy type inspect X')).toEqual(
      ['4:20 %Error: zone-pair A is from in to out already, B cannot be too'],
    );
    expect(refused(...ZONES, pair('A', 'in', 'out'), pair('A', 'out', 'in'))).toEqual([
      '4:20 %Error: zone-pair A exists already, from in to out',
    ]);
    expect(refused(...ZONES, pair('A', 'in', 'out'), pair('B', 'out', 'in'), pair('C', 'in', 'in'))).toEqual([]);
    expect(refused(...ZONES, pair('A', 'in', 'out'), pair('A', 'in', 'out'))).toEqual([]);
    expect(refused(pair('A', 'self', 'self'))).toEqual([
      '1:20 %Error: source and destination of zone-pair A are both self',
    ]);
  });

  test('name zones and a policy that are there in the end', () => {
    expect(refused('zone-pair security Z source in destination out', ...ZONES)).toEqual([]);
    expect(refused('zone security in', 'zone-pair security Z source in destination out')).toEqual([
      '2:44 % Zone out does not exist',
    ]);
    const pair = [...ZONES, 'zone-pair security Z source in destination out', ' service-policy type inspect P'];
    expect(refused(...pair)).toEqual(['4:30 % policy-map type inspect P is not defined']);
    expect(refused(...pair, ...POLICY)).toEqual([]);
    expect(refused(...pair, 'policy-map type inspect smtp P')).toEqual([
      '4:30 %Error: zone-pair Z takes a policy-map of layer 3/4: P is of type smtp',
    ]);
  });

  test('have one policy', () => {
    const pair = [...ZONES, ...POLICY, 'policy-map type inspect Q', 'zone-pair security Z source in destination out'];
    expect(refused(...pair, ' service-policy type inspect P', ' service-policy type inspect Q')).toEqual([
      '9:30 %Error: zone-pair Z has policy-map P already, remove it before Q',
    ]);
    expect(
      refused(
        ...pair,
        ' service-policy type inspect P',
        ' no service-policy type inspect',
        ' service-policy type inspect Q',
      ),
    ).toEqual([]);
  });
});

describe('policies of the router itself', () => {
  const CLASS = ['class-map type inspect C', ' match protocol smtp', 'policy-map type inspect smtp L7'];
  const POLICY = ['policy-map type inspect P', ' class type inspect C', '  inspect'];
  const pair = (from: string, to: string) => [
    `zone-pair security Z source ${from} destination ${to}`,
    ' service-policy type inspect P',
  ];

  test.each([
    ['police', '  police rate 8000 burst 1000'],
    ['service-policy', '  service-policy smtp L7'],
  ])('have no %s, whichever side comes first', (action, line) => {
    for (const [from, to] of [
      ['in', 'self'],
      ['self', 'in'],
    ] as const) {
      expect(refused(...ZONES, ...CLASS, ...POLICY, line, ...pair(from, to))).toEqual([
        `11:30 %Error: zone-pair Z is for self and cannot use action '${action}' of policy-map P (class C)`,
      ]);
      expect(refused(...ZONES, ...CLASS, ...pair(from, to), ...POLICY, line)).toEqual([
        `11:3 %Error: action '${action}' cannot be used in policy-map P: zone-pair Z applies it to self`,
      ]);
    }
    expect(refused(...ZONES, ...CLASS, ...POLICY, line, ...pair('in', 'out'))).toEqual([]);
    expect(refused(...ZONES, ...CLASS, ...POLICY, ...pair('in', 'self'))).toEqual([]);
  });
});

describe('sections that were refused', () => {
  test('tell their header only, and what follows them is read', () => {
    expect(
      refused(
        ...['zone security self', ' description x', ' nonsense', 'zone security in', ' nonsense'],
        ...['class-map type inspect class-default', ' match nonsense', 'policy-map type inspect smtp P'],
        ...[' class type inspect pop3 C', '  nonsense', ' class type inspect smtp D', '  reset'],
      ).map((message) => message.slice(0, 12)),
    ).toEqual(['1:15 %Error:', '5:2 % Invali', '6:24 % class', '9:21 %Error:', '11:26 % clas']);
  });

  test('hold nothing back where nothing is indented', () => {
    expect(refused('zone security self', 'zone security in', 'interface e', 'zone-member security in')).toHaveLength(1);
  });
});

test('an application policy behind tcp reads nothing, and that is told', () => {
  const told = (combine: string, ...matches: readonly string[]) =>
    parse(
      ...[`class-map type inspect ${combine} C`, ...matches.map((match) => ` match ${match}`)],
      ...['class-map type inspect match-any IN', ' match protocol tcp', 'policy-map type inspect smtp L7'],
      ...['policy-map type inspect P', ' class type inspect C', '  inspect', '  service-policy smtp L7'],
      ...[...ZONES, 'zone-pair security Z source in destination out', ' service-policy type inspect P'],
    ).notices.flatMap(({ line, message }) => (message.includes('reads nothing') ? [`${line} ${message}`] : []));
  expect(told('match-any', 'protocol tcp', 'protocol smtp')).toEqual([
    '10 % notice: class C matches tcp before smtp: service-policy smtp L7 reads nothing',
  ]);
  expect(told('match-any', 'class-map IN', 'protocol esmtp')).toHaveLength(1);
  expect(told('match-any', 'protocol smtp', 'protocol tcp')).toEqual([]);
  expect(told('match-any', 'protocol udp', 'protocol smtp')).toEqual([]);
  expect(told('match-all', 'protocol tcp', 'protocol smtp')).toEqual([]);
});

test('what leads nowhere is told once, what is attached is not', () => {
  const maps = [
    ...['class-map type inspect smtp match-any S', ' match cmd verb X', 'policy-map type inspect smtp L7'],
    ...[' class type inspect smtp S', '  log', 'class-map type inspect match-any IN', ' match protocol smtp'],
    ...[
      'class-map type inspect C',
      ' match class-map IN',
      'policy-map type inspect P',
      ' class type inspect C',
      '  inspect',
    ],
    '  service-policy smtp L7',
  ];
  const told = (...lines: readonly string[]) => parse(...maps, ...lines).notices.map(({ message }) => message);
  expect(told()).toEqual([
    '% notice: attached to nothing and without effect: class-map S, class-map IN, class-map C, policy-map L7, policy-map P',
  ]);
  const pair = [...ZONES, 'zone-pair security Z source in destination out', ' service-policy type inspect P'];
  expect(told(...pair)).toEqual([]);
  expect(told(...pair, 'class-map type inspect OTHER')).toEqual([
    '% notice: attached to nothing and without effect: class-map OTHER',
  ]);
});
