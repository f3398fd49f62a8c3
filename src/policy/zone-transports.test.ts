import { expect, test } from 'vitest';
import { type ClassMap, type Configuration, EMPTY_CONFIGURATION, type PolicyClass } from './configuration.ts';
import { zoneTransports } from './zone-transports.ts';

const classMap = (name: string, combine: ClassMap['combine'], ...lines: readonly string[]): ClassMap => ({
  name,
  combine,
  matches: lines.map((line) => ({ words: line.split(' ') })),
});

const CLASSES: readonly ClassMap[] = [
  classMap('MAIL', 'match-any', 'protocol smtp', 'protocol esmtp', 'protocol imaps'),
  classMap('NAMES', 'match-any', 'protocol dns', 'protocol icmp'),
  classMap('LISTED', 'match-all', 'access-group 101'),
  classMap('LISTED-MAIL', 'match-all', 'access-group 101', 'class-map MAIL'),
  classMap('MAIL-OR-LISTED', 'match-any', 'protocol smtp', 'access-group 101'),
  classMap('ITSELF', 'match-any', 'protocol udp', 'class-map ITSELF'),
];

function transports(...classes: readonly (readonly [string, string])[]): readonly string[] {
  const policyClasses: PolicyClass[] = classes.map(([name, action]) => ({ name, actions: [[action]] }));
  const configuration: Configuration = {
    ...EMPTY_CONFIGURATION,
    classMaps: CLASSES,
    policyMaps: [{ name: 'P', classes: policyClasses }],
    zonePairs: [{ name: 'ZP', source: 'a', destination: 'b', policy: 'P' }],
  };
  return [...zoneTransports(configuration)].sort();
}

test.each([
  ['mail has sessions of its own', [['MAIL', 'inspect']], []],
  ['transports, and protocols without an engine', [['NAMES', 'inspect']], ['icmp', 'tcp', 'udp']],
  ['a class that asks for no protocol', [['LISTED', 'inspect']], ['icmp', 'tcp', 'udp']],
  ['a list and mail', [['LISTED-MAIL', 'inspect']], []],
  ['a list or mail', [['MAIL-OR-LISTED', 'inspect']], ['icmp', 'tcp', 'udp']],
  ['class-default', [['class-default', 'inspect']], ['icmp', 'tcp', 'udp']],
  [
    'nothing that passes or drops',
    [
      ['NAMES', 'pass'],
      ['class-default', 'drop'],
    ],
    [],
  ],
] as const)('%s', (_, classes, expected) => {
  expect(transports(...classes)).toEqual(expected);
});

test('a class that names itself ends', () => {
  expect(transports(['ITSELF', 'inspect'])).toContain('udp');
});

test('without a zone-pair nothing is inspected', () => {
  expect(zoneTransports({ ...EMPTY_CONFIGURATION, classMaps: CLASSES }).size).toBe(0);
});
