import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, test } from 'vitest';
import { loadPatterns, type PatternAddon } from '../native/addon.ts';
import type { PatternPlan, PatternSets, PatternText } from '../policy/application/pattern-sets.ts';
import { patternPlanOf } from '../policy/application/patterns.ts';
import { type Configuration, EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { PatternCompiler, PatternsRefused, type RefusedPattern } from './pattern-compiler.ts';
import { patternErrors } from './pattern-errors.ts';

const addon = loadPatterns();
const compilers: PatternCompiler[] = [];

function createCompiler() {
  const asked: string[] = [];
  const released: number[] = [];
  const counting: Pick<PatternAddon, 'compilePatterns' | 'releasePatterns'> = {
    compilePatterns(patterns, place) {
      asked.push(`${place} ${patterns.length}`);
      return addon.compilePatterns(patterns, place);
    },
    releasePatterns(set) {
      released.push(set);
      addon.releasePatterns(set);
    },
  };
  const compiler = new PatternCompiler(counting);
  compilers.push(compiler);
  return { compiler, asked, released };
}

afterEach(() => {
  for (const compiler of compilers.splice(0)) compiler.keepOnly([]);
});

const text = (id: number, expression: string): PatternText => ({ id, expression, caseless: false });
const plan = (uses: PatternPlan['uses'], maps = ['A', 'B']): PatternPlan => ({ maps, uses });
const found = (sets: PatternSets, use: keyof PatternSets['sets'], of: string) =>
  addon.matchOnce(sets.sets[use] ?? 0, of);

describe('compiling', () => {
  test('gives each use a set for its place', async () => {
    const { compiler, asked } = createCompiler();
    const texts = [text(0, '^two$')];
    const sets = await compiler.compile(plan({ sender: texts, header: [text(1, 'x')], body: texts }));
    expect(sets.maps).toEqual(['A', 'B']);
    expect([...asked].sort()).toEqual(['body 1', 'field 1', 'field 1']);
    // The lines of a body are held apart, a field is one.
    expect(found(sets, 'body', 'one\r\ntwo\r\n')).toHaveLength(1);
    expect(found(sets, 'sender', 'one\r\ntwo\r\n')).toHaveLength(0);
  });

  test('does nothing where there is nothing', async () => {
    const { compiler, asked } = createCompiler();
    expect(await compiler.compile({ maps: [], uses: { sender: [] } })).toEqual({ maps: [], sets: {} });
    expect(asked).toEqual([]);
  });

  test('the same texts are compiled once, for other uses and other configurations too', async () => {
    const { compiler, asked } = createCompiler();
    const texts = [text(0, 'spam')];
    const first = await compiler.compile(plan({ sender: texts, recipient: texts }));
    expect(first.sets.sender).toBe(first.sets.recipient);
    const second = await compiler.compile(plan({ sender: texts, header: [text(0, 'ham')] }));
    expect(second.sets.sender).toBe(first.sets.sender);
    expect(asked).toEqual(['field 1', 'field 1']);
  });

  test('a set that nobody uses any more is released, others are not', async () => {
    const { compiler, released } = createCompiler();
    const first = await compiler.compile(plan({ sender: [text(0, 'one')], recipient: [text(0, 'both')] }));
    const second = await compiler.compile(plan({ sender: [text(0, 'two')], recipient: [text(0, 'both')] }));
    compiler.keepOnly([first, second]);
    expect(released).toEqual([]);
    compiler.keepOnly([second]);
    expect(released).toEqual([first.sets.sender]);
    expect(found(second, 'recipient', 'both')).toHaveLength(1);
    expect(() => found(first, 'sender', 'one')).toThrow();
  });
});

const SOURCE = [
  'parameter-map type regex GOOD',
  ' pattern (ab){9999}',
  'parameter-map type regex BAD',
  ' pattern "a+"',
  ' pattern "(ab){9999}"',
  '  patt ((a|b){500}c){500}',
];
/** As the file gives it; BAD is matched at two places. */
const CONFIGURATION: Configuration = {
  ...EMPTY_CONFIGURATION,
  parameterMaps: [
    { name: 'BAD', kind: 'inspect', lines: [] },
    {
      name: 'BAD',
      kind: 'regex',
      lines: [['ignore-case'], ['pattern', '"a+"'], ['pattern', '"(ab){9999}"'], ['pattern', '"((a|b){500}c){500}"']],
    },
  ],
  classMaps: [
    {
      name: 'C',
      protocol: 'smtp',
      combine: 'match-any',
      matches: [{ words: ['sender', 'address', 'regex', 'BAD'] }, { words: ['header', 'regex', 'BAD'] }],
    },
  ],
  policyMaps: [{ name: 'P', protocol: 'smtp', classes: [{ name: 'C', actions: [['reset']] }] }],
};
const BAD = [text(1, 'a+'), text(1, 'ab(?=c)'), text(1, '(?<=x)y'), text(1, '(ab){9999}')];

async function refusedBy(configuration: Configuration): Promise<readonly RefusedPattern[]> {
  const { compiler } = createCompiler();
  const compiling = compiler.compile(patternPlanOf(configuration));
  const error: unknown = await compiling.catch((thrown: unknown) => thrown);
  return error instanceof PatternsRefused ? error.refused : [];
}

describe('a refused pattern', () => {
  test('is told with its place, and so are those behind it', async () => {
    const { compiler } = createCompiler();
    const compiling = compiler.compile(plan({ sender: [text(0, 'fine'), ...BAD] }, ['GOOD', 'BAD']));
    await expect(compiling).rejects.toBeInstanceOf(PatternsRefused);
    await expect(compiling).rejects.toMatchObject({
      refused: [
        { use: 'sender', index: 2, column: 2 },
        { use: 'sender', index: 3, column: 0 },
        { use: 'sender', index: 4, column: null },
      ],
    });
  });

  test('leaves what others use, and what is good is compiled when it is asked for again', async () => {
    const { compiler } = createCompiler();
    const good = await compiler.compile(plan({ header: [text(0, 'fine')] }));
    await expect(compiler.compile(plan({ sender: BAD }))).rejects.toThrow();
    compiler.keepOnly([good]);
    expect(found(good, 'header', 'fine')).toHaveLength(1);
    expect(found(await compiler.compile(plan({ sender: [text(0, 'fine')] })), 'sender', 'fine')).toHaveLength(1);
  });

  test('is shown where it was written, each once', async () => {
    const refused = await refusedBy(CONFIGURATION);
    expect(refused.map(({ use }) => use)).toEqual(['sender', 'sender', 'header', 'header']);
    const shown = patternErrors(CONFIGURATION, refused, { file: 'x.conf', lines: SOURCE });
    expect(shown).toHaveLength(2);
    expect(shown[0]).toContain('x.conf:5:11: % Pattern "(ab){9999}" of parameter-map BAD: Resource limit exceeded\n');
    expect(shown[1]?.split('\n')).toEqual([
      'x.conf:6:8: % Pattern "((a|b){500}c){500}" of parameter-map BAD: Bounded repeat is too large',
      '  patt ((a|b){500}c){500}',
      expect.stringMatching(/^ {7}\^/),
    ]);
  });

  test('is named where nobody can say which line it was', () => {
    const refusal = { use: 'sender', index: 0, column: 1, message: 'Too large' } as const;
    const source = { file: 'terminal', lines: ['class-map type inspect smtp C'] };
    expect(patternErrors(CONFIGURATION, [refusal], source)).toEqual([
      'terminal:1:1: % Pattern "a+" of parameter-map BAD: Too large',
    ]);
    expect(
      patternErrors(CONFIGURATION, [{ ...refusal, index: null, message: 'More than 3 patterns' }], source),
    ).toEqual(['terminal:1:1: % sender patterns: More than 3 patterns']);
  });

  test('a defect is no refusal', async () => {
    const compiler = new PatternCompiler({
      compilePatterns: () => Promise.reject(new TypeError('no function')),
      releasePatterns: () => undefined,
    });
    await expect(compiler.compile(plan({ sender: [text(0, 'a')] }))).rejects.toBeInstanceOf(TypeError);
  });
});

/** Globs, phrases, numbers and alternatives as administrators write them, no two alike, 64 a map. */
function manyTexts(count: number): readonly PatternText[] {
  const forms = [
    (word: string) => `.*${word}@deals${word}\\.com`,
    (word: string) => `^[Ss]ubject:.*lottery ${word}`,
    (word: string) => `(spam|junk)${word}@example`,
    (word: string) => `UD-[0-9]{4,}-${word}`,
    (word: string) => `special offer ${word}`,
  ];
  return Array.from({ length: count }, (_, index) => {
    const word = ((index * 2_654_435_761) % 2 ** 32).toString(36);
    return {
      id: Math.floor(index / 64),
      expression: forms[index % forms.length]?.(word) ?? word,
      caseless: index % 3 === 0,
    };
  });
}

/** Measured: two seconds for both on two cores, four on busy ones. The bound is for a machine with much else to do. */
test('ten thousand patterns, for fields and for bodies, are ready in seconds', async () => {
  const { compiler } = createCompiler();
  const texts = manyTexts(10_000);
  const startedAt = performance.now();
  const sets = await compiler.compile(
    plan(
      { header: texts, body: texts },
      Array.from({ length: 157 }, (_, i) => `M${i}`),
    ),
  );
  expect(performance.now() - startedAt).toBeLessThan(30_000);
  expect(found(sets, 'body', `a special offer ${texts[9_999]?.expression.slice(14)}\r\n`)).not.toEqual([]);
}, 60_000);
