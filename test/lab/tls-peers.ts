import type { Certificate } from './certificate.ts';
import type { Namespace } from './namespaces.ts';
import type { Finished, Running } from './process.ts';

/** OpenSSL's own client, and one that goes on in clear: what real stacks of TLS say and read. */

export type MailProtocol = 'smtp' | 'pop3' | 'imap';

export interface TlsPeer {
  readonly host: string;
  readonly port: number;
  /** Behind STARTTLS or STLS of this protocol; without it TLS comes first. */
  readonly startTls?: MailProtocol;
  /** What s_client is told besides, as `-tls1_2`. */
  readonly options?: readonly string[];
  /** Keeps the session open this long. */
  readonly stayMs?: number;
}

const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** One handshake. stderr has what was agreed (`-brief`), or the alert that was read. */
export function secureClient(from: Namespace, peer: TlsPeer): Promise<Finished> {
  const words = ['openssl', 's_client', '-brief', '-connect', `${inUrl(peer.host)}:${peer.port}`];
  if (peer.startTls !== undefined) words.push('-starttls', peer.startTls);
  words.push(...(peer.options ?? []));
  const stay = `sleep ${(peer.stayMs ?? 300) / 1_000}`;
  return from.run(['sh', '-c', `${stay} | "$@"`, 'sh', ...words], { timeoutMs: 20_000 });
}

/** OpenSSL's own server on 465, where the lab has no mail server; it says nothing. `options` as `-tls1_2`. */
export async function startTlsServer(
  on: Namespace,
  host: string,
  { certificate, key }: Certificate,
  options: readonly string[] = [],
): Promise<Running> {
  const words = ['-accept', `${inUrl(host)}:465`, '-cert', certificate, '-key', key, ...options];
  const server = on.start(['sh', '-c', 'sleep 600 | "$@"', 'sh', 'openssl', 's_server', ...words]);
  await server.waitFor(/ACCEPT/);
  return server;
}

/**
 * STARTTLS, a handshake, close_notify from both sides, and then `clear` on the same connection. stdout has what was read
 * behind it.
 */
export function clearBehindTls(from: Namespace, host: string, clear: string): Promise<Finished> {
  const program = `
import socket, ssl, sys
raw = socket.create_connection((sys.argv[1], 25), 10)
def read():
    text = b''
    while not text.endswith(b'\\n'):
        text += raw.recv(1)
    return text
read()
raw.sendall(b'EHLO client.lab.example\\r\\n')
while read()[3:4] == b'-':
    pass
raw.sendall(b'STARTTLS\\r\\n')
read()
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
wrapped = context.wrap_socket(raw)
print('encrypted', wrapped.version(), flush=True)
try:
    raw = wrapped.unwrap()
except (OSError, ssl.SSLError) as error:
    print('unwrap', type(error).__name__, flush=True)
    raw = socket.socket(fileno=wrapped.detach())
try:
    raw.settimeout(5)
    raw.sendall(sys.argv[2].encode('latin1'))
    while True:
        text = raw.recv(1000)
        if not text:
            break
        print('read', text, flush=True)
except OSError as error:
    print('end', type(error).__name__, flush=True)
`;
  return from.run(['python3', '-c', program, host, clear], { timeoutMs: 20_000 });
}
