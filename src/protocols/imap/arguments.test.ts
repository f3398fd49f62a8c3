import { describe, expect, it } from 'vitest';
import { type Place, readArguments } from './arguments.ts';

const whole = (text: string, place: Place) => readArguments(text, 0, place, true);

describe('arguments that are well formed', () => {
  it.each<[Place, string]>([
    ['end', ''],
    ['login', ' u p'],
    ['login', ' "u" "p"'],
    ['login', ' "" ""'],
    ['login', ' "a\\"b" "\\\\"'],
    ['login', ' EXAMPLE\\u p%*]'],
    ['login', ' u\xe9 "\xc3\xa4"'],
    ['login', ' u "{5+}"'],
    ['login', ' u NIL'],
    ['id', ' NIL'],
    ['id', ' nil'],
    ['id', ' ()'],
    ['id', ' ("name" "x")'],
    ['id', ' ("name" NIL "os" "y")'],
    ['id', ` ("${'n'.repeat(30)}" "${'v'.repeat(31)}" "${'\\"'.repeat(30)}" NIL)`],
    ['language', ''],
    ['language', ' en "de" FR'],
  ])('%s: %j', (place, text) => {
    expect(whole(text, place)).toEqual({ kind: 'complete' });
    for (let length = 0; length < text.length; length += 1) {
      expect(readArguments(text.slice(0, length), 0, place, false)).toEqual({ kind: 'growing' });
    }
  });
});

describe('arguments that are not', () => {
  it.each<[Place, string, string]>([
    ['end', ' ', 'invalid-arguments'],
    ['end', ' x', 'invalid-arguments'],
    ['end', '{1+}', 'invalid-literal'],
    ['login', '', 'invalid-arguments'],
    ['login', ' u', 'invalid-arguments'],
    ['login', ' u ', 'invalid-arguments'],
    ['login', ' u p ', 'invalid-arguments'],
    ['login', '  u p', 'invalid-arguments'],
    ['login', ' u  p', 'invalid-arguments'],
    ['login', ' (u) p', 'invalid-arguments'],
    ['login', ' u p)', 'invalid-arguments'],
    ['login', ' "u" "p', 'invalid-arguments'],
    ['login', ' "u"p', 'invalid-arguments'],
    ['login', ' "u\\n" p', 'invalid-arguments'],
    ['login', ' u"x" p', 'invalid-arguments'],
    ['login', ' u p\x00', 'control-character'],
    ['login', ' "u\r" p', 'control-character'],
    ['login', '\tu p', 'control-character'],
    ['login', ' u {4', 'invalid-literal'],
    ['login', ' ~{4+}', 'invalid-literal'],
    ['login', ' u{4+}', 'invalid-literal'],
    ['id', '', 'invalid-arguments'],
    ['id', ' NI', 'invalid-arguments'],
    ['id', ' NILS', 'invalid-arguments'],
    ['id', ' ((', 'invalid-arguments'],
    ['id', ' (name "x")', 'invalid-arguments'],
    ['id', ' ("name")', 'invalid-arguments'],
    ['id', ' ("name" x)', 'invalid-arguments'],
    ['id', ' ("name" "x" )', 'invalid-arguments'],
    ['id', ' ("name" "x"', 'invalid-arguments'],
    ['id', ' ("name" "x") y', 'invalid-arguments'],
    ['id', ` ("${'n'.repeat(31)}" "x")`, 'invalid-arguments'],
    ['id', ` ("n" "x" "${'\\"'.repeat(31)}" "x")`, 'invalid-arguments'],
    ['id', ' ({31}', 'invalid-literal'],
    ['id more', ' {31+}', 'invalid-literal'],
    ['language', ' ', 'invalid-arguments'],
  ])('%s: %j is %s', (place, text, reason) => {
    expect(whole(text, place)).toMatchObject({ kind: 'offence', reason });
  });

  it('are known to be so at the octet that tells', () => {
    expect(readArguments(' u\x00', 0, 'login', false)).toMatchObject({ kind: 'offence', at: 2 });
    expect(readArguments(' (x', 0, 'id', false)).toMatchObject({ kind: 'offence', at: 2 });
    expect(readArguments(` ("${'n'.repeat(31)}`, 0, 'id', false)).toMatchObject({ kind: 'offence', at: 33 });
  });
});

describe('literals', () => {
  it('leave the place at which the command goes on', () => {
    expect(whole(' {5}', 'login')).toEqual({
      kind: 'literal',
      literal: { bytes: 5, synchronising: true },
      place: 'login gap',
    });
    expect(whole(' {4+}', 'login gap')).toEqual({
      kind: 'literal',
      literal: { bytes: 4, synchronising: false },
      place: 'end',
    });
    expect(whole(' ("a" {1+}', 'id')).toMatchObject({ kind: 'literal', place: 'id more' });
    expect(whole(' ({30}', 'id')).toMatchObject({ kind: 'literal', place: 'id gap' });
    expect(whole(' ("a" {31+}', 'id')).toMatchObject({ kind: 'literal', place: 'id more' });
  });

  it('are not read before their line has ended', () => {
    expect(readArguments(' {5}', 0, 'login', false)).toEqual({ kind: 'growing' });
  });
});
