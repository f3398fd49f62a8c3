import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Namespace } from './namespaces.ts';
import { type Running, until } from './process.ts';
import { inRepository } from './repository.ts';

/** Where `scripts/own-root.sh` unpacked the servers that cannot be installed beside Postfix. */
export const OWN_ROOTS = inRepository('build', 'lab', 'roots');
export const IN_OWN_ROOT = inRepository('test', 'lab', 'in-own-root.sh');
/** `scripts/own-root.sh` made the user Debian-exim with this number. */
export const EXIM_USER_ID = 64_901;

export interface EximOptions {
  readonly namespace: Namespace;
  readonly folder: string;
  readonly addresses: readonly string[];
  /** Logs the commands that it has an ACL for, and each message it takes, with the client's address. */
  readonly logDialogues?: boolean;
}

export interface Exim {
  log(): string;
  mailbox(): string[];
  waitForMail(count: number, timeoutMs?: number): Promise<string[]>;
  stop(): Promise<void>;
}

export const isEximUnpacked = () => existsSync(join(OWN_ROOTS, 'exim', '.complete'));

const LOGGED = ['helo', 'mail', 'rcpt', 'predata', 'vrfy', 'expn', 'quit'];
const LOGGING_ACLS = `
begin acl
command:
  accept logwrite = [$sender_host_address] reads $smtp_command
message:
  accept logwrite = [$sender_host_address] takes $message_size octets
`;

function configuration({ folder, addresses, logDialogues = false }: EximOptions): string {
  const acls = logDialogues
    ? [...LOGGED.map((at) => `acl_smtp_${at} = command`), 'acl_smtp_data = message']
    : ['acl_smtp_rcpt = accept', 'acl_smtp_data = accept'];
  return `
primary_hostname = exim.lab.example
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
local_interfaces = <; ${addresses.join(' ; ')}
daemon_smtp_ports = 25
domainlist local_domains = example.com
${acls.join('\n')}
log_selector = +smtp_protocol_error +smtp_syntax_error +smtp_connection +smtp_no_mail +all_parents
host_lookup =
rfc1413_query_timeout = 0s
smtp_enforce_sync = false
smtp_accept_max = 0
smtp_accept_queue = 0
chunking_advertise_hosts = *
pipelining_advertise_hosts = *
tls_advertise_hosts =
never_users =
${logDialogues ? LOGGING_ACLS : ''}
begin routers
lab:
  driver = accept
  domains = +local_domains
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = ${folder}/mail
  create_directory
  maildir_format
  user = Debian-exim
  group = Debian-exim
`;
}

export async function startExim(options: EximOptions): Promise<Exim> {
  const { namespace, folder } = options;
  for (const made of ['', 'spool', 'log', 'mail']) {
    mkdirSync(join(folder, made), { recursive: true });
    chownSync(join(folder, made), EXIM_USER_ID, EXIM_USER_ID);
  }
  const file = join(folder, 'exim.conf');
  writeFileSync(file, configuration(options), { mode: 0o644 });
  const own = [IN_OWN_ROOT, join(OWN_ROOTS, 'exim'), folder];
  const server: Running = namespace.start([...own, '/usr/sbin/exim4', '-bdf', '-q1m', '-C', file]);
  const log = join(folder, 'log', 'mainlog');
  const isStarted = () => existsSync(log) && readFileSync(log, 'latin1').includes('daemon started');
  await until('Exim to listen', isStarted).catch((error: Error) => {
    throw new Error(`${error.message}: ${server.output()}`);
  });
  const mailbox = () => {
    const fresh = join(folder, 'mail', 'new');
    if (!existsSync(fresh)) return [];
    return readdirSync(fresh)
      .sort()
      .map((name) => readFileSync(join(fresh, name), 'latin1'));
  };
  return {
    log: () =>
      ['mainlog', 'rejectlog']
        .map((name) => join(folder, 'log', name))
        .filter(existsSync)
        .map((path) => readFileSync(path, 'latin1'))
        .join(''),
    mailbox,
    waitForMail: (count, timeoutMs) =>
      until(
        `${count} messages at Exim`,
        () => {
          const messages = mailbox();
          return messages.length >= count && messages;
        },
        timeoutMs,
      ),
    async stop() {
      await server.stop();
    },
  };
}
