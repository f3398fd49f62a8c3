import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkPattern, describeGlob, isGlob } from './pattern.ts';

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
