import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from './certificate.ts';
import type { Namespace } from './namespaces.ts';
import { MAIL_USER_ID } from './postfix.ts';
import { until } from './process.ts';

/** The one mail user of the lab, at every server. */
export const MAIL_ACCOUNT = { user: 'u1', password: 'Tr0ub4dor-3' } as const;

export interface DovecotOptions {
  readonly namespace: Namespace;
  readonly folder: string;
  readonly addresses: readonly string[];
  readonly certificate: Certificate;
}

export interface Dovecot {
  log(): string;
  readonly saslSocket: string;
  /** Puts a message into the user's INBOX behind the server's back. */
  deliver(message: string): void;
  inbox(): string[];
  stop(): Promise<void>;
}

function configuration(options: DovecotOptions, log: string): string {
  const { folder, certificate } = options;
  return `
protocols = imap pop3
base_dir = ${folder}/run
state_dir = ${folder}/state
listen = ${options.addresses.join(', ')}
log_path = ${log}
auth_verbose = yes
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 digest-md5 apop
ssl = yes
ssl_cert = <${certificate.certificate}
ssl_key = <${certificate.key}
mail_location = maildir:${folder}/mail/%u
mail_uid = ${MAIL_USER_ID}
mail_gid = ${MAIL_USER_ID}
first_valid_uid = 1
# Load runs come from one address.
mail_max_userip_connections = 2000
default_client_limit = 8000
default_process_limit = 2000
passdb {
  driver = passwd-file
  args = scheme=PLAIN ${folder}/users
}
userdb {
  driver = static
  args = uid=${MAIL_USER_ID} gid=${MAIL_USER_ID} home=${folder}/mail/%u
}
service auth {
  unix_listener lab-sasl {
    mode = 0666
  }
}
service imap-login {
  inet_listener imaps {
    port = 993
    ssl = yes
  }
}
service stats {
  client_limit = 8000
}
`;
}

export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const { namespace, folder } = options;
  const log = join(folder, 'dovecot.log');
  const maildir = join(folder, 'mail', MAIL_ACCOUNT.user);
  for (const made of ['run', 'state', 'mail']) mkdirSync(join(folder, made), { recursive: true });
  for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(maildir, part), { recursive: true });
  for (const owned of [join(folder, 'mail'), maildir, ...['cur', 'new', 'tmp'].map((part) => join(maildir, part))]) {
    chownSync(owned, MAIL_USER_ID, MAIL_USER_ID);
  }
  writeFileSync(join(folder, 'users'), `${MAIL_ACCOUNT.user}:{PLAIN}${MAIL_ACCOUNT.password}\n`, { mode: 0o644 });
  writeFileSync(join(folder, 'dovecot.conf'), configuration(options, log));
  writeFileSync(log, '');
  const server = namespace.start(['dovecot', '-F', '-c', join(folder, 'dovecot.conf')]);
  await until('Dovecot to listen', async () => {
    const listening = await namespace.must(['ss', '-ltnH', 'sport', '=', ':143']);
    return listening.includes(':143');
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${server.output()}${readFileSync(log, 'latin1')}`);
  });
  let delivered = 0;
  return {
    log: () => readFileSync(log, 'latin1'),
    saslSocket: join(folder, 'run', 'lab-sasl'),
    deliver(message) {
      const path = join(maildir, 'new', `${Date.now()}.${++delivered}.lab`);
      writeFileSync(path, message, 'latin1');
      chownSync(path, MAIL_USER_ID, MAIL_USER_ID);
    },
    inbox: () =>
      ['cur', 'new'].flatMap((part) =>
        readdirSync(join(maildir, part)).map((name) => readFileSync(join(maildir, part, name), 'latin1')),
      ),
    async stop() {
      await server.stop();
    },
  };
}
