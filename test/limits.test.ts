import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { REASON_NAMES } from '../src/inspect/reasons.ts';

const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
const PAGE = read('docs/limits.md');

interface Limit {
  readonly name: string;
  readonly value: number;
}

const numberOf = (text: string): number => {
  const [base = '', shift = '0'] = text.replace(/['_Uu\s]/g, '').split('<<');
  return Number(base) * 2 ** Number(shift);
};

const limitsOf = (file: string, pattern: RegExp): readonly Limit[] =>
  [...read(file).matchAll(pattern)].map(([, name = '', value = '']) => ({ name, value: numberOf(value) }));

const TYPESCRIPT = limitsOf('src/limits.ts', /^export const (\w+) = ([^;]+);/gm);
const NATIVE = limitsOf('native/core/limits.h', /^inline constexpr [\w:]+ (\w+) = ([^;]+);/gm);

/** The row of the page that begins with this name. */
const rowOf = (name: string): string | undefined =>
  PAGE.split('\n').find((line) => line.startsWith('| `') && line.split('|')[1]?.includes(`\`${name}\``));

/** A number as the page writes it: with commas, or in MiB. */
const writings = (value: number): readonly string[] => [
  value.toLocaleString('en-US'),
  ...(value % 2 ** 20 === 0 ? [`${value / 2 ** 20} MiB`] : []),
];

describe('docs/limits.md', () => {
  test('the files were read', () => {
    expect(TYPESCRIPT.length).toBeGreaterThan(10);
    expect(NATIVE.length).toBeGreaterThan(10);
    expect(NATIVE.find(({ name }) => name === 'kArenaBytes')?.value).toBe(1_048_576);
  });

  test.each([...TYPESCRIPT, ...NATIVE])('$name stands there with its value and what happens beyond it', (limit) => {
    const row = rowOf(limit.name);
    expect(row).toBeDefined();
    expect(writings(limit.value).some((text) => new RegExp(`(?<![\\d,])${text}(?![\\d,]\\d)`).test(row ?? ''))).toBe(
      true,
    );
    expect(row?.split('|')[3]?.trim()).toMatch(/\w/);
  });

  test('names no limit that is not there any more', () => {
    const known = new Set([...TYPESCRIPT, ...NATIVE].map(({ name }) => name));
    const [ours = ''] = PAGE.split('## Configured');
    const named = [...ours.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ''),
    );
    expect(named.length).toBe(known.size);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  test('its reasons are reasons', () => {
    const reasons = [...PAGE.matchAll(/`([a-z]+(?:-[a-z]+)+)`/g)].map((match) => match[1] ?? '');
    const others = new Set([
      'drop-truncated',
      'drop-held-limit',
      'max-data',
      'max-incomplete',
      'one-minute',
      'synwait-time',
    ]);
    const known = new Set<string>(REASON_NAMES);
    expect(reasons.length).toBeGreaterThan(20);
    expect(reasons.filter((name) => !known.has(name) && !others.has(name))).toEqual([]);
  });
});
