import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from './certificate.ts';
import type { Namespace } from './namespaces.ts';
import { must, type Running, run, until } from './process.ts';

/** Delivered mail belongs to `nobody`, whose number is the same on every Debian machine. */
export const MAIL_USER_ID = 65_534;

export interface PostfixOptions {
  readonly namespace: Namespace;
  /** Configuration, queue, log and mail go below it. */
  readonly folder: string;
  readonly addresses: readonly string[];
  readonly hostname: string;
  /** With it the instance is a sending queue: everything goes there. */
  readonly relayHost?: string;
  /** The sending queue delivers over TLS or not at all; otherwise it never asks for TLS. */
  readonly relayTls?: boolean;
  readonly certificate?: Certificate;
  /** Dovecot's authentication socket. */
  readonly saslSocket?: string;
  /** Logs every command and reply of the clients from these networks (`debug_peer_list`). */
  readonly logDialogues?: boolean;
}

export interface Postfix {
  log(): string;
  /** The messages delivered to u@example.com, in the order they came. */
  mailbox(): string[];
  waitForMail(count: number, timeoutMs?: number): Promise<string[]>;
  /** Puts a message into the queue as a local user's `sendmail` does. */
  submit(message: string, from: string, to: string): Promise<void>;
  /**
   * Waits until the log, from the character `since` on, says what became of the message sent to this address: `sent`,
   * `deferred` or `bounced`.
   */
  waitForFate(to: string, timeoutMs?: number, since?: number): Promise<{ status: string; line: string }>;
  stop(): Promise<void>;
}

const MASTER = `
smtp      inet  n       -       n       -       -       smtpd
587       inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       1       1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       1       1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
`;

function mainLines(options: PostfixOptions, queue: string, log: string, mail: string): string[] {
  const lines = [
    'compatibility_level = 3.6',
    `queue_directory = ${queue}`,
    `data_directory = ${options.folder}/data`,
    `maillog_file = ${log}`,
    `maillog_file_prefixes = ${options.folder}`,
    `myhostname = ${options.hostname}`,
    'mydestination =',
    'mynetworks = 0.0.0.0/0 [::]/0',
    'smtpd_relay_restrictions = permit_mynetworks, reject',
    // Users that this server does not have: the only recipients that it refuses.
    'smtpd_recipient_restrictions = check_recipient_access regexp:{{/^nobody-/ 550 5.1.1 no such user}}',
    `inet_interfaces = ${options.addresses.join(' ')}`,
    'inet_protocols = all',
    'alias_maps =',
    'alias_database =',
    // Nobody answers for names in the lab.
    'smtp_dns_support_level = disabled',
    'smtpd_peername_lookup = no',
    'smtpd_client_connection_rate_limit = 0',
    'smtpd_client_connection_count_limit = 0',
    // Debian's default; with it the lab's server is the one that reads odd line ends the most freely.
    'smtpd_forbid_bare_newline = no',
    'disable_vrfy_command = no',
    'smtp_connect_timeout = 5s',
    'smtp_helo_timeout = 15s',
    'minimal_backoff_time = 5s',
    'maximal_backoff_time = 5s',
    'queue_run_delay = 5s',
    'message_size_limit = 52428800',
  ];
  if (options.relayHost === undefined) {
    lines.push(
      'virtual_mailbox_domains = example.com',
      `virtual_mailbox_base = ${mail}`,
      'virtual_mailbox_maps = static:u/',
      'virtual_mailbox_limit = 0',
      `virtual_uid_maps = static:${MAIL_USER_ID}`,
      `virtual_gid_maps = static:${MAIL_USER_ID}`,
    );
  } else {
    const level = options.relayTls === true ? 'encrypt' : 'none';
    lines.push(`relayhost = ${options.relayHost}`, `smtp_tls_security_level = ${level}`);
  }
  if (options.certificate !== undefined) {
    lines.push(
      'smtpd_tls_security_level = may',
      `smtpd_tls_cert_file = ${options.certificate.certificate}`,
      `smtpd_tls_key_file = ${options.certificate.key}`,
    );
  }
  if (options.saslSocket !== undefined) {
    lines.push('smtpd_sasl_auth_enable = yes', 'smtpd_sasl_type = dovecot', `smtpd_sasl_path = ${options.saslSocket}`);
  }
  if (options.logDialogues === true) lines.push('debug_peer_list = 10.80.0.0/16 [fd80::]/16', 'debug_peer_level = 2');
  return lines;
}

function readMaildir(folder: string): string[] {
  const fresh = join(folder, 'new');
  if (!existsSync(fresh)) return [];
  // Maildir names begin with the time of delivery.
  return readdirSync(fresh)
    .sort()
    .map((name) => readFileSync(join(fresh, name), 'latin1'));
}

/** Starts an instance of its own: nothing of it lies in the machine's own Postfix folders. */
export async function startPostfix(options: PostfixOptions): Promise<Postfix> {
  const { namespace, folder } = options;
  const [configuration, queue, log, mail] = ['etc', 'queue', 'mail.log', 'mail'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const made of [configuration, queue, join(folder, 'data'), mail]) mkdirSync(made, { recursive: true });
  chownSync(mail, MAIL_USER_ID, MAIL_USER_ID);
  await must(['chown', 'postfix', join(folder, 'data')]);
  writeFileSync(join(configuration, 'master.cf'), MASTER);
  writeFileSync(join(configuration, 'main.cf'), `${mainLines(options, queue, log, mail).join('\n')}\n`);
  writeFileSync(log, '');
  const readLog = () => readFileSync(log, 'latin1');
  // Makes the queue's folders; its advice on files it would like to own is of no use here.
  await run(['postfix', '-c', configuration, 'check'], { timeoutMs: 60_000 });
  const master: Running = namespace.start(['postfix', '-c', configuration, 'start-fg']);
  await until('Postfix to start', () => /daemon started/.test(readLog()));
  return {
    log: readLog,
    mailbox: () => readMaildir(join(mail, 'u')),
    waitForMail: (count, timeoutMs) =>
      until(
        `${count} messages at Postfix`,
        () => {
          const messages = readMaildir(join(mail, 'u'));
          return messages.length >= count && messages;
        },
        timeoutMs,
      ),
    async submit(message, from, to) {
      const queue = ['sendmail', '-C', configuration, '-i', '-f', from, to];
      await namespace.must(queue, { input: Buffer.from(message, 'latin1') });
    },
    waitForFate: (to, timeoutMs, since = 0) =>
      until(
        `the fate of the message to ${to}`,
        () => {
          const line = readLog()
            .slice(since)
            .split('\n')
            .find((text) => text.includes(`to=<${to}>`) && text.includes('status='));
          const status = /status=(\w+)/.exec(line ?? '')?.[1];
          return line !== undefined && status !== undefined && { status, line };
        },
        timeoutMs,
      ),
    async stop() {
      await master.stop();
    },
  };
}
