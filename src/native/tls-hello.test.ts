import { expect, test } from 'vitest';
import { readTlsHello } from './tls-hello.ts';

const u16 = (value: number): string => String.fromCharCode(value >> 8, value & 0xff);
const vector = (body: string): string => u16(body.length) + body;
const record = (type: number, version: number, ...vectors: string[]): Buffer =>
  Buffer.from(String.fromCharCode(type) + u16(version) + vectors.map(vector).join(''), 'latin1');

test('a client hello has its name, protocols and numbers in their order', () => {
  const octets = record(
    1,
    0x0304,
    'mx.example.org',
    '\x04smtp\x02h2',
    u16(0x1301) + u16(0x0a0a),
    u16(43) + u16(0),
    u16(0x0403),
  );
  expect(readTlsHello(octets)).toEqual({
    type: 'client',
    version: 0x0304,
    serverName: 'mx.example.org',
    alpn: ['smtp', 'h2'],
    ciphers: [0x1301, 0x0a0a],
    extensions: [43, 0],
    signatureAlgorithms: [0x0403],
  });
});

test('a hello that names nothing has no name', () => {
  const hello = readTlsHello(record(2, 0x0303, '', '', u16(0xc02f), '', ''));
  expect(hello).toEqual({
    type: 'server',
    version: 0x0303,
    alpn: [],
    ciphers: [0xc02f],
    extensions: [],
    signatureAlgorithms: [],
  });
});

test('what does not print is not shown', () => {
  const hello = readTlsHello(record(1, 0x0303, 'mx\r\n\x1b[1m\xe9', '\x03a\0b', u16(0xc02f), '', ''));
  expect(hello.serverName).toBe('mx???[1m?');
  expect(hello.alpn).toEqual(['a?b']);
});

test('a long list of protocols is cut', () => {
  const hello = readTlsHello(record(1, 0x0303, '', '\x01a'.repeat(40), u16(0xc02f), '', ''));
  expect(hello.alpn).toHaveLength(16);
});

test('a record that ends early is a defect', () => {
  expect(() => readTlsHello(record(1, 0x0303, '', '', u16(0xc02f), ''))).toThrow();
  expect(() => readTlsHello(record(1, 0x0303, '', '', u16(0xc02f), '', u16(1)).subarray(0, -1))).toThrow('ends early');
});
