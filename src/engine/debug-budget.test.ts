import { expect, test } from 'vitest';
import { DEBUG_LINES_A_SECOND_MAX, DebugBudget } from './debug-budget.ts';

const lines = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index}`);

test('a second has so many lines, and the next one says how many there were more', () => {
  const budget = new DebugBudget();
  expect(budget.admit(lines(DEBUG_LINES_A_SECOND_MAX - 1), 5_000)).toHaveLength(DEBUG_LINES_A_SECOND_MAX - 1);
  expect(budget.admit(lines(3), 5_500)).toEqual(['line 0']);
  expect(budget.admit(lines(40), 5_999)).toEqual([]);
  expect(budget.admit(lines(2), 6_000)).toEqual([
    'CBAC: 42 debug lines dropped, too many a second',
    'line 0',
    'line 1',
  ]);
  expect(budget.admit(lines(1), 9_000)).toEqual(['line 0']);
});

test('a clock that jumps back opens the next second', () => {
  const budget = new DebugBudget();
  budget.admit(lines(DEBUG_LINES_A_SECOND_MAX + 1), 5_000);
  expect(budget.admit(lines(1), 10)).toEqual(['CBAC: 1 debug lines dropped, too many a second', 'line 0']);
});
