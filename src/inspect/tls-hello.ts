/** What a TLS hello says (RFC 8446 4.1.2, 4.1.3): nothing in it is secret. Numbers as they stand on the wire. */
export interface TlsHello {
  readonly type: 'client' | 'server';
  /** The client's highest offer, 0 when it names no version that is known; what the server chose. */
  readonly version: number;
  /** As the client named the server (RFC 6066 3), what does not print as `?`. */
  readonly serverName?: string;
  /** What the client offers (RFC 7301), what the server chose; names as `serverName`. */
  readonly alpn: readonly string[];
  readonly ciphers: readonly number[];
  /** Types, in their order. */
  readonly extensions: readonly number[];
  readonly signatureAlgorithms: readonly number[];
}

const TLS_1_0 = 0x0301;

/** `1.2` for 0x0303; SSL 3.0 is `SSL 3.0`, what is not known `unknown`. */
export function tlsVersionName(version: number): string {
  if (version >> 8 !== 3) return 'unknown';
  return version < TLS_1_0 ? 'SSL 3.0' : `1.${(version & 0xff) - 1}`;
}

/** What is told of a session's TLS: `version` is the one chosen, the highest offered until the server has. */
export interface TlsFacts {
  readonly version: string;
  readonly serverName?: string;
  readonly alpn: readonly string[];
  /** The client's fingerprint. */
  readonly ja4: string;
}
