import { describe, expect, it } from 'vitest';
import { keywordOf, mayOffer } from './ehlo.ts';
import { defaultSmtpPolicy } from './policy.ts';

const offers = (line: string, policy = {}): boolean => mayOffer(line, true, { ...defaultSmtpPolicy, ...policy });
const mayGrow = (line: string, policy = {}): boolean => mayOffer(line, false, { ...defaultSmtpPolicy, ...policy });

describe('the extensions a client gets to see', () => {
  it.each(['8BITMIME', 'SIZE 1000', 'size', 'AUTH PLAIN', 'AUTH=LOGIN', 'StartTLS', 'SMTPUTF8', 'HELP', ''])(
    '%j',
    (line) => expect(offers(line)).toBe(true),
  );

  it.each(['CHUNKING', 'BINARYMIME', 'XCLIENT', 'X-EXPS', 'SIZE=1', ' SIZE', 'SIZ', 'BURL', 'AUT=PLAIN', '\xdf'])(
    'not %j',
    (line) => expect(offers(line)).toBe(false),
  );

  it('follow the policy', () => {
    expect(offers('STARTTLS', { starttls: 'mask' })).toBe(false);
    expect(offers('CHUNKING', { chunking: 'allow' })).toBe(true);
    expect(offers('BINARYMIME', { chunking: 'allow' })).toBe(true);
    expect(mayGrow('CHUN', { chunking: 'allow' })).toBe(true);
  });

  it('are not what a client may find behind blanks or equals signs', () => {
    const open = { verbs: 'open', starttls: 'mask' } as const;
    expect([' STARTTLS', '\tSTARTTLS', '=STARTTLS', '=', ' SIZE'].some((line) => offers(line, open))).toBe(false);
    expect(['XYZZY', 'AUTH=LOGIN', ''].every((line) => offers(line, open))).toBe(true);
  });

  it('are told by their first octets', () => {
    expect(['', 'S', 'SI', 'AUTH=PL', 'SIZE 1'].every((line) => mayGrow(line))).toBe(true);
    expect(['X', 'CH', 'SIZEX', 'SIZES ', ' '].some((line) => mayGrow(line))).toBe(false);
  });
});

it('names the extension in upper case', () => {
  expect(['size 1', 'AUTH=PLAIN LOGIN', 'Chunking'].map(keywordOf)).toEqual(['SIZE', 'AUTH', 'CHUNKING']);
});
