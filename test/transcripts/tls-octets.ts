import type { Side } from '../../src/inspect/inspector.ts';
import type { TlsHello } from '../../src/inspect/tls-hello.ts';

/** Hellos and alerts as octets (RFC 8446 4.1 and 6), and the reference reading of them. */

const VERSIONS: Readonly<Record<string, number>> = { '1.0': 0x0301, '1.1': 0x0302, '1.2': 0x0303, '1.3': 0x0304 };
const LEGACY_VERSION = 0x0303;
const SUPPORTED_VERSIONS = 43;
const CIPHER = 0x1301;
const HANDSHAKE = 22;
const ALERT = 21;
const HELLO_TYPE: Readonly<Record<Side, number>> = { initiator: 1, responder: 2 };
const HELLO_BODY_BYTES_MIN = 38;
const HELLO_BYTES_MAX = 16_384;
const RECORD_HEADER_BYTES = 5;
const MESSAGE_HEADER_BYTES = 4;
const ALERT_BYTES = 2;

const u16 = (value: number): string => String.fromCharCode(value >> 8, value & 0xff);
const vector16 = (body: string): string => u16(body.length) + body;
const record = (type: number, body: string): string => `${String.fromCharCode(type)}\x03\x01${vector16(body)}`;

/** One record with the hello of a side that offers, or chose, no more than `version` (`1.0` to `1.3`). */
export function helloOf(from: Side, version: string): string {
  const number = VERSIONS[version];
  if (number === undefined) throw new Error(`no TLS version ${version}`);
  const list = from === 'initiator' ? `\x02${u16(number)}` : u16(number);
  const extensions = number > LEGACY_VERSION ? vector16(u16(SUPPORTED_VERSIONS) + vector16(list)) : '';
  const ciphers = from === 'initiator' ? `${vector16(u16(CIPHER))}\x01\0` : `${u16(CIPHER)}\0`;
  const body = `${u16(Math.min(number, LEGACY_VERSION))}${'r'.repeat(32)}\0${ciphers}${extensions}`;
  return record(HANDSHAKE, `${String.fromCharCode(HELLO_TYPE[from])}\0${vector16(body)}`);
}

/** `level`: 1 warning, 2 fatal. */
export function alertOf(level: number, description: number): string {
  return record(ALERT, String.fromCharCode(level, description));
}

export type TlsReading =
  | { readonly kind: 'undecided' | 'none' | 'alert' }
  /** A whole hello, of whichever side, at its last octet. */
  | { readonly kind: 'hello'; readonly hello: TlsHello };

const NONE: TlsReading = { kind: 'none' };
const UNDECIDED: TlsReading = { kind: 'undecided' };

/** What the octets so far are (native/core/tls_start.h once more, written to be read). */
export function readTls(octets: string, alerts: boolean): TlsReading {
  if (octets.length > HELLO_BYTES_MAX) return NONE;
  let message = '';
  for (let at = 0; at < octets.length; ) {
    const type = octets.charCodeAt(at);
    const isAlert = type === ALERT && alerts && at === 0;
    const header = octets.slice(at, at + RECORD_HEADER_BYTES);
    if ((type !== HANDSHAKE && !isAlert) || !isHeader(header, isAlert, message.length)) return NONE;
    if (header.length < RECORD_HEADER_BYTES) return UNDECIDED;
    const length = numberAt(header, 3);
    const body = octets.slice(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length);
    if (isAlert) return readAlert(body);
    message += body;
    const reading = readMessage(message, body.length < length);
    if (reading !== UNDECIDED || body.length < length) return reading;
    at += RECORD_HEADER_BYTES + length;
  }
  return UNDECIDED;
}

function isHeader(header: string, isAlert: boolean, messageBytes: number): boolean {
  if (header.length > 1 && header.charCodeAt(1) !== 3) return false;
  if (header.length > 2 && header.charCodeAt(2) > 4) return false;
  if (header.length > 3 && header.charCodeAt(3) > 0x40) return false;
  if (header.length < RECORD_HEADER_BYTES) return true;
  const length = numberAt(header, 3);
  if (isAlert) return length === ALERT_BYTES;
  return length >= (messageBytes === 0 ? MESSAGE_HEADER_BYTES : 1) && length <= HELLO_BYTES_MAX;
}

function readAlert(body: string): TlsReading {
  if (body !== '' && body.charCodeAt(0) !== 1 && body.charCodeAt(0) !== 2) return NONE;
  return body.length === ALERT_BYTES ? { kind: 'alert' } : UNDECIDED;
}

/** `goesOn`: the record has more octets than these. */
function readMessage(message: string, goesOn: boolean): TlsReading {
  const type = message.charCodeAt(0);
  if (message !== '' && type !== HELLO_TYPE.initiator && type !== HELLO_TYPE.responder) return NONE;
  if (message.length > 1 && message.charCodeAt(1) !== 0) return NONE;
  if (message.length > 2 && message.charCodeAt(2) >= HELLO_BYTES_MAX >> 8) return NONE;
  if (message.length < MESSAGE_HEADER_BYTES) return UNDECIDED;
  const length = numberAt(message, 2);
  if (length < HELLO_BODY_BYTES_MIN) return NONE;
  const whole = MESSAGE_HEADER_BYTES + length;
  if (message.length < whole) return UNDECIDED;
  const fromClient = type === HELLO_TYPE.initiator;
  if (fromClient && (goesOn || message.length > whole)) return NONE;
  return { kind: 'hello', hello: readHello(message.slice(MESSAGE_HEADER_BYTES, whole), fromClient) };
}

/** The version, which is all that is judged: of hellos that `helloOf` made. */
function readHello(body: string, fromClient: boolean): TlsHello {
  const extensionsAt = 2 + 32 + 1 + (fromClient ? 2 + 2 + 2 : 2 + 1);
  const newer = body.length > extensionsAt ? numberAt(body, body.length - 2) : 0;
  const version = Math.max(numberAt(body, 0), newer);
  const rest = { alpn: [], ciphers: [CIPHER], extensions: [], signatureAlgorithms: [] };
  return { type: fromClient ? 'client' : 'server', version, ...rest };
}

function numberAt(octets: string, at: number): number {
  return octets.charCodeAt(at) * 0x100 + octets.charCodeAt(at + 1);
}
