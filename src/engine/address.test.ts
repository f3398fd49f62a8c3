import { expect, test } from 'vitest';
import { formatAddress } from './address.ts';

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
