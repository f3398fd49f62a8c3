import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as clients from './clients.ts';
import { MAIL_ACCOUNT } from './dovecot.ts';
import { type EximClient, eximClient } from './exim-client.ts';
import { ADDRESSES } from './lab.ts';
import { longMessage, mimeMessage, plainMessage } from './messages.ts';
import { type Postfix, startPostfix } from './postfix.ts';
import type { Finished } from './process.ts';
import type { World } from './world.ts';

/** What everyday clients do at the lab's servers, in clear and over TLS: tables, so that each test takes all of them. */

export type MailServer = 'postfix' | 'exim';
export type MailboxServer = 'dovecot' | 'courier';

/** The mail systems at the client's end. */
export interface Senders {
  readonly queues: Readonly<Record<MailServer | 'tls', Postfix>>;
  readonly exims: Readonly<Record<MailServer | 'tls', EximClient>>;
}

export interface Delivery {
  readonly name: string;
  readonly to: MailServer;
  /** Who ends otherwise than with 0, or says otherwise in its log, has failed. */
  send(world: World, senders: Senders, message: string): Promise<Finished>;
  readonly message: (subject: string) => string;
}

export interface Fetching {
  readonly name: string;
  readonly from: MailboxServer;
  /** Answers what it fetched of the mailbox, message by message. */
  fetch(world: World, host: string): Promise<{ readonly finished: Finished; readonly messages: readonly string[] }>;
}

const HOSTS = { postfix: ADDRESSES.server.v4, exim: ADDRESSES.exim.v4 } as const;
export const MAILBOX_HOSTS = { dovecot: ADDRESSES.server.v4, courier: ADDRESSES.courier.v4 } as const;

export async function startSenders(world: World): Promise<Senders> {
  const queue = (name: string, address: string, server: string, relayTls: boolean) =>
    startPostfix({
      namespace: world.lab.client,
      folder: world.folder(`queue-${name}`),
      addresses: [address],
      hostname: 'client.lab.example',
      relayHost: `[${server}]:25`,
      relayTls,
    });
  // Postfix listens on addresses only that an interface has.
  for (const own of ['127.0.0.2', '127.0.0.3']) {
    await world.lab.client.must(['ip', 'address', 'add', `${own}/8`, 'dev', 'lo']);
  }
  const [postfix, exim, tls] = await Promise.all([
    queue('postfix', '127.0.0.1', HOSTS.postfix, false),
    queue('exim', '127.0.0.2', HOSTS.exim, false),
    queue('tls', '127.0.0.3', HOSTS.postfix, true),
  ]);
  const client = (name: string, server: string, overTls = false) =>
    eximClient(world.lab.client, world.folder(`exim-${name}`), server, { overTls });
  return {
    queues: { postfix, exim, tls },
    exims: {
      postfix: client('postfix', HOSTS.postfix),
      exim: client('exim', HOSTS.exim),
      tls: client('tls', HOSTS.postfix, true),
    },
  };
}

const ACCOUNT = ['--auth-user', MAIL_ACCOUNT.user, '--auth-password', MAIL_ACCOUNT.password] as const;

const bySwaks =
  (server: MailServer, ...extra: readonly string[]): Delivery['send'] =>
  ({ lab }, _senders, message) =>
    clients.swaks(lab.client, HOSTS[server], message, extra);

const byCurl =
  (server: MailServer, ...extra: readonly string[]): Delivery['send'] =>
  (world, _senders, message) => {
    const file = join(world.folder('curl'), 'message.eml');
    writeFileSync(file, message, 'latin1');
    return clients.curlSend(world.lab.client, HOSTS[server], file, extra);
  };

const byMsmtp =
  (server: MailServer, security?: readonly string[]): Delivery['send'] =>
  ({ lab }, _senders, message) =>
    clients.msmtp(lab.client, HOSTS[server], message, security);

/** The queue reads lines that end in LF, as `sendmail` does. */
const byPostfix =
  (queue: MailServer | 'tls'): Delivery['send'] =>
  async (_world, { queues }, message) => {
    const to = clients.TO;
    const before = queues[queue].log().length;
    await queues[queue].submit(message.replaceAll('\r\n', '\n'), clients.FROM, to);
    const { status, line } = await queues[queue].waitForFate(to, undefined, before);
    return { code: status === 'sent' ? 0 : 1, stdout: line, stderr: '' };
  };

const byExim =
  (client: MailServer | 'tls'): Delivery['send'] =>
  async (_world, { exims }, message) => {
    const log = await exims[client].send(message, clients.FROM, clients.TO);
    return { code: / => /.test(log) ? 0 : 1, stdout: log, stderr: '' };
  };

function delivery(to: MailServer, client: string, send: Delivery['send'], message = plainMessage): Delivery {
  return { name: `${client} to ${to}`, to, send, message };
}

const long = (subject: string) => longMessage(subject, 600);

export const DELIVERIES: readonly Delivery[] = [
  ...(['postfix', 'exim'] as const).flatMap((server) => [
    delivery(server, 'swaks', bySwaks(server)),
    delivery(server, 'swaks, HELO', bySwaks(server, '--protocol', 'SMTP')),
    delivery(server, 'swaks, pipelined', bySwaks(server, '--pipeline'), mimeMessage),
    delivery(server, 'curl', byCurl(server), long),
    delivery(server, 'msmtp', byMsmtp(server), mimeMessage),
    delivery(server, "Postfix's queue", byPostfix(server), mimeMessage),
    delivery(server, 'Exim', byExim(server), long),
  ]),
  delivery('postfix', 'swaks, AUTH PLAIN', bySwaks('postfix', '--auth', 'PLAIN', ...ACCOUNT)),
  delivery('postfix', 'swaks, AUTH LOGIN', bySwaks('postfix', '--auth', 'LOGIN', ...ACCOUNT)),
  delivery('postfix', 'curl, challenged', byCurl('postfix', ...clients.CURL_ACCOUNT)),
  delivery('postfix', 'curl, AUTH PLAIN on its line', byCurl('postfix', '--sasl-ir', ...clients.CURL_ACCOUNT)),
];

const MSMTP_TLS = ['--tls=on', '--tls-starttls=on', '--tls-certcheck=off'];

export const ENCRYPTED_DELIVERIES: readonly Delivery[] = [
  delivery('postfix', 'swaks, STARTTLS', bySwaks('postfix', '--tls')),
  delivery('postfix', 'swaks, AUTH within TLS', bySwaks('postfix', '--tls', '--auth', 'PLAIN', ...ACCOUNT)),
  delivery('postfix', 'curl, STARTTLS', byCurl('postfix', '--ssl-reqd'), long),
  delivery('postfix', 'msmtp, STARTTLS', byMsmtp('postfix', MSMTP_TLS), mimeMessage),
  delivery('postfix', "Postfix's queue, STARTTLS", byPostfix('tls'), mimeMessage),
  delivery('postfix', 'Exim, STARTTLS', byExim('tls'), long),
];

type CurlUrl = Parameters<typeof clients.curlFetch>[1]['scheme'];

const curl =
  (scheme: CurlUrl, ...extra: readonly string[]): Fetching['fetch'] =>
  async ({ lab }, host) => {
    const path = scheme.startsWith('imap') ? 'INBOX;MAILINDEX=1' : '1';
    const finished = await clients.curlFetch(lab.client, { scheme, host, path }, extra);
    return { finished, messages: [finished.stdout] };
  };

let folders = 0;
const fresh = (world: World) => world.folder(`fetched-${++folders}`);

const fetchmail =
  (protocol: 'IMAP' | 'POP3', options: { readonly auth?: string; readonly tls?: string } = {}): Fetching['fetch'] =>
  (world, host) =>
    clients.fetchmail(world.lab.client, { host, protocol, folder: fresh(world), ...options });

const mbsync =
  (tls = false): Fetching['fetch'] =>
  (world, host) => {
    const { certificate } = world.certificate;
    return clients.mbsync(world.lab.client, { host, folder: fresh(world), tls, certificate });
  };

const fetching = (from: MailboxServer, client: string, fetch: Fetching['fetch']): Fetching => ({
  name: `${client} from ${from}`,
  from,
  fetch,
});

export const FETCHINGS: readonly Fetching[] = [
  ...(['dovecot', 'courier'] as const).flatMap((server) => [
    fetching(server, 'curl, IMAP', curl('imap')),
    fetching(server, 'fetchmail, IMAP', fetchmail('IMAP')),
    fetching(server, 'mbsync, pipelined', mbsync()),
    fetching(server, 'curl, POP3', curl('pop3')),
    fetching(server, 'fetchmail, POP3', fetchmail('POP3')),
  ]),
  fetching('dovecot', 'curl, IMAP AUTHENTICATE PLAIN', curl('imap', '--login-options', 'AUTH=PLAIN')),
  fetching('dovecot', 'curl, IMAP with its initial response', curl('imap', '--sasl-ir')),
  fetching('dovecot', 'curl, APOP', curl('pop3', '--login-options', 'AUTH=+APOP')),
  fetching('dovecot', 'curl, POP3 AUTH PLAIN', curl('pop3', '--login-options', 'AUTH=PLAIN')),
  fetching('dovecot', 'fetchmail, CRAM-MD5 over IMAP', fetchmail('IMAP', { auth: 'cram-md5' })),
  fetching('dovecot', 'fetchmail, CRAM-MD5 over POP3', fetchmail('POP3', { auth: 'cram-md5' })),
];

export const ENCRYPTED_FETCHINGS: readonly Fetching[] = [
  ...(['dovecot', 'courier'] as const).flatMap((server) => [
    fetching(server, 'curl, IMAP STARTTLS', curl('imap', '--ssl-reqd')),
    fetching(server, 'curl, POP3 STLS', curl('pop3', '--ssl-reqd')),
    fetching(server, 'fetchmail, IMAP STARTTLS', fetchmail('IMAP', { tls: 'tls1.2+' })),
    fetching(server, 'fetchmail, POP3 STLS', fetchmail('POP3', { tls: 'tls1.2+' })),
    fetching(server, 'mbsync, STARTTLS', mbsync(true)),
  ]),
  fetching('dovecot', 'curl, imaps', curl('imaps')),
  fetching('dovecot', 'curl, pop3s', curl('pop3s')),
];
