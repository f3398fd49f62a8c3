import { afterEach, describe, expect, test } from 'vitest';
import { describeGlob, isGlob } from '../policy/pattern.ts';
import { loadPatterns, type PatternPlace, type PatternText } from './addon.ts';

const addon = loadPatterns();
const compiled: number[] = [];

afterEach(() => {
  for (const set of compiled.splice(0)) addon.releasePatterns(set);
});

const textOf = (expression: string, caseless = false): PatternText => ({ expression, caseless });

async function compile(patterns: readonly PatternText[], place: PatternPlace): Promise<number> {
  const set = await addon.compilePatterns(patterns, place);
  compiled.push(set);
  return set;
}

/** A pattern of the configuration as the engine takes it (cisco-ios 1.5, D-10). */
const expressionOf = (pattern: string): string => (isGlob(pattern) ? describeGlob(pattern).slice(1, -1) : pattern);

async function matches(pattern: string, text: string, place: PatternPlace = 'field'): Promise<boolean> {
  const set = await compile([textOf(expressionOf(pattern))], place);
  return addon.matchOnce(set, text).length > 0;
}

describe('the vectors of the dialect (cisco-ios 1.5, D-10)', () => {
  test.each([
    ['*UD-421590*', 'the marker UD-421590 stands here', 'the marker UD-42159 does not'],
    ['*image//*', 'image/jpeg', 'text/plain'],
    ['Subject:*lottery*', 'Subject: You won the lottery', 'X-Subject: lottery'],
    ['*deals\\.com', 'sale@hotdeals.com', 'sale@hotdeals.com.example'],
    ['*crazyperson*@wrdmail\\.com', 'the.crazyperson7@wrdmail.com', 'crazyperson@wrdmailxcom'],
    ['image/*', 'image/png', 'x-image/png'],
    ['lo*se', 'looose', 'lo*s'],
    ['.*UD-421590.*', 'UD-421590', 'UD-421591'],
    ['^[Ss]ubject:.*lottery', 'subject: a lottery', 'SUBJECT: a lottery'],
    ['(spam|junk)@example\\.com', 'no.junk@example.com', 'ham@example.com'],
    ['[0-9]{4,}', 'year 2026', 'day 365'],
  ])('%s', async (pattern, hit, miss) => {
    expect(await matches(pattern, hit)).toBe(true);
    expect(await matches(pattern, miss)).toBe(false);
  });

  test('a star alone is anything, also nothing', async () => {
    expect(await matches('*', 'x')).toBe(true);
    expect(await matches('*', '')).toBe(true);
    expect(await matches('*', '', 'body')).toBe(true);
  });

  test.each([
    ['a**b', 2],
    ['+x', 0],
  ])('%s is refused at its column', async (pattern, column) => {
    await expect(addon.compilePatterns([textOf('good'), textOf(pattern)], 'field')).rejects.toMatchObject({
      index: 1,
      column,
      message: expect.stringMatching(/repeat/),
    });
  });
});

describe('ids', () => {
  const texts: readonly PatternText[] = [
    { id: 70_000, expression: 'one', caseless: false },
    { id: 4, expression: 'two', caseless: false },
    { id: 70_000, expression: 'uno', caseless: false },
    { expression: 'three', caseless: false },
  ];

  test('a text names patterns by them, each once and rising; without one by the index', async () => {
    const set = await compile(texts, 'field');
    expect(addon.matchOnce(set, 'uno, one, three, two')).toEqual([3, 4, 70_000]);
  });

  test('a refusal names its pattern by the place in the list', async () => {
    const refused = addon.compilePatterns([...texts, { id: 0, expression: '[x', caseless: false }], 'field');
    await expect(refused).rejects.toMatchObject({ index: 4, column: 0 });
  });
});

describe('matchText', () => {
  test('answers as matchOnce, for each set that the thread uses', async () => {
    const first = addon.usePatterns(await compile([{ id: 9, expression: 'a', caseless: true }, textOf('b$')], 'field'));
    const second = addon.usePatterns(await compile([textOf('caf\u00e9')], 'line'));
    expect(first.kind).toBe('patterns');
    expect(addon.matchText(first, 'AB, b')).toEqual([1, 9]);
    expect(addon.matchText(first, '')).toEqual([]);
    expect(addon.matchText(second, 'caf\u00e9')).toEqual([0]);
    expect(addon.matchText(first, 'xyz')).toEqual([]);
  });

  test('goes on with a set that was released', async () => {
    const set = await compile([textOf('a')], 'field');
    const used = addon.usePatterns(set);
    addon.releasePatterns(set);
    expect(addon.matchText(used, 'a')).toEqual([0]);
    expect(() => addon.usePatterns(set)).toThrow('no such patterns');
  });

  test('takes neither patterns of bodies nor objects that are none, nor text that is not of octets', async () => {
    const body = await compile([textOf('a')], 'body');
    expect(() => addon.usePatterns(body)).toThrow('patterns of bodies match no text alone');
    expect(() => addon.matchText({ kind: 'patterns' }, 'a')).toThrow('these are no patterns');
    const used = addon.usePatterns(await compile([textOf('a')], 'field'));
    expect(() => addon.matchText(used, 'caf\u20ac')).toThrow('the text is not of octets');
  });
});

describe('compilePatterns', () => {
  test('answers a set of which a text names its patterns by their indexes', async () => {
    const set = await compile([textOf('zeta'), textOf('ALPHA', true), textOf('^b'), textOf('a$')], 'field');
    expect(addon.matchOnce(set, 'beta, zeta, alpha')).toEqual([0, 1, 2, 3]);
    expect(addon.matchOnce(set, 'eta')).toEqual([3]);
    expect(addon.matchOnce(set, 'ALPH')).toEqual([]);
  });

  test('holds lines of a body apart, and takes a line of a header as one', async () => {
    const patterns = [textOf('^two'), textOf('one$'), textOf('one.*two')];
    expect(addon.matchOnce(await compile(patterns, 'body'), 'one\r\ntwo')).toEqual([0, 1]);
    expect(addon.matchOnce(await compile(patterns, 'line'), 'one\r\n two')).toEqual([2]);
  });

  test('takes characters for octets', async () => {
    const set = await compile([textOf('caf\u00e9'), textOf('caf\u00c3\u00a9')], 'field');
    expect(addon.matchOnce(set, 'caf\u00e9')).toEqual([0]);
    expect(addon.matchOnce(set, Buffer.from('caf\u00e9').toString('latin1'))).toEqual([1]);
    expect(() => addon.matchOnce(set, 'caf\u20ac')).toThrow('the text is not of octets');
    await expect(addon.compilePatterns([textOf('ab\u20ac')], 'field')).rejects.toMatchObject({ index: 0, column: 2 });
  });

  test.each([
    ['a(?=b)', 'Looking ahead or behind is not supported', 1],
    ['(a)\\1', 'Back-references are unsupported', null],
    ['[abc', 'Unterminated character class starting', 0],
    ['a\u0000', 'An octet of value 0 is written as \\x00', 1],
  ])('refuses %j', async (expression, message, column) => {
    const refused = addon.compilePatterns([textOf(expression)], 'body');
    await expect(refused).rejects.toBeInstanceOf(Error);
    await expect(refused).rejects.toMatchObject({ message, column, index: 0 });
  });

  test('refuses a set that is empty or too large, and names no pattern or the first too many', async () => {
    await expect(addon.compilePatterns([], 'field')).rejects.toMatchObject({ index: null, column: null });
    const many = Array.from({ length: 16_385 }, () => textOf('a'));
    await expect(addon.compilePatterns(many, 'field')).rejects.toMatchObject({ index: 16_384 });
  });

  test('leaves this thread free while it compiles', async () => {
    const many = Array.from({ length: 300 }, (_, index) => textOf(`word${index}.*@example${index}\\.com$`));
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    const set = await compile(many, 'body');
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
    expect(addon.matchOnce(set, 'to: word123 <x@example123.com\r\n')).toEqual([123]);
  }, 60_000);

  test('a set that was released is gone, others are not', async () => {
    const first = await compile([textOf('a')], 'field');
    const second = await compile([textOf('b')], 'field');
    addon.releasePatterns(first);
    expect(() => addon.matchOnce(first, 'a')).toThrow('no such patterns');
    expect(addon.matchOnce(second, 'b')).toEqual([0]);
  });
});
