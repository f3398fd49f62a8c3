import { describe, expect, it } from 'vitest';
import { isControl, quotable, quotableVerb, readWord, withoutUndecidedCr, wordTable } from './words.ts';

const table = wordTable(['ID', 'LOGOUT', 'NOOP'], ['IDLE', 'LOGIN', 'LIST', 'LISTRIGHTS']);

describe('a word as its octets arrive', () => {
  it.each([
    ['', 'growing'],
    ['n', 'growing'],
    ['NOOP', 'growing'],
    ['I', 'growing'],
    ['ID', 'growing'],
    ['IDL', 'growing'],
    ['LOG', 'growing'],
    ['LOGI', 'growing'],
    ['NOOPX', 'unknown'],
    ['X', 'unknown'],
    ['LOGX', 'unknown'],
    ['idle', 'forbidden'],
    ['login', 'forbidden'],
    ['LISTRIGHTS', 'forbidden'],
    ['NOOP ', 'word'],
    ['ID x', 'word'],
    ['NOO x', 'unknown'],
    [' NOOP', 'unknown'],
  ])('%j is %s', (text, kind) => expect(readWord(text, 0, table, false).kind).toBe(kind));

  it.each([
    ['noop', { kind: 'word', word: 'NOOP', end: 4 }],
    ['id (', { kind: 'word', word: 'ID', end: 2 }],
    ['NOO', { kind: 'unknown', at: 3 }],
    ['', { kind: 'unknown', at: 0 }],
    ['LOGIN', { kind: 'forbidden', word: 'LOGIN', at: 4 }],
    ['LISTRIGHTS x', { kind: 'forbidden', word: 'LIST', at: 3 }],
  ])('as a whole line %j reads as %j', (text, reading) => expect(readWord(text, 0, table, true)).toEqual(reading));

  it('starts where it is told', () => {
    expect(readWord('a1 NOOP', 3, table, true)).toEqual({ kind: 'word', word: 'NOOP', end: 7 });
  });

  it('folds no letters but those of ASCII', () => {
    expect(readWord('PA\xdf', 0, wordTable(['PASS'], []), true)).toEqual({ kind: 'unknown', at: 2 });
  });

  it('cannot be told a forbidden word that begins a permitted one', () => {
    expect(() => wordTable(['LOGINS'], ['LOGIN'])).toThrow('LOGIN is forbidden');
  });
});

describe('octets', () => {
  it.each([0x00, 0x09, 0x0d, 0x1f, 0x7f])('%d is a control', (code) => expect(isControl(code)).toBe(true));
  it.each([0x20, 0x41, 0x7e, 0x80, 0xff])('%d is none', (code) => expect(isControl(code)).toBe(false));

  it('leaves out a CR that may be the line end, and only that', () => {
    expect(withoutUndecidedCr('A\r')).toBe('A');
    expect(withoutUndecidedCr('A\rB')).toBe('A\rB');
    expect(withoutUndecidedCr('A\r\r')).toBe('A\r');
  });
});

describe('what an alert quotes', () => {
  it('is short and printable', () => {
    expect(quotable('a\x00\xe9b')).toBe('a??b');
    expect(quotable('x'.repeat(100))).toHaveLength(32);
  });

  it.each([
    ['xyzzy', 'XYZZY'],
    ['PASS\tsecret', 'PASS'],
    ['passsecret', 'PASS'],
    ['PASS=secret', 'PASS'],
    ['\x00USER', ''],
    ['RETR', 'RETR'],
  ])('of %j is %j', (word, quoted) => expect(quotableVerb(word, ['PASS'])).toBe(quoted));
});
