import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { loadPatterns, type PatternPlace } from '../../src/native/addon.ts';
import type { PatternUse } from '../../src/policy/application/pattern-sets.ts';
import { checkPattern, engineExpression, type PatternFlavour } from '../../src/policy/pattern.ts';

/** Patterns of the configuration language, held against texts by the real engine. */
const addon = loadPatterns();
const compiled: number[] = [];

afterEach(() => {
  for (const set of compiled.splice(0)) addon.releasePatterns(set);
});

interface Reading {
  readonly use?: PatternUse;
  readonly flavour?: PatternFlavour;
  readonly caseless?: boolean;
}

async function setOf(pattern: string, { use = 'header', flavour = 'auto', caseless = false }: Reading) {
  const place: PatternPlace = use === 'body' || use === 'decoded' ? 'body' : 'field';
  const expression = engineExpression(pattern, flavour, use).text;
  const set = await addon.compilePatterns([{ expression, caseless }], place);
  compiled.push(set);
  return set;
}

async function matches(pattern: string, text: string, reading: Reading = {}): Promise<boolean> {
  return addon.matchOnce(await setOf(pattern, reading), text).length > 0;
}

describe('the patterns of the guides mean what their authors meant', () => {
  test.each([
    ['*UD-421590*', 'body', ['see UD-421590.', 'x\r\nUD-421590\r\ny'], ['UD-42159', 'UD 421590']],
    ['*image//*', 'contentType', ['image/jpeg', 'image/png; name="x"'], ['text/plain', 'image', 'imagejpeg']],
    [
      'Subject:*lottery*',
      'header',
      ['Subject: You won the lottery', 'Subject:lottery'],
      ['X-Subject: lottery', 'subject: lottery', 'Subject: LOTTERY'],
    ],
    ['*deals\\.com', 'sender', ['a@hotdeals.com', 'deals.com'], ['a@dealsxcom', 'a@deals.com.example']],
    ['*crazyperson*@wrdmail\\.com', 'sender', ['a.crazyperson7@wrdmail.com'], ['crazyperson@wrdmailxcom']],
    ['username@example.com', 'recipient', ['username@example.com', 'username@example-com'], ['user@example.com']],
  ] as const)('%s in a %s', async (pattern, use, hits, misses) => {
    for (const text of hits) expect([text, await matches(pattern, text, { use })]).toEqual([text, true]);
    for (const text of misses) expect([text, await matches(pattern, text, { use })]).toEqual([text, false]);
  });

  test('a folded field is one line, a line of a body is not the next', async () => {
    expect(await matches('Subject:*lottery*', 'Subject: You won\tthe lottery')).toBe(true);
    expect(await matches('Subject:*lottery*', 'Subject: You won\r\nthe lottery', { use: 'body' })).toBe(false);
    expect(await matches('Subject:*lottery*', 'see Subject: You won the lottery', { use: 'body' })).toBe(true);
  });
});

describe('regular expressions', () => {
  test.each([
    ['lo*se', ['lse', 'lose', 'looose'], ['lo*s', 'lase']],
    ['^[Ss]ubject:.*lottery', ['subject: a lottery'], ['SUBJECT: a lottery', 'X-subject: lottery']],
    ['(spam|junk)@example\\.com', ['no.junk@example.com'], ['ham@example.com', 'spam@exampleXcom']],
    ['[0-9]{4,}', ['year 2026'], ['day 365']],
    ['^a{2}$', ['aa'], ['a', 'aaa', 'baa']],
    ['\\d+', ['ddd'], ['123']],
    ['a\\b', ['ab'], ['a b', 'a\b']],
    ['[\\w]', ['w'], ['a', '\\']],
    ['[[:alpha:]]', [':]', 'a]'], ['z]', 'a']],
    ['^a.b$', ['a\nb', 'a\0b', 'axb'], ['ab', 'a\r\nb']],
    ['\\x41\\102\\t', ['AB\t'], ['ab\t', 'AB ']],
    ['\\000', ['a\0b'], ['0']],
    ['[^a-y]', ['z', '\xff'], ['abc']],
    ['[]-]', [']', '-'], ['[']],
    ['end$', ['the end'], ['end\n', 'end\r\n', 'ends']],
    ['\\$5', ['for $5'], ['for 5']],
  ])('%s', async (pattern, hits, misses) => {
    for (const text of hits) expect([text, await matches(pattern, text)]).toEqual([text, true]);
    for (const text of misses) expect([text, await matches(pattern, text)]).toEqual([text, false]);
  });

  test('in a body ^ and $ stand at its lines', async () => {
    const use = 'body';
    expect(await matches('^two$', 'one\r\ntwo\r\nthree', { use })).toBe(true);
    expect(await matches('one.*three', 'one\r\ntwo\r\nthree', { use })).toBe(false);
  });

  test('case counts unless the map says otherwise', async () => {
    expect(await matches('^[a-c]+lott\\x65ry$', 'ABCLOTTERY')).toBe(false);
    expect(await matches('^[a-c]+lott\\x65ry$', 'ABCLOTTERY', { caseless: true })).toBe(true);
  });

  test('a character beyond ASCII is what UTF-8 writes', async () => {
    const octets = Buffer.from('un caf\u00e9\u00e9').toString('latin1');
    expect(await matches('caf\u00e9{2}$', octets)).toBe(true);
    expect(await matches('caf\u00e9{3}$', octets)).toBe(false);
    expect(await matches('*caf\u00e9*', octets)).toBe(true);
  });
});

/** A set for this expression; undefined where the engine has no such anchors, as in `x(^a)`. */
async function compileUnlessAnchored(expression: string, place: PatternPlace): Promise<number | undefined> {
  try {
    return await addon.compilePatterns([{ expression, caseless: false }], place);
  } catch (error) {
    if (error instanceof Error && /^Embedded (start|end) anchors not supported/.test(error.message)) return undefined;
    throw error;
  }
}

describe('any pattern', () => {
  const piece = fc.constantFrom(
    ...['a', 'b', '*', '+', '?', '{2}', '{1,}', '{0}', '(', ')', '[', ']', '|', '^', '$', '.', '-', '/', '"', ' '],
    ...['\\d', '\\x41', '\\101', '\\n', '\\-', '\\]', ':', '[a-c]', '[^:]', '[[:a]', '#', '\u00e9', ',', '}', '{'],
  );
  const patterns = fc.array(piece, { minLength: 1, maxLength: 14 }).map((pieces) => pieces.join(''));
  const texts = fc.array(fc.constantFrom('a', 'b', 'A', '-', ':', ' ', '\n', 'd', '\\', ']', '/'), { maxLength: 8 });

  test.each(['field', 'body'] as const)('that is no mistake compiles for a %s', async (place) => {
    await fc.assert(
      fc.asyncProperty(patterns, async (pattern) => {
        fc.pre(checkPattern(pattern) === undefined);
        const expression = engineExpression(pattern, 'regex', place === 'body' ? 'body' : 'header').text;
        const set = await compileUnlessAnchored(expression, place);
        if (set !== undefined) addon.releasePatterns(set);
      }),
      { numRuns: 400 },
    );
  });

  test('finds in a field what JavaScript finds with the same expression', async () => {
    await fc.assert(
      fc.asyncProperty(patterns, texts, async (pattern, characters) => {
        fc.pre(checkPattern(pattern) === undefined);
        const text = characters.join('');
        const { text: expression } = engineExpression(pattern, 'regex', 'header');
        const set = await compileUnlessAnchored(expression, 'field');
        if (set === undefined) return;
        const found = addon.matchOnce(set, text).length > 0;
        addon.releasePatterns(set);
        expect([expression, text, found]).toEqual([expression, text, new RegExp(expression, 's').test(text)]);
      }),
      { numRuns: 400 },
    );
  });

  test('read as a glob compiles too', async () => {
    await fc.assert(
      fc.asyncProperty(patterns, async (pattern) => {
        const { text: expression } = engineExpression(pattern, 'glob', 'sender');
        addon.releasePatterns(await addon.compilePatterns([{ expression, caseless: true }], 'field'));
      }),
      { numRuns: 200 },
    );
  });

  test('of the longest that may be typed fits', async () => {
    for (const pattern of [
      '\u20ac'.repeat(240),
      `[${'+'.repeat(238)}]`,
      '\x01'.repeat(240),
      `${'\u{1f600}'.repeat(119)}+`,
    ]) {
      const { text: expression } = engineExpression(pattern, 'regex', 'header');
      addon.releasePatterns(await addon.compilePatterns([{ expression, caseless: false }], 'field'));
    }
  });
});
