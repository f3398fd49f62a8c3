import { expect, test } from 'vitest';
import { SessionLimits } from '../engine/session-limits.ts';
import { zoneCountName } from '../engine/zone-places.ts';
import { COUNTED_RULES_MAX } from '../limits.ts';
import { EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { SessionPlaces } from './session-places.ts';

const configurationOf = (...names: readonly string[]) => ({
  ...EMPTY_CONFIGURATION,
  rules: names.map((name) => ({ name, protocols: [] })),
});
const placesOf = (places: SessionPlaces, ...names: readonly string[]) =>
  Object.fromEntries(places.layout(configurationOf(...names)).limits.rules.map(({ rule, place }) => [rule, place]));

test('the numbers of the configuration; unlimited where it has none', () => {
  const configuration = {
    ...EMPTY_CONFIGURATION,
    inspect: { sessionsMaximum: 100 },
    rules: [
      { name: 'A', protocols: [], maxSessions: 7 },
      { name: 'B', protocols: [] },
    ],
  };
  expect(new SessionPlaces(1).layout(configuration).limits).toEqual({
    maximum: 100,
    rules: [
      { rule: 'A', place: 1, maximum: 7 },
      { rule: 'B', place: 2, maximum: Number.POSITIVE_INFINITY },
    ],
  });
  expect(new SessionPlaces(1).layout(EMPTY_CONFIGURATION).limits.maximum).toBe(Number.POSITIVE_INFINITY);
});

test('a rule keeps its place; one that is gone leaves it a reload later, when nothing is counted there', () => {
  const places = new SessionPlaces(1);
  expect(placesOf(places, 'A', 'B')).toEqual({ A: 1, B: 2 });
  expect(placesOf(places, 'B', 'C')).toEqual({ B: 2, C: 3 });
  expect(placesOf(places, 'B', 'C', 'D')).toEqual({ B: 2, C: 3, D: 1 });
});

test('a place with sessions is not given away, and its rule finds it again', () => {
  const places = new SessionPlaces(1);
  const { limits } = places.layout(configurationOf('A'));
  const worker = new SessionLimits(places.counts, 0, limits);
  worker.open('A');
  for (const round of [1, 2, 3]) expect(placesOf(places, 'B'), `reload ${round}`).toEqual({ B: 2 });
  expect(placesOf(places, 'B', 'A')).toEqual({ A: 1, B: 2 });
  placesOf(places, 'B');
  worker.close('A');
  expect(placesOf(places, 'B', 'C')).toEqual({ B: 2, C: 1 });
});

test('rules beyond the last place are named', () => {
  const names = Array.from({ length: COUNTED_RULES_MAX + 2 }, (_, index) => `R${index}`);
  const { limits, placeless } = new SessionPlaces(1).layout(configurationOf(...names));
  expect(limits.rules).toHaveLength(COUNTED_RULES_MAX);
  expect(limits.rules.at(-1)?.place).toBe(COUNTED_RULES_MAX);
  expect(placeless).toEqual(names.slice(-2));
});

test('classes of zone-pairs that inspect have places too, with the maximum of their parameter-map', () => {
  const { limits } = new SessionPlaces(1).layout({
    ...configurationOf('A'),
    parameterMaps: [{ name: 'PM', kind: 'inspect', lines: [['sessions', 'maximum', '5']] }],
    policyMaps: [
      {
        name: 'P',
        classes: [
          {
            name: 'C',
            actions: [
              ['inspect', 'PM'],
              ['service-policy', 'smtp', 'X'],
            ],
          },
          { name: 'D', actions: [['inspect']] },
          { name: 'class-default', actions: [['drop']] },
        ],
      },
    ],
    zonePairs: [
      { name: 'Z1', source: 'a', destination: 'b', policy: 'P' },
      { name: 'Z2', source: 'b', destination: 'a' },
    ],
  });
  const unlimited = Number.POSITIVE_INFINITY;
  expect(limits.rules).toEqual([
    { rule: 'A', place: 1, maximum: unlimited },
    { rule: zoneCountName({ zonePair: 'Z1', className: 'C' }), place: 2, maximum: 5 },
    { rule: zoneCountName({ zonePair: 'Z1', className: 'D' }), place: 3, maximum: unlimited },
  ]);
});
