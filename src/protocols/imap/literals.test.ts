import { describe, expect, it } from 'vitest';
import { IMAP_LITERAL_BYTES_MAX } from '../../limits.ts';
import { isOffered, isReadToItsEnd, literalAtEnd, nonSynchronisingOf, readLiteral } from './literals.ts';

describe('the head of a literal', () => {
  it.each([
    ['{0}', 0, true],
    ['{5}', 5, true],
    ['{5+}', 5, false],
    ['{0005+}', 5, false],
    [`{${IMAP_LITERAL_BYTES_MAX}}`, IMAP_LITERAL_BYTES_MAX, true],
  ])('%s', (text, bytes, synchronising) => {
    expect(readLiteral(text, 0, true)).toEqual({ kind: 'literal', literal: { bytes, synchronising } });
    for (let length = 1; length <= text.length; length += 1) {
      expect(readLiteral(text.slice(0, length), 0, false)).toEqual({ kind: 'growing' });
    }
  });

  it.each([
    '{}',
    '{+}',
    '{-5}',
    '{5-}',
    '{+5}',
    '{5++}',
    '{0x5}',
    '{1e1}',
    '{5.0}',
    '{ 5}',
    '{5 }',
    '{5} ',
    '{5}x',
    '{5',
    '{5+',
    '{',
    '{\u0665}',
    '{\xd9\xa5}',
    `{${IMAP_LITERAL_BYTES_MAX + 1}}`,
    '{18446744073709551621+}',
    '{00000000005}',
  ])('%j is none', (text) => expect(readLiteral(text, 0, true).kind).toBe('malformed'));

  it('is known to be none before its end', () => {
    expect(readLiteral('{5x', 0, false)).toEqual({ kind: 'malformed', at: 2 });
    expect(readLiteral('{5} ', 0, false)).toEqual({ kind: 'malformed', at: 3 });
  });
});

describe('literals that are not asked for', () => {
  it.each([
    [['IMAP4rev1', 'LITERAL+'], 'any'],
    [['IMAP4rev1', 'literal-'], 'short'],
    [['IMAP4rev2'], 'short'],
    [['IMAP4rev2', 'LITERAL+'], 'any'],
    [['IMAP4rev1', 'IDLE'], 'none'],
  ])('%j offers %s', (capabilities, offered) => expect(nonSynchronisingOf(capabilities)).toBe(offered));

  it.each([
    ['any', 4097, true],
    ['short', 4096, true],
    ['short', 4097, false],
    ['none', 1, false],
  ] as const)('%s: %d octets: %s', (offered, bytes, passes) => {
    expect(isOffered({ bytes, synchronising: false }, offered)).toBe(passes);
    expect(isOffered({ bytes, synchronising: true }, offered)).toBe(true);
  });
});

it.each([
  ['a APPEND x {12}', { bytes: 12, synchronising: true }],
  ['a APPEND x ~{12+}', { bytes: 12, synchronising: false }],
  ['a APPEND x "{12}"', undefined],
  ['a NOOP', undefined],
  ['a APPEND x {1234567890123456}', undefined],
])('after authentication %j ends in %j', (text, literal) => expect(literalAtEnd(text)).toEqual(literal));

it.each([
  ['a LOGIN u {4+}', 'a', true],
  ['a.1-b LOGIN "u%*\\\\ \\"" {4+}', 'a.1-b', true],
  ['a LOGIN u] {4+}', 'a', true],
  ['a] LOGIN u {4+}', 'a]', false],
  ['a} LOGIN u {4+}', 'a}', false],
  ['a~ LOGIN u {4+}', 'a~', false],
  ['a LOGIN u\xe9 {4+}', 'a', false],
  ['a LOGIN "u\xe9" {4+}', 'a', false],
  ['a LOGIN d\\u {4+}', 'a', false],
  ['a LOGIN "u" p% {4+}', 'a', false],
] as const)('servers read %j alike up to its literal: %s %s', (line, tag, alike) => {
  expect(isReadToItsEnd(line, tag)).toBe(alike);
});
