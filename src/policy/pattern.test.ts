import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PatternUse } from './application/pattern-sets.ts';
import { checkPattern, describeGlob, engineExpression, isGlob } from './pattern.ts';

describe('globs and regular expressions (cisco-ios 1.5, D-10)', () => {
  test.each([
    ['*UD-421590*', '/UD-421590/'],
    ['*image//*', '/image/+/'],
    ['Subject:*lottery*', '/^Subject:.*lottery/'],
    ['*deals\\.com', '/deals\\.com$/'],
    ['*crazyperson*@wrdmail\\.com', '/crazyperson.*@wrdmail\\.com$/'],
    ['image/*', '/^image//'],
    ['*', '/.*/'],
  ])('%s is a glob', (pattern, effective) => {
    expect(isGlob(pattern)).toBe(true);
    expect(describeGlob(pattern)).toBe(effective);
  });

  test.each(['lo*se', '.*UD-421590.*', '^[Ss]ubject:.*lottery', '(spam|junk)@example\\.com', '[0-9]{4,}', '\\*a', 'a'])(
    '%s is a regular expression and right',
    (pattern) => {
      expect(isGlob(pattern)).toBe(false);
      expect(checkPattern(pattern)).toBeUndefined();
    },
  );

  test.each([
    ['a**b', 2],
    ['+x', 0],
    ['(unclosed', 0],
    ['a(b(c)', 1],
    ['a)', 1],
    ['[abc', 0],
    ['a{x}', 1],
    ['x\\', 1],
    ['(*a)', 1],
    ['a|*', 2],
    ['^*', 1],
    ['a$*', 1],
    ['a^b', 1],
    ['for $5', 4],
    ['a*?', 2],
    ['a*+', 2],
    ['a++', 2],
    ['a{2}{3}', 4],
    ['a{3,2}', 1],
    ['a{0}', 1],
    ['a{0,0}', 1],
    ['(?=a)', 1],
    ['a(?:b)', 2],
    ['(a)\\1', 3],
    ['x\\08', 1],
    ['x\\400', 1],
    ['x\\x4', 1],
    ['[z-a]', 2],
    ['[a\\', 2],
    ['[a\\x4]', 2],
    ['[^]', 0],
    ['[\u00e9]', 1],
  ])('%s is neither', (pattern, index) => {
    expect(isGlob(pattern)).toBe(false);
    expect(checkPattern(pattern)?.index).toBe(index);
  });

  test('a mistake always lies inside the pattern', () => {
    const piece = fc.constantFrom(
      'a',
      '*',
      '+',
      '?',
      '{',
      '}',
      '{2}',
      '{2,}',
      '(',
      ')',
      '[',
      ']',
      '|',
      '^',
      '$',
      '\\',
      '/',
      '-',
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 20 }), (pieces) => {
        const pattern = pieces.join('');
        const mistake = checkPattern(pattern);
        expect(mistake === undefined || (mistake.index >= 0 && mistake.index < pattern.length)).toBe(true);
        expect(describeGlob(pattern).startsWith('/')).toBe(true);
      }),
    );
  });
});

describe('what the engine is given', () => {
  const expression = (pattern: string, use: PatternUse = 'header', flavour: 'auto' | 'glob' | 'regex' = 'auto') =>
    engineExpression(pattern, flavour, use).text;

  test.each([
    ['*UD-421590*', 'UD-421590', 'UD-421590'],
    ['*image//*', 'image/+', 'image/+'],
    ['Subject:*lottery*', '^Subject:.*lottery', 'Subject:.*lottery'],
    ['*deals\\.com', 'deals\\.com$', 'deals\\.com'],
    ['image/*', '^image/', 'image/'],
    ['a@?.b/*', '^a@.\\.b/', 'a@.\\.b/'],
    ['*', '.*', '.*'],
    ['*\\*', '\\*$', '\\*'],
    ['*a-*-*', 'a-.*-', 'a-.*-'],
    ['lo*se', 'lo*se', 'lo*se'],
    ['.*UD-421590.*', '.*UD-421590.*', '.*UD-421590.*'],
    ['^[Ss]ubject:.*lottery', '^[Ss]ubject:.*lottery', '^[Ss]ubject:.*lottery'],
    ['(spam|junk)@example\\.com', '(spam|junk)@example\\.com', '(spam|junk)@example\\.com'],
    ['[0-9]{4,}', '[0-9]{4,}', '[0-9]{4,}'],
  ])('for %s in a field and in a body', (pattern, field, body) => {
    for (const use of ['sender', 'recipient', 'header', 'contentType'] as const) {
      expect(expression(pattern, use)).toBe(field);
    }
    for (const use of ['body', 'decoded'] as const) expect(expression(pattern, use)).toBe(body);
  });

  test.each([
    ['\\d\\w\\b\\Q\\z', 'dwbQz'],
    ['\\r\\n\\t\\f', '\\x0d\\x0a\\x09\\x0c'],
    ['\\x41\\x2e\\xff\\101\\056\\000', 'A\\.\\xffA\\.\\x00'],
    ['\\*\\[\\\\', '\\*\\[\\\\'],
    ['[[:alpha:]]', '[\\x5b\\x3aalpha\\x3a]\\]'],
    ['[]a]', '[\\x5da]'],
    ['[^]a]', '[^\\x5da]'],
    ['[a-]', '[a\\x2d]'],
    ['[-a]', '[\\x2da]'],
    ['[a\\-z]', '[a\\x2dz]'],
    ['[\\d\\b]', '[db]'],
    ['[\\x41-\\132]', '[A-Z]'],
    ['a]b}c', 'a\\]b\\}c'],
    ['say "x"', 'say "x"'],
    ['(a{2}|b?)+', '(a{2}|b?)+'],
  ])('%s is written %s', (pattern, text) => expect(expression(pattern, 'header', 'regex')).toBe(text));

  test('characters beyond ASCII are the octets of UTF-8, repeated as one', () => {
    expect(expression('caf\u00e9')).toBe('caf\u00c3\u00a9');
    expect(expression('caf\u00e9+')).toBe('caf(?:\u00c3\u00a9)+');
    expect(expression('*caf\u00e9*')).toBe('caf\u00c3\u00a9');
    expect(expression('\\\u20ac', 'header', 'regex')).toBe('\u00e2\u0082\u00ac');
  });

  test('pattern-type overrides the look of a pattern', () => {
    expect(expression('a.b+', 'header', 'glob')).toBe('^a\\.b\\+$');
    expect(expression('image/*', 'header', 'regex')).toBe('image/*');
    expect(() => expression('*a', 'header', 'regex')).toThrow('pattern "*a": Nothing to repeat before \'*\' at 0');
    // A backslash that escapes nothing stands for itself.
    expect(expression('*a\\')).toBe('a\\\\$');
  });

  test('each octet knows where in the pattern it stood', () => {
    expect(engineExpression('a\\.b', 'auto', 'header').origins).toEqual([0, 1, 1, 3]);
    expect(engineExpression('*a//b', 'auto', 'header')).toEqual({ text: 'a/+b$', origins: [1, 2, 2, 4, 4] });
  });

  test('and the notice shows what a field is given', () => {
    const piece = fc.constantFrom('a', '*', '?', '/', '//', '\\.', '\\*', ':', '.', '\u00e9', '\\');
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 12 }), (pieces) => {
        const pattern = pieces.join('');
        const { text, origins } = engineExpression(pattern, 'glob', 'sender');
        expect(describeGlob(pattern)).toBe(`/${text}/`);
        expect(origins).toHaveLength(text.length);
        expect(() => new RegExp(text, 's')).not.toThrow();
      }),
    );
  });
});
