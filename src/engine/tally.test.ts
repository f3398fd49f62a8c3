import { describe, expect, test } from 'vitest';
import { addRecords, countedSince, Tally } from './tally.ts';

describe('Tally', () => {
  test('counts by label', () => {
    const tally = new Tally(2);
    tally.add('ETRN');
    tally.add('ETRN');
    tally.add('WIZ');
    expect(tally.toRecord()).toEqual({ ETRN: 2, WIZ: 1 });
  });

  test('labels beyond the bound are one, and known ones go on counting', () => {
    const tally = new Tally(1);
    for (const label of ['ETRN', 'A', 'B', 'ETRN', 'C']) tally.add(label);
    expect(tally.toRecord()).toEqual({ ETRN: 2, other: 3 });
  });

  test('a label named like a property of objects is a label', () => {
    const tally = new Tally(2);
    tally.add('constructor');
    expect(tally.toRecord()).toEqual({ constructor: 1 });
  });
});

test('records are added label by label, and stay as they were', () => {
  const one = { a: 1, b: 2 };
  expect(addRecords(one, { b: 3, c: 4 })).toEqual({ a: 1, b: 5, c: 4 });
  expect(one).toEqual({ a: 1, b: 2 });
});

test('counts begin at the baseline, gauges and peaks do not', () => {
  const baseline = { received: 10, held: 5, 'max-half-open': 9, 'out-of-order-peak-bytes': 7 };
  const now = { received: 12, held: 3, 'max-half-open': 9, 'out-of-order-peak-bytes': 7, 'drop-stray': 4 };
  expect(countedSince(now, baseline)).toEqual({ ...now, received: 2 });
});
