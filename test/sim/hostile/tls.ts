import type { Random } from '../random.ts';

/** A handshake message (RFC 8446 4). */
function handshake(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, 0, body.length >> 8, body.length & 0xff]), body]);
}

/** Records (RFC 8446 5.1) with so much of the message in each. */
function records(message: Buffer, fragmentBytes = message.length): string {
  const all: Buffer[] = [];
  for (let at = 0; at < message.length; at += fragmentBytes) {
    const fragment = message.subarray(at, at + fragmentBytes);
    all.push(Buffer.from([22, 3, 1, fragment.length >> 8, fragment.length & 0xff]), fragment);
  }
  return Buffer.concat(all).toString('latin1');
}

const word = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const extension = (type: number, body: Buffer): Buffer => Buffer.concat([word(type), word(body.length), body]);

const RANDOM = Buffer.alloc(32, 0x41);
const NAME = Buffer.from('mx.example');
/** server_name (RFC 6066 3), supported_groups, ALPN (RFC 7301 3.1), signature_algorithms, supported_versions. */
const EXTENSIONS = [
  extension(0, Buffer.concat([word(NAME.length + 3), Buffer.from([0]), word(NAME.length), NAME])),
  extension(10, Buffer.from([0, 4, 0, 29, 0, 23])),
  extension(16, Buffer.concat([word(5), Buffer.from([4]), Buffer.from('smtp')])),
  extension(13, Buffer.from([0, 4, 4, 3, 8, 4])),
];
/** supported_versions (RFC 8446 4.2.1): TLS 1.3. */
const CLIENT_VERSIONS = extension(43, Buffer.from([2, 3, 4]));
const SERVER_VERSIONS = Buffer.from([0, 6, 0, 43, 0, 2, 3, 4]);
/** As large as a post-quantum key share makes it: more than one segment. */
const PADDING_BYTES = 1_700;

type Sized = readonly [message: Buffer, size: string];

function hello(extensions: readonly Buffer[]): Buffer {
  const all = Buffer.concat(extensions);
  const head = Buffer.concat([Buffer.from([3, 3]), RANDOM, Buffer.from([0, 0, 2, 0x13, 0x01, 1, 0])]);
  return handshake(1, Buffer.concat([head, word(all.length), all]));
}

const SMALL = hello([CLIENT_VERSIONS]);
const USUAL = hello([...EXTENSIONS, CLIENT_VERSIONS]);
const LARGE = hello([...EXTENSIONS, CLIENT_VERSIONS, extension(21, Buffer.alloc(PADDING_BYTES))]);

const HELLOS: readonly [Sized, ...Sized[]] = [
  [SMALL, 'small'],
  [USUAL, 'usual'],
  [LARGE, 'large'],
];

/** One of several real-looking hellos, and what is to be told of it. */
export function clientHello(random: Random): { readonly text: string; readonly what: string } {
  const [message, size] = random.pick(HELLOS);
  const inMany = random.chance(25);
  const text = records(message, inMany ? 1 + random.below(message.length) : message.length);
  return { text, what: `${size} hello${inMany ? ' in several records' : ''}` };
}

export const SERVER_HELLO = records(
  handshake(2, Buffer.concat([Buffer.from([3, 3]), RANDOM, Buffer.from([0, 0x13, 0x01, 0]), SERVER_VERSIONS])),
);
/** The first octets of a record of application data. */
export const APPLICATION_DATA = '\x17\x03\x03';
/** The usual hello in one record. */
export const CLIENT_HELLO = records(USUAL);
