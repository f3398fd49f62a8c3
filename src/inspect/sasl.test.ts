import { describe, expect, it } from 'vitest';
import { isInitialResponse, isSaslResponse, readMechanism } from './sasl.ts';

const whole = (text: string, secureOnly: boolean) => readMechanism(text, 0, { secureOnly, complete: true });
const begun = (text: string, secureOnly: boolean) => readMechanism(text, 0, { secureOnly, complete: false });

describe('mechanisms where only secure ones are allowed', () => {
  it.each([
    'CRAM-MD5',
    'digest-md5',
    'SCRAM-SHA-1',
    'SCRAM-SHA-1-PLUS',
    'SCRAM-SHA-256',
    'NTLM',
    'GSSAPI',
    'KERBEROS_V4',
    'SRP',
    'EXTERNAL',
  ])('%s passes', (name) => {
    expect(whole(name, true)).toEqual({ kind: 'mechanism', name: name.toUpperCase(), end: name.length });
    for (let length = 0; length < name.length; length += 1) {
      expect(begun(name.slice(0, length), true)).toEqual({ kind: 'growing' });
    }
  });

  it.each([
    ['PLAIN', 'PLAIN'],
    ['plain abc', 'PLAIN'],
    ['LOGIN', 'LOGIN'],
    ['ANONYMOUS', 'ANONYMOUS'],
    ['XOAUTH2', 'XOAUTH2'],
    ['OAUTHBEARER', 'OAUTHBEARER'],
    ['PLAINTEXT', 'PLAIN'],
    ['SCRAM-MD5', 'SCRAM-M'],
    ['SCRAM-SHA-1-PL', 'SCRAM-SHA-1-PL'],
    ['CRAM', 'CRAM'],
  ])('%s is refused as %s', (text, name) => {
    expect(whole(text, true)).toMatchObject({ kind: 'cleartext', name });
  });

  it('refuses at the octet that tells, and not before', () => {
    expect(begun('PLAI', true)).toEqual({ kind: 'growing' });
    expect(begun('PLAIN', true)).toEqual({ kind: 'cleartext', name: 'PLAIN', at: 4 });
    expect(begun('CRAM-MD5 ', true)).toMatchObject({ kind: 'mechanism' });
    expect(begun('CRAM ', true)).toEqual({ kind: 'cleartext', name: 'CRAM', at: 4 });
  });
});

describe('mechanisms where any is allowed', () => {
  it.each(['PLAIN', 'LOGIN', 'X-NEW_1'])('%s passes', (name) => expect(whole(name, false).kind).toBe('mechanism'));

  it.each(['', ' PLAIN', 'PL{AIN}', '{5+}', 'a'.repeat(21), 'PLA\x00IN', 'PL\xe4IN'])('%j is malformed', (text) => {
    expect(whole(text, false).kind).toBe('malformed');
  });

  it('has at most 20 characters', () => expect(whole('a'.repeat(20), false).kind).toBe('mechanism'));
});

describe('responses', () => {
  it.each(['', '*', 'YQ==', 'YWI=', 'YWJj', 'AHUxAHBhc3M='])('%j is one', (text) => {
    expect(isSaslResponse(text, true)).toBe(true);
    for (let length = 0; length < text.length; length += 1) {
      expect(isSaslResponse(text.slice(0, length), false)).toBe(true);
    }
  });

  it.each(['a', 'ab', 'abc', 'a===', 'YQ= =', '**', '*YQ==', 'YQ==YQ==', 'YQ\x00=', 'LOGIN u p', '-_==', '='])(
    '%j is none',
    (text) => expect(isSaslResponse(text, true)).toBe(false),
  );

  it('is known to be none before its end', () => {
    expect(isSaslResponse('YQ==Y', false)).toBe(false);
    expect(isSaslResponse('a b', false)).toBe(false);
    expect(isSaslResponse('*a', false)).toBe(false);
  });

  it('on the command line is never absent nor a cancellation, and = says that it is empty', () => {
    expect(isInitialResponse('=', true)).toBe(true);
    expect(isInitialResponse('YQ==', true)).toBe(true);
    expect(isInitialResponse('', true)).toBe(false);
    expect(isInitialResponse('*', true)).toBe(false);
    expect(isInitialResponse('==', true)).toBe(false);
    expect(isInitialResponse('==', false)).toBe(false);
    expect(isInitialResponse('=a', false)).toBe(false);
    expect(isInitialResponse('YQ', false)).toBe(true);
  });
});
