import { createHash } from 'node:crypto';
import type { Frame } from '../inspect/inspector.ts';
import { type TlsFacts, type TlsHello, tlsVersionName } from '../inspect/tls-hello.ts';
import type { LogMessage } from '../log/log-message.ts';
import { ja4 } from '../protocols/tls/ja4.ts';
import { type Session, sessionContext } from './session.ts';

const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex');

/**
 * Keeps with the session what a hello that passed says. With the server's, TLS has begun: the message that tells of it,
 * for `audit-trail`.
 */
export function noteHello(session: Session, frame: Frame): LogMessage | undefined {
  if (frame.kind !== 'tlsStart' || frame.hello === undefined) return undefined;
  if (frame.hello.type === 'client') {
    session.tls = factsOf(frame.hello);
    return undefined;
  }
  if (session.tls === undefined) return undefined;
  const facts = { ...session.tls, version: tlsVersionName(frame.hello.version) };
  session.tls = facts;
  if (!session.auditTrail) return undefined;
  const { version, serverName = '-', alpn } = facts;
  const fields = { ...sessionContext(session), version, serverName, alpn: alpn.join(',') || '-', ja4: facts.ja4 };
  return { id: 'TLS_SESSION', fields };
}

function factsOf(hello: TlsHello): TlsFacts {
  const { serverName, alpn } = hello;
  const named = serverName === undefined ? {} : { serverName };
  return { version: tlsVersionName(hello.version), ...named, alpn, ja4: ja4(hello, sha256) };
}
