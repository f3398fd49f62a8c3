import type { TlsHello } from '../inspect/tls-hello.ts';
import { TLS_ALPN_NAMES_MAX } from '../limits.ts';

const CLIENT = 1;

/**
 * Reads the text of a tlsStart event that is well formed (native/core/tls_hello.h, write_tls_hello). Throws when it
 * ends early: the layouts here and there differ then.
 */
export function readTlsHello(octets: Buffer): TlsHello {
  let at = 3;
  const vector = (): Buffer => {
    const length = octets.readUInt16BE(at);
    at += 2 + length;
    if (at > octets.length) throw new RangeError('a TLS hello ends early');
    return octets.subarray(at - length, at);
  };
  const type = octets.readUInt8(0) === CLIENT ? 'client' : 'server';
  const version = octets.readUInt16BE(1);
  const serverName = printable(vector());
  const alpn = namesOf(vector());
  const ciphers = numbersOf(vector());
  const extensions = numbersOf(vector());
  const signatureAlgorithms = numbersOf(vector());
  const named = serverName === '' ? {} : { serverName };
  return { type, version, ...named, alpn, ciphers, extensions, signatureAlgorithms };
}

/** A sender's text goes to the log and to screens: what is no printable ASCII is shown as `?`. */
function printable(octets: Buffer): string {
  return octets.toString('latin1').replace(/[^\x21-\x7e]/g, '?');
}

function namesOf(octets: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at < octets.length && names.length < TLS_ALPN_NAMES_MAX; ) {
    const end = at + 1 + octets.readUInt8(at);
    names.push(printable(octets.subarray(at + 1, end)));
    at = end;
  }
  return names;
}

function numbersOf(octets: Buffer): number[] {
  return Array.from({ length: octets.length / 2 }, (_, index) => octets.readUInt16BE(index * 2));
}
