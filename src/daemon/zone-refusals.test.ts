import { expect, test } from 'vitest';
import { type ZoneAction, zoneMatchKey } from '../policy/zone-labels.ts';
import { ZoneRefusals } from './zone-refusals.ts';

type Row = readonly [pair: string, className: string, action: ZoneAction, packets: number];

function counted(rows: readonly Row[]) {
  return new Map(
    rows.map(([pair, name, action, packets]) => [zoneMatchKey(pair, name, action), { packets, bytes: 1 }] as const),
  );
}

test('drops of zones by reason, since they were cleared', async () => {
  let rows: readonly Row[] = [
    ['A', 'C', 'drop', 3],
    ['A', 'class-default', 'drop', 4],
    ['A', 'M', 'police', 5],
    ['A', 'M', 'inspect', 6],
    ['A', 'P', 'pass', 7],
    ['-', 'no-zone-pair', 'drop', 8],
    ['-', 'not-zoned', 'drop', 9],
  ];
  const refusals = new ZoneRefusals(async () => counted(rows));
  expect(await refusals.counts()).toEqual({ 'zone-drop': 7, police: 5, 'no-zone-pair': 8, 'not-zoned': 9 });
  await refusals.clear();
  expect(await refusals.counts()).toEqual({});
  rows = [
    ['A', 'C', 'drop', 10],
    ['-', 'not-zoned', 'drop', 2],
  ];
  expect(await refusals.counts()).toEqual({ 'zone-drop': 3, 'not-zoned': 2 });
});
