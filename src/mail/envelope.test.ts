import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { envelopeAddress } from './envelope.ts';

const addressOf = (argument: string): string => envelopeAddress(argument).address;

describe('the address of an envelope', () => {
  it.each([
    ['<eve@evil.test>', 'eve@evil.test'],
    ['<>', ''],
    ['< >', ''],
    [' <> SIZE=10', ''],
    ['<eve@evil.test> SIZE=10 BODY=8BITMIME', 'eve@evil.test'],
    ['eve@evil.test SIZE=10', 'eve@evil.test'],
    ['  eve@evil.test', 'eve@evil.test'],
    ['<eve@evil.test', 'eve@evil.test'],
    ['<eve@evil.test SIZE=10', 'eve@evil.test'],
    ['eve@evil.test>', 'eve@evil.test'],
    ['<<eve@evil.test>>', 'eve@evil.test'],
    ['Eve <eve@evil.test>', 'eve@evil.test'],
    ['<@ok.example,@b.example:eve@evil.test>', 'eve@evil.test'],
    ['<@ok.example:@b.example:eve@evil.test>', 'eve@evil.test'],
    ['<@[IPv6:2001:db8::1]:eve@evil.test>', 'eve@evil.test'],
    ['<@ok.example:"e@ve"@evil.test>', '"e@ve"@evil.test'],
    ['<"a>b"@evil.test> SIZE=1', '"a>b"@evil.test'],
    ['<"eve"@evil.test>', 'eve@evil.test'],
    ['<"e\\ve"@evil.test>', 'eve@evil.test'],
    ['<e\\ve@evil.test>', 'eve@evil.test'],
    ['<eve @evil.test>', 'eve@evil.test'],
    ['< eve@evil.test >', 'eve@evil.test'],
    ['<eve(x(y))@evil.test>', 'eve@evil.test'],
    ['<eve@evil.test(\\))>', 'eve@evil.test'],
    ['<eve@evil.test.>', 'eve@evil.test'],
    ['<postmaster>', 'postmaster'],
    ['<eve@[192.0.2.1]>', 'eve@[192.0.2.1]'],
    ['<"two words"@evil.test>', '"two words"@evil.test'],
    ['<"">', '""'],
    ['eve@evil.test AUTH=<ok@ok.example>', 'eve@evil.test'],
    ['eve AUTH=<ok@ok.example>', 'eve'],
    ['x=<eve@evil.test>', 'eve@evil.test'],
    // Each of these Postfix delivers to eve.
    ['(<ok@ok.example>)eve@evil.test', 'eve@evil.test'],
    ['<(<ok@ok.example>)eve@evil.test>', 'eve@evil.test'],
    ['<(a>b)eve@evil.test>', 'eve@evil.test'],
    ['(>)<eve@evil.test>', 'eve@evil.test'],
    ['eve(<ok@ok.example>)@evil.test', 'eve@evil.test'],
    ['eve@evil.test(<ok@ok.example>)', 'eve@evil.test'],
    ['"<ok@ok.example>"<eve@evil.test>', 'eve@evil.test'],
    ['"ok@ok.example"<eve@evil.test>', 'eve@evil.test'],
    ['ok@ok.example<eve@evil.test>', 'eve@evil.test'],
    ['ok@ok=<eve@evil.test>', 'eve@evil.test'],
    ['(a@b)<eve@evil.test> SIZE=1', 'eve@evil.test'],
    ['<ok@ok.example <eve@evil.test>>', 'eve@evil.test'],
    ['<"<ok@ok.example>"<eve@evil.test>>', 'eve@evil.test'],
    ['<>eve@evil.test SIZE=1', 'eve@evil.test'],
    ['<,eve@evil.test;>', 'eve@evil.test'],
    ['<> ENVID=(a)', ''],
    ['<eve@evil.test> ENVID=(<ok@ok.example>', 'eve@evil.test'],
  ])('%s', (argument, address) => expect(addressOf(argument)).toBe(address));

  it.each([
    ['<eve@evil.test" SIZE=1', 'eve@evil.test"'],
    ['<"eve@evil.test> SIZE=1', '"eve@evil.test'],
    ['<eve(@evil.test>', 'eve(@evil.test'],
    ['<eve)@evil.test>', 'eve)@evil.test'],
  ])('%s, which cannot be read, is told as sent', (argument, address) => expect(addressOf(argument)).toBe(address));

  it('names the hosts of a route', () => {
    expect(envelopeAddress('<@a.example,@b.example:u@c.example> NOTIFY=NEVER').route).toEqual([
      'a.example',
      'b.example',
    ]);
    expect(envelopeAddress('<u@c.example>').route).toEqual([]);
  });

  it('is that of the well-formed path, whatever stands around it', () => {
    const word = fc.stringMatching(/^[a-z0-9!#$%&'*+/=?^_`{}~-]{1,8}$/);
    const parameters = fc.constantFrom('', ' SIZE=1', ' BODY=8BITMIME  SMTPUTF8', ' AUTH=<x@y>');
    fc.assert(
      fc.property(word, word, parameters, fc.constantFrom('', ' ', '  '), (local, domain, behind, before) => {
        const address = `${local}@${domain}.example`;
        expect(addressOf(`${before}<${address}>${behind}`)).toBe(address);
        expect(addressOf(`${before}<@r.example:${address}>${behind}`)).toBe(address);
        expect(addressOf(`${before}${address}${behind}`)).toBe(address);
      }),
    );
  });

  it('is read from any octets', () => {
    const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
    const near = fc.oneof(octet, fc.constantFrom('<', '>', '"', '\\', '(', ')', '@', ':', ' ', '[', ']', ','));
    fc.assert(
      fc.property(fc.string({ unit: near, maxLength: 40 }), (argument) => {
        expect(typeof addressOf(argument)).toBe('string');
      }),
      { numRuns: 2_000 },
    );
  });
});
