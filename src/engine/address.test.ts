import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAddress, parseAddress } from './address.ts';

const groups = (...words: readonly number[]): Uint8Array =>
  Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]));

test('IPv4', () => {
  expect(formatAddress(Uint8Array.of(192, 0, 2, 255))).toBe('192.0.2.255');
  expect(formatAddress(Uint8Array.of(0, 0, 0, 0))).toBe('0.0.0.0');
});

test.each([
  [[0, 0, 0, 0, 0, 0, 0, 0], '::'],
  [[0, 0, 0, 0, 0, 0, 0, 1], '::1'],
  [[1, 0, 0, 0, 0, 0, 0, 0], '1::'],
  [[0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x25], '2001:db8::25'],
  // RFC 5952 4.2.3: the longest run, the first of equals.
  [[0x2001, 0, 0, 1, 0, 0, 0, 1], '2001:0:0:1::1'],
  [[0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], '2001:db8::1:0:0:1'],
  // RFC 5952 4.2.2: one zero group is not shortened.
  [[0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], '2001:db8:0:1:1:1:1:1'],
  [[0xfe80, 0xabc, 0xd, 4, 5, 6, 7, 8], 'fe80:abc:d:4:5:6:7:8'],
])('IPv6 %j', (words, text) => {
  expect(formatAddress(groups(...words))).toBe(text);
});

test('an address is read back from its text', () => {
  const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(
    fc.property(fc.oneof(octets(4), octets(16)), (address) => {
      expect(parseAddress(formatAddress(address))).toEqual(Uint8Array.from(address));
    }),
  );
});

test.each([
  ['2001:DB8:0:0::25', '2001:db8::25'],
  ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['1::', '1::'],
])('%s is %s', (typed, canonical) => {
  expect(formatAddress(parseAddress(typed) ?? Uint8Array.of())).toBe(canonical);
});

test('what Node takes for no address is none, and the other way round', () => {
  const text = fc.oneof(
    fc.stringMatching(/^[0-9a-f:.]{0,24}$/),
    fc.constantFrom(
      '1.2.3',
      '1.2.3.4.5',
      '256.1.1.1',
      '01.1.1.1',
      '1::2::3',
      ':::',
      ':1',
      '1:',
      '1.2.3.4::',
      '::1.2.3',
    ),
    fc.constantFrom('1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::', '12345::', 'all', ' 1.2.3.4'),
  );
  fc.assert(
    fc.property(text, (typed) => {
      expect(parseAddress(typed) !== undefined).toBe(isIPv4(typed) || isIPv6(typed));
    }),
    { numRuns: 2_000 },
  );
});
