import type { TlsHello } from '../../inspect/tls-hello.ts';

const SERVER_NAME = 0x0000;
const ALPN = 0x0010;
const COUNT_MAX = 99;
const HASH_CHARACTERS = 12;
const NO_HASH = '0'.repeat(HASH_CHARACTERS);
const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0304, '13'],
  [0x0303, '12'],
  [0x0302, '11'],
  [0x0301, '10'],
  [0x0300, 's3'],
]);

/**
 * JA4, FoxIO's fingerprint of TLS clients: what a client offers, sorted, so that one program has one fingerprint.
 * `sha256` gives 64 hex digits, lower case, of its text's octets.
 */
export function ja4(hello: TlsHello, sha256: (text: string) => string): string {
  const ciphers = hello.ciphers.filter(isNoGrease);
  const extensions = hello.extensions.filter(isNoGrease);
  const signatures = hello.signatureAlgorithms.filter(isNoGrease).map(hexOf);
  const hashed = extensions.filter((type) => type !== SERVER_NAME && type !== ALPN);
  const algorithms = signatures.length === 0 ? '' : `_${signatures.join(',')}`;
  const named = extensions.includes(SERVER_NAME) ? 'd' : 'i';
  const head = `t${VERSIONS.get(hello.version) ?? '00'}${named}${countOf(ciphers)}${countOf(extensions)}`;
  const hash = (numbers: readonly number[], suffix: string): string =>
    numbers.length === 0 ? NO_HASH : sha256(sorted(numbers) + suffix).slice(0, HASH_CHARACTERS);
  return `${head}${alpnLetters(hello.alpn[0])}_${hash(ciphers, '')}_${hash(hashed, algorithms)}`;
}

/** RFC 8701: values that only keep servers tolerant, two like octets that end in A. */
function isNoGrease(value: number): boolean {
  return (value & 0x0f0f) !== 0x0a0a || value >> 8 !== (value & 0xff);
}

function countOf(numbers: readonly number[]): string {
  return String(Math.min(numbers.length, COUNT_MAX)).padStart(2, '0');
}

function hexOf(value: number): string {
  return value.toString(16).padStart(4, '0');
}

function sorted(numbers: readonly number[]): string {
  return numbers.map(hexOf).sort().join(',');
}

/** First and last character of the first protocol; where one is no letter or digit, first and last hex digit. */
function alpnLetters(name: string | undefined): string {
  if (name === undefined || name === '') return '00';
  const ends = `${name.at(0)}${name.at(-1)}`;
  if (/^[0-9A-Za-z]{2}$/.test(ends)) return ends;
  const hex = Array.from(name, (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  return `${hex.at(0)}${hex.at(-1)}`;
}
