import { describe, expect, test } from 'vitest';
import type { TlsHello } from '../inspect/tls-hello.ts';
import type { Session } from './session.ts';
import { noteHello } from './tls-session.ts';

const HELLO: TlsHello = {
  type: 'client',
  version: 0x0304,
  serverName: 'mx.example.org',
  alpn: ['smtp'],
  ciphers: [0x1301],
  extensions: [0, 16],
  signatureAlgorithms: [],
};
const SERVER: TlsHello = { ...HELLO, type: 'server', version: 0x0303, alpn: [] };

const session = (auditTrail: boolean): Session => ({
  ...{ id: 'ID', flow: 1, generation: 1, protocol: 'smtp', rule: 'MAIL', alert: true, auditTrail, idleSeconds: 60 },
  initiator: { address: '192.0.2.1', port: 40_000 },
  responder: { address: '192.0.2.2', port: 25 },
});
const frame = (hello: TlsHello) =>
  ({ kind: 'tlsStart', from: hello.type === 'client' ? 'initiator' : 'responder', wellFormed: true, hello }) as const;

describe('the TLS of a session', () => {
  test("is what the client's hello says, with the version that the server chose", () => {
    const ours = session(false);
    expect(noteHello(ours, frame(HELLO))).toBeUndefined();
    expect(ours.tls).toMatchObject({ version: '1.3', serverName: 'mx.example.org', alpn: ['smtp'] });
    expect(ours.tls?.ja4).toMatch(/^t13d0102sp_[0-9a-f]{12}_0{12}$/);
    expect(noteHello(ours, frame(SERVER))).toBeUndefined();
    expect(ours.tls).toMatchObject({ version: '1.2', serverName: 'mx.example.org', alpn: ['smtp'] });
  });

  test('is told once it has begun, where audit-trail is on', () => {
    const ours = session(true);
    expect(noteHello(ours, frame(HELLO))).toBeUndefined();
    expect(noteHello(ours, frame(SERVER))).toMatchObject({
      id: 'TLS_SESSION',
      fields: { version: '1.2', serverName: 'mx.example.org', alpn: 'smtp', session: 'ID' },
    });
  });

  test('names nothing where the client names nothing', () => {
    const ours = session(true);
    const { serverName: _, ...unnamed } = HELLO;
    noteHello(ours, frame({ ...unnamed, alpn: [] }));
    expect(noteHello(ours, frame(SERVER))).toMatchObject({ fields: { serverName: '-', alpn: '-' } });
  });

  test('is nothing where a line or no hello comes', () => {
    const ours = session(true);
    noteHello(ours, { kind: 'line', from: 'initiator', text: 'NOOP', end: 'crlf' });
    noteHello(ours, { kind: 'tlsStart', from: 'initiator', wellFormed: false });
    expect(ours.tls).toBeUndefined();
  });
});
