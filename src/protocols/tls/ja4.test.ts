import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { TlsHello } from '../../inspect/tls-hello.ts';
import { ja4 } from './ja4.ts';

const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex');

/** The example of JA4's own description, in an order other than the sorted one, with GREASE in each list. */
const CHROME: TlsHello = {
  type: 'client',
  version: 0x0304,
  serverName: 'example.org',
  alpn: ['h2', 'http/1.1'],
  ciphers: [
    0x4a4a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
    0x002f, 0x0035,
  ],
  extensions: [
    0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01,
    0x000b, 0x000a, 0x0015, 0x7a7a,
  ],
  signatureAlgorithms: [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
};

test('the fingerprint is the one published for this hello', () => {
  expect(ja4(CHROME, sha256)).toBe('t13d1516h2_8daaf6152771_e5627efa2ab1');
});

test('another order of ciphers and extensions is the same client, another of signatures is not', () => {
  const reversed = { ...CHROME, ciphers: [...CHROME.ciphers].reverse(), extensions: [...CHROME.extensions].reverse() };
  expect(ja4(reversed, sha256)).toBe(ja4(CHROME, sha256));
  const other = { ...CHROME, signatureAlgorithms: [...CHROME.signatureAlgorithms].reverse() };
  expect(ja4(other, sha256)).not.toBe(ja4(CHROME, sha256));
});

test('a hello with nothing in it has zeros', () => {
  const bare: TlsHello = {
    type: 'client',
    version: 0x0301,
    alpn: [],
    ciphers: [0x0a0a],
    extensions: [],
    signatureAlgorithms: [],
  };
  expect(ja4(bare, sha256)).toBe('t10i000000_000000000000_000000000000');
});

test('a protocol name that is no word is shown in hex, counts end at 99', () => {
  const ciphers = Array.from({ length: 120 }, (_, index) => index);
  const odd = ja4({ ...CHROME, alpn: ['+x'], ciphers }, sha256);
  expect(odd.split('_')[0]).toBe('t13d991628');
});
