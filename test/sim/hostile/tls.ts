/** A handshake record (RFC 8446 4, 5.1) with this message in it. */
function record(type: number, body: Buffer): string {
  const message = Buffer.concat([Buffer.from([type, 0, body.length >> 8, body.length & 0xff]), body]);
  const header = Buffer.from([22, 3, 1, message.length >> 8, message.length & 0xff]);
  return Buffer.concat([header, message]).toString('latin1');
}

const RANDOM = Buffer.alloc(32, 0x41);
/** supported_versions (RFC 8446 4.2.1): TLS 1.3. */
const CLIENT_VERSIONS = Buffer.from([0, 7, 0, 43, 0, 3, 2, 3, 4]);
const SERVER_VERSIONS = Buffer.from([0, 6, 0, 43, 0, 2, 3, 4]);

export const CLIENT_HELLO = record(
  1,
  Buffer.concat([Buffer.from([3, 3]), RANDOM, Buffer.from([0, 0, 2, 0x13, 0x01, 1, 0]), CLIENT_VERSIONS]),
);
export const SERVER_HELLO = record(
  2,
  Buffer.concat([Buffer.from([3, 3]), RANDOM, Buffer.from([0, 0x13, 0x01, 0]), SERVER_VERSIONS]),
);
