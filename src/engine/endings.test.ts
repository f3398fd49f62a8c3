import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DROP_REASONS } from '../log/reason-messages.ts';
import { DROPS, dropName, dropReason, dropsByMachineName, refusalsOf, setCounterNames } from './endings.ts';

const header = readFileSync(new URL('../../native/engine/counters.h', import.meta.url), 'utf8');
const COUNTERS = [...header.matchAll(/X\(\w+, "([a-z0-9-]+)"\)/g)].map((match) => match[1] ?? '');

/** Parts of a refusal or of holding: what became of the session is told elsewhere. */
const WITHOUT_REASON = [
  ...['drop-duplicate-held', 'drop-held-limit', 'drop-refused', 'drop-replaced', 'drop-shutdown', 'drop-zone'],
];

test('every native drop counter has a reason, or is known to need none', () => {
  setCounterNames(COUNTERS);
  const drops = COUNTERS.filter((name) => name.startsWith('drop-'));
  expect(drops.length).toBeGreaterThan(15);
  const without = drops.filter((name) => dropReason(COUNTERS.indexOf(name)) === undefined);
  expect(without.toSorted()).toEqual(WITHOUT_REASON.toSorted());
});

test('a reason sums up its counters; counters that are no refusals give none', () => {
  const silent = (name: string): boolean => name.startsWith('drop-') || name === 'half-open-evicted';
  const counters = Object.fromEntries(COUNTERS.map((name) => [name, silent(name) ? 0 : 7]));
  expect(refusalsOf({ ...counters, 'half-open-evicted': 3 })).toEqual({ 'half-open-evicted': 3 });
  expect(refusalsOf(counters)).toEqual({});
  expect(refusalsOf({ ...counters, 'drop-midstream': 2, 'drop-no-flow': 3, 'drop-stray': 1 })).toEqual({
    ...{ midstream: 5, 'stray-segment': 1 },
  });
});

test('a drop is named by its reason, else by its counter', () => {
  setCounterNames(['drop-stray', 'drop-refused']);
  expect([dropName(0), dropName(1), dropName(2)]).toEqual(['stray-segment', 'drop-refused', 'unknown']);
});

test.each([
  ['drop-syn-with-data', 'SYN with data or with PSH/URG flags'],
  ['drop-midstream', 'Segment matching no TCP connection'],
  ['drop-data-after-fin', 'Invalid Segment'],
  ['drop-invalid-sequence', 'Invalid Seq#'],
  ['drop-invalid-acknowledgement', 'Invalid Ack (or no Ack)'],
  ['drop-invalid-flags', 'Invalid Flags'],
  ['drop-bad-checksum', 'Invalid Checksum'],
  ['drop-syn-in-window', 'SYN inside current window'],
  ['drop-rst-in-window', 'RST inside current window'],
  ['drop-out-of-order', 'Out-Of-Order Segment'],
  ['drop-stray', 'Stray Segment'],
  ['drop-invalid-window-scale', 'Invalid Window scale option'],
  ['drop-unexpected-option', 'Invalid TCP options'],
  ['drop-flow-table-full', 'Session limiting'],
  ['drop-host-blocked', 'Session limiting'],
  ['drop-truncated', 'Invalid Header length'],
  ['drop-access-list', 'policy match failure'],
])('%s is %s in the words of IOS', (counter, text) => {
  setCounterNames(COUNTERS);
  const reason = dropReason(COUNTERS.indexOf(counter));
  expect(reason === undefined ? undefined : DROP_REASONS[reason]).toBe(text);
});

test("IOS XE's names count every dropped packet once", () => {
  const drops = COUNTERS.filter((name) => name.startsWith('drop-'));
  const counters = Object.fromEntries(drops.map((name, index) => [name, 2 ** index]));
  const byName = dropsByMachineName({ ...counters, received: 1 });
  expect(Object.values(byName).reduce((sum, count) => sum + count, 0)).toBe(2 ** drops.length - 1);
  expect(
    dropsByMachineName({ 'drop-stray': 1, 'drop-bad-packet': 2, 'drop-truncated': 3, 'drop-shutdown': 4 }),
  ).toEqual({
    ...{ 'l4-tcp-stray-seg': 1, 'l4-invalid-hdr': 5, shutdown: 4 },
  });
});

test('docs/logging.md has them all', () => {
  const page = readFileSync(new URL('../../docs/logging.md', import.meta.url), 'utf8');
  for (const [counter, { reason, machineName = counter.replace(/^drop-/, '') }] of Object.entries(DROPS)) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${counter}\` |`));
    const cells = row?.split('|').map((cell) => cell.trim().replaceAll('`', ''));
    const [what, text] =
      reason === undefined ? [expect.stringMatching(/^none: /), '-'] : [reason, DROP_REASONS[reason]];
    expect(cells).toEqual(['', counter, what, text, machineName, '']);
  }
});
