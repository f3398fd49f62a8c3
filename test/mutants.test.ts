import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isNative, mutate, occurrences } from './mutants/guard.ts';
import { GUARDS } from './mutants/list.ts';
import { guardTable, withGuardTable } from './mutants/table.ts';

/** The list of the mutation check fits the code: whoever moves a guard moves its entry. */
const ROOT = normalize(join(dirname(fileURLToPath(import.meta.url)), '..'));
const PAGE = join(ROOT, 'docs/testing.md');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

describe('the guards that the mutation check takes out', () => {
  test('are many, each with a name of its own', () => {
    expect(GUARDS.length).toBeGreaterThanOrEqual(60);
    expect(new Set(GUARDS.map(({ name }) => name)).size).toBe(GUARDS.length);
    expect(GUARDS.filter(({ name }) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name))).toEqual([]);
  });

  test('stand once in their files, and something else without them', () => {
    const wrong = GUARDS.filter((guard) => guard.from === guard.to || occurrences(guard, read(guard.file)) !== 1);
    expect(wrong.map(({ name, file }) => `${name} in ${file}`)).toEqual([]);
  });

  test('have tests that are there', () => {
    const pathOf = (native: boolean, name: string): string => (native ? `native/test/${name}` : name);
    const missing = GUARDS.flatMap((guard) => guard.tests.map((name) => pathOf(isNative(guard), name)));
    expect(missing.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(GUARDS.filter(({ tests }) => tests.length === 0)).toEqual([]);
  });

  test('are listed in docs/testing.md', () => {
    const page = readFileSync(PAGE, 'utf8');
    const wanted = withGuardTable(page, guardTable(GUARDS));
    if (process.env.UPDATE_DOCS === '1') writeFileSync(PAGE, wanted);
    else expect(page).toBe(wanted);
  });
});

describe('a mutation', () => {
  const guard = { name: 'n', rule: 'r', file: 'f', from: 'a$1', to: '$&', tests: ['t'] };

  test('puts the text in the place of the other, as it is', () => {
    expect(mutate(guard, 'x a$1 y')).toBe('x $& y');
  });

  test.each(['x', 'a$1 a$1'])('of %j is refused', (text) => {
    expect(() => mutate(guard, text)).toThrow('not once');
  });
});
