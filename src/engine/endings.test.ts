import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dropName, dropReason, dropsByReason, setCounterNames } from './endings.ts';

const header = readFileSync(new URL('../../native/engine/counters.h', import.meta.url), 'utf8');
const COUNTERS = [...header.matchAll(/X\(\w+, "([a-z0-9-]+)"\)/g)].map((match) => match[1] ?? '');

/** Parts of a refusal or of holding: what became of the session is told elsewhere. */
const WITHOUT_REASON = [
  ...['drop-duplicate-held', 'drop-held-limit', 'drop-refused', 'drop-replaced', 'drop-shutdown'],
];

test('every native drop counter has a reason, or is known to need none', () => {
  setCounterNames(COUNTERS);
  const drops = COUNTERS.filter((name) => name.startsWith('drop-'));
  expect(drops.length).toBeGreaterThan(15);
  const without = drops.filter((name) => dropReason(COUNTERS.indexOf(name)) === undefined);
  expect(without.toSorted()).toEqual(WITHOUT_REASON.toSorted());
});

test('a reason sums up its counters; counters that are no drops give none', () => {
  const counters = Object.fromEntries(COUNTERS.map((name) => [name, name.startsWith('drop-') ? 0 : 7]));
  expect(dropsByReason(counters)).toEqual({});
  expect(dropsByReason({ ...counters, 'drop-midstream': 2, 'drop-no-flow': 3, 'drop-stray': 1 })).toEqual({
    ...{ midstream: 5, 'invalid-segment': 1 },
  });
});

test('a drop is named by its reason, else by its counter', () => {
  setCounterNames(['drop-stray', 'drop-refused']);
  expect([dropName(0), dropName(1), dropName(2)]).toEqual(['invalid-segment', 'drop-refused', 'unknown']);
});
