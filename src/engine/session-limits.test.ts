import { describe, expect, test } from 'vitest';
import { countSessions, makeSessionCounts, SessionLimits } from './session-limits.ts';

const NONE = Number.POSITIVE_INFINITY;
const layout = (maximum: number, ...rules: readonly [string, number, number][]) => ({
  maximum,
  rules: rules.map(([rule, place, most]) => ({ rule, place, maximum: most })),
});

function workers(count: number, of = layout(NONE)) {
  const shared = makeSessionCounts(count);
  const limits = Array.from({ length: count }, (_, worker) => new SessionLimits(shared, worker, of));
  const at = (worker: number): SessionLimits => {
    const found = limits[worker];
    if (found === undefined) throw new Error('no such worker');
    return found;
  };
  const openMany = (worker: number, rule: string, most: number): number => {
    let granted = 0;
    while (granted < most && at(worker).open(rule)) granted += 1;
    return granted;
  };
  return { shared, at, openMany, count: (column: number) => countSessions(shared, column) };
}

describe('sessions maximum', () => {
  test('holds for the workers together, exactly', () => {
    const { at, openMany, count } = workers(3, layout(10));
    expect([openMany(0, 'A', 4), openMany(1, 'B', 4), openMany(2, 'A', 4)]).toEqual([4, 4, 2]);
    expect([0, 1, 2].map((worker) => at(worker).open('C'))).toEqual([false, false, false]);
    expect(count(0)).toBe(10);
    at(1).close('B');
    expect([at(0).open('C'), at(2).open('C')]).toEqual([true, false]);
  });

  test('unlimited refuses nobody, and counts', () => {
    const { openMany, count } = workers(2);
    expect([openMany(0, 'A', 5_000), openMany(1, 'A', 5_000)]).toEqual([5_000, 5_000]);
    expect(count(0)).toBe(10_000);
  });
});

describe('parameter max-sessions', () => {
  test('holds for its rule alone; what it refuses does not count for all', () => {
    const { at, openMany, count } = workers(2, layout(NONE, ['A', 1, 3], ['B', 2, NONE]));
    expect([openMany(0, 'A', 2), openMany(1, 'A', 9)]).toEqual([2, 1]);
    expect(openMany(0, 'B', 50)).toBe(50);
    expect([count(0), count(1), count(2)]).toEqual([53, 3, 50]);
    at(0).close('A');
    expect([at(1).open('A'), at(0).open('A')]).toEqual([true, false]);
  });

  test('a refusal by the number of all leaves the rule with room', () => {
    const { at, openMany, count } = workers(1, layout(2, ['A', 1, 3]));
    expect(openMany(0, 'A', 9)).toBe(2);
    expect(count(1)).toBe(2);
    at(0).configure(layout(NONE, ['A', 1, 3]));
    expect(openMany(0, 'A', 9)).toBe(1);
  });
});

describe('a reload', () => {
  test('lowered below what is open: nobody is ended, nobody comes in until enough have gone', () => {
    const { at, openMany } = workers(1, layout(NONE, ['A', 1, NONE]));
    openMany(0, 'A', 5);
    at(0).configure(layout(NONE, ['A', 1, 3]));
    for (let left = 5; left > 3; left -= 1) {
      expect(at(0).open('A')).toBe(false);
      at(0).close('A');
    }
    expect(at(0).open('A')).toBe(false);
    at(0).close('A');
    expect(at(0).open('A')).toBe(true);
  });

  test('a rule that is gone is counted down where it was counted up', () => {
    const { at, openMany, count } = workers(1, layout(NONE, ['A', 1, 3]));
    openMany(0, 'A', 3);
    at(0).configure(layout(NONE, ['B', 2, 3]));
    openMany(0, 'B', 2);
    for (let left = 3; left > 0; left -= 1) at(0).close('A');
    expect([count(0), count(1), count(2)]).toEqual([2, 0, 2]);
  });

  test('a place that another rule has now is not counted down by the one that had it', () => {
    const { at, openMany, count } = workers(1, layout(NONE, ['A', 1, 3]));
    at(0).configure(layout(NONE, ['B', 1, 3]));
    openMany(0, 'B', 2);
    at(0).close('A');
    expect(count(1)).toBe(2);
  });
});

test("a worker's successor begins with nothing open, and leaves the others' alone", () => {
  const { shared, openMany, count } = workers(2, layout(NONE, ['A', 1, NONE]));
  openMany(0, 'A', 4);
  openMany(1, 'A', 3);
  new SessionLimits(shared, 0, layout(NONE));
  expect([count(0), count(1)]).toEqual([3, 3]);
});

test('one close too many does not make room', () => {
  const { at, openMany, count } = workers(2, layout(4));
  openMany(1, 'A', 4);
  at(0).close('A');
  expect(count(0)).toBe(4);
  expect(at(0).open('A')).toBe(false);
});
