import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAIL_ACCOUNT } from './dovecot.ts';
import type { Namespace } from './namespaces.ts';
import type { Finished } from './process.ts';

/** Everyday clients, each with the few words that make it talk to the lab's servers. `host` may be IPv4 or IPv6. */

export const FROM = 'a@example.org';
export const TO = 'u@example.com';

const inUrl = (host: string) => (host.includes(':') ? `[${host}]` : host);

/** swaks sends the message as it stands in the file. */
export function swaks(
  from: Namespace,
  host: string,
  message: string,
  extra: readonly string[] = [],
): Promise<Finished> {
  const where = ['--server', inUrl(host), '--ehlo', 'client.lab.example', '--timeout', '10'];
  const what = ['--from', FROM, '--to', TO, '--data', '-'];
  return from.run(['swaks', ...where, ...what, ...extra], { input: Buffer.from(message, 'latin1') });
}

/** `extra` for `--ssl-reqd` and the like. */
export function curlSend(
  from: Namespace,
  host: string,
  file: string,
  extra: readonly string[] = [],
): Promise<Finished> {
  const envelope = ['--mail-from', FROM, '--mail-rcpt', TO, '-T', file, ...extra];
  return from.run(['curl', '-sSk', '--max-time', '20', `smtp://${inUrl(host)}/client.lab.example`, ...envelope]);
}

/** The options of an account that every server of the lab knows. */
export const CURL_ACCOUNT = ['-u', `${MAIL_ACCOUNT.user}:${MAIL_ACCOUNT.password}`] as const;

/** `path` as in `imap://host/INBOX;MAILINDEX=1`; `extra` for `--login-options`, `--ssl-reqd` and so on. */
export function curlFetch(
  from: Namespace,
  url: { readonly scheme: 'imap' | 'pop3' | 'imaps' | 'pop3s'; readonly host: string; readonly path: string },
  extra: readonly string[] = [],
): Promise<Finished> {
  const where = `${url.scheme}://${inUrl(url.host)}/${url.path}`;
  return from.run(['curl', '-sSk', '--max-time', '20', where, ...CURL_ACCOUNT, ...extra]);
}

export function msmtp(
  from: Namespace,
  host: string,
  message: string,
  security: readonly string[] = ['--tls=off'],
): Promise<Finished> {
  const words = [`--host=${host}`, '--port=25', '--auth=off', ...security, '--domain=client.lab.example'];
  return from.run(['msmtp', '--file=/dev/null', ...words, `--from=${FROM}`, TO], {
    input: Buffer.from(message, 'latin1'),
  });
}

/** `count` messages of `bytes` each, one a connection unless `keep`. */
export function smtpSource(
  from: Namespace,
  host: string,
  load: { readonly count: number; readonly bytes: number; readonly parallel: number; readonly keep?: boolean },
): Promise<Finished> {
  const shape = ['-s', String(load.parallel), '-m', String(load.count), '-l', String(load.bytes)];
  if (load.keep === true) shape.push('-d');
  return from.run(['smtp-source', ...shape, '-f', FROM, '-t', TO, `${inUrl(host)}:25`], { timeoutMs: 600_000 });
}

/** Fetches everything into a folder, one file a message, and leaves it at the server. */
export async function fetchmail(
  from: Namespace,
  options: {
    readonly host: string;
    readonly protocol: 'IMAP' | 'POP3';
    readonly folder: string;
    readonly auth?: string;
    /** `tls1.2` and the like: STARTTLS or STLS comes first. */
    readonly tls?: string;
  },
): Promise<{ finished: Finished; messages: string[] }> {
  const { host, protocol, folder } = options;
  const inbox = join(folder, 'fetched');
  mkdirSync(inbox, { recursive: true });
  const rc = join(folder, 'fetchmailrc');
  const account = `user ${MAIL_ACCOUNT.user} there password ${MAIL_ACCOUNT.password}`;
  const store = `mda "/bin/sh -c 'cat >${inbox}/$$.eml'"`;
  const login = `auth ${options.auth ?? 'password'}`;
  const security = options.tls === undefined ? "sslproto ''" : `sslproto '${options.tls}' no sslcertck`;
  writeFileSync(
    rc,
    `poll lab via "${host}" proto ${protocol} ${login} ${account} keep fetchall no rewrite ${security} ${store}\n`,
  );
  await from.must(['chmod', '600', rc]);
  const home = { HOME: folder, FETCHMAILHOME: folder };
  const finished = await from.run(['fetchmail', '-f', rc, '-v', '-N', '--invisible'], { env: home });
  return { finished, messages: readdirSync(inbox).map((name) => readFileSync(join(inbox, name), 'latin1')) };
}

/** Mirrors the INBOX into a Maildir. */
export async function mbsync(
  from: Namespace,
  options: { readonly host: string; readonly folder: string; readonly tls?: boolean; readonly certificate?: string },
): Promise<{ finished: Finished; messages: string[] }> {
  const { host, folder } = options;
  const mirror = join(folder, 'mirror');
  mkdirSync(mirror, { recursive: true });
  const security = options.tls === true ? `SSLType STARTTLS\nCertificateFile ${options.certificate}` : 'SSLType None';
  const rc = join(folder, 'mbsyncrc');
  writeFileSync(
    rc,
    `IMAPAccount lab
Host ${host}
User ${MAIL_ACCOUNT.user}
Pass ${MAIL_ACCOUNT.password}
AuthMechs LOGIN
PipelineDepth 50
${security}

IMAPStore far
Account lab

MaildirStore near
Path ${mirror}/
Inbox ${mirror}/INBOX

Channel lab
Far :far:INBOX
Near :near:INBOX
Create Near
Sync Pull
SyncState ${folder}/sync-
`,
  );
  const finished = await from.run(['mbsync', '-c', rc, '-a', '-V']);
  const fresh = ['new', 'cur'].map((part) => join(mirror, 'INBOX', part));
  const messages = fresh.flatMap((part) => {
    try {
      return readdirSync(part).map((name) => readFileSync(join(part, name), 'latin1'));
    } catch {
      return [];
    }
  });
  return { finished, messages };
}

/** A TLS handshake after STARTTLS or STLS; the output names the protocol version when it succeeds. */
export function startTls(
  from: Namespace,
  host: string,
  port: number,
  protocol: 'smtp' | 'imap' | 'pop3',
): Promise<Finished> {
  const where = ['-connect', `${inUrl(host)}:${port}`, '-starttls', protocol];
  return from.run(['openssl', 's_client', ...where, '-crlf', '-quiet'], {
    input: protocol === 'imap' ? 'z LOGOUT\n' : 'QUIT\n',
    timeoutMs: 15_000,
  });
}
