import { describe, expect, it } from 'vitest';
import { envelopeAddress } from './envelope.ts';
import { isClear, otherReadings } from './envelope-form.ts';

describe('a path that every server reads alike', () => {
  it.each([
    '<>',
    ' <> SIZE=10',
    '<a@b.example>',
    '  <a@b.example>  SIZE=10 BODY=8BITMIME SMTPUTF8 ',
    'a@b.example',
    'a@b.example SIZE=1 RET=HDRS',
    '<postmaster>',
    'postmaster',
    '<a@b.example.>',
    '<"two words"@b.example>',
    '<"a"@b.example>',
    '<a@[192.0.2.1]>',
    '<a@[IPv6:2001:db8::1]>',
    '<@r.example,@s.example:a@b.example> NOTIFY=NEVER',
    '<a..b.@docomo.example>',
    "<a!#$%&'*+/=?^_`{|}~-b@c.example>",
    '<a@b.example> AUTH=<>',
    '<a@b.example> AUTH=<c@d.example> ENVID=x+20y',
    '<a@b.example> ORCPT=rfc822;c@d.example',
    '<a%b@c.example>',
    '<\xe3\x82\xb3@\xe3\x82\xb3\xe3\x83\xa0> SMTPUTF8',
  ])('%s', (argument) => expect(isClear(argument)).toBe(true));

  it.each([
    // Of each of these some server makes eve@evil.test, and we another address.
    'eve@evil.test(<ok@ok.example>',
    '>eve@evil.test',
    'eve\\@evil.test ENVID=a<ok@ok.example>',
    '<"eve@evil".test>',
    '<"eve@evil.test">',
    'eve @evil.test',
    '@x: eve@evil.test',
    '<(:eve@evil.test> SIZE=)',
    '<x:eve@evil.test;>',
    '<x:eve@evil.test>',
    '<<>eve@evil.test>',
    '<eve@evil.test(>',
    '<eve%evil.test>',
    '<evil.test!eve>',
    'root ORCPT=rfc822;<ok@ok.example>',
    '"eve@evil".test',
    '<eve@evil.test@[192.0.2.1]>',
    '<"eve@evil.test"@ok.example>',
    '<"eve%evil.test"@ok.example>',
    // And what nobody writes in good faith.
    '',
    ' ',
    '<a@b.example>SIZE=1',
    '<a@b.example',
    'a@b.example>',
    '<a b@c.example>',
    '< a@b.example>',
    '<a(comment)@b.example>',
    '<a\\b@c.example>',
    '<a@b..example>',
    '<a@.b.example>',
    '<@[192.0.2.1]:a@b.example>',
    '<""@b.example>',
    '<@r.example:>',
    'A <a@b.example>',
    '<a@b.example> <c@d.example>',
    '<a@b.example> X="c"',
    '<a@b.example> X=(c',
    '<a%b%c%d%e@f.example>',
  ])('not %s', (argument) => expect(isClear(argument)).toBe(false));

  it('takes no longer for a long one', () => {
    for (const octet of ['a', '.', '%', '@', ' ', '"', '<', 'a.', '@a,', '@a:', ' A=']) {
      isClear(`<${octet.repeat(2_000)}`);
      isClear(octet.repeat(2_000));
    }
  }, 1_000);
});

describe('other readings', () => {
  it.each([
    ['a@b.example', []],
    ['a%b@c', ['a@b']],
    ['a!b@c', ['b@a']],
    ['x!a%b@c', ['a%b@x', 'a@b']],
    ['a%b%c@d', ['a%b@c', 'a@b']],
    ['a%b', []],
    ['"a%b"@c', []],
  ])('of %s', (mailbox, readings) => expect(otherReadings(mailbox)).toEqual(readings));

  it('are told with the address', () => {
    expect(envelopeAddress('<eve%evil.test@ok.example>')).toEqual({
      address: 'eve%evil.test@ok.example',
      readings: ['eve@evil.test'],
      route: [],
      clear: true,
    });
  });
});
