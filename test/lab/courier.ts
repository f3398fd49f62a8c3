import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from './certificate.ts';
import { MAIL_ACCOUNT } from './dovecot.ts';
import { IN_OWN_ROOT, OWN_ROOTS } from './exim.ts';
import type { Namespace } from './namespaces.ts';
import { MAIL_USER_ID } from './postfix.ts';
import { until } from './process.ts';

export interface CourierOptions {
  readonly namespace: Namespace;
  readonly folder: string;
  readonly address: string;
  readonly certificate: Certificate;
  /** Of the lab's one user; without it the one that all servers know. */
  readonly password?: string;
}

export interface Courier {
  /** couriertcpd's standard error: sessions, logins and failures. */
  log(): string;
  deliver(message: string): void;
  stop(): Promise<void>;
}

export const isCourierUnpacked = () => existsSync(join(OWN_ROOTS, 'courier', '.complete'));

/**
 * Courier's own start scripts put its daemons in the background and log to syslog. This one does what they do, in the
 * foreground: the settings file becomes the environment, couriertcpd listens, the login program runs the server.
 */
function script({ folder, address, certificate, password = MAIL_ACCOUNT.password }: CourierOptions): string {
  return `set -e
mkdir -p /run/courier/authdaemon && chown courier /run/courier/authdaemon
sed -i 's/^authmodulelist=.*/authmodulelist="authuserdb"/' /etc/courier/authdaemonrc
userdb ${MAIL_ACCOUNT.user} set uid=${MAIL_USER_ID} gid=${MAIL_USER_ID} home=${folder}/home mail=${folder}/home/Maildir \\
  systempw="$(openssl passwd -6 ${password})"
chmod 700 /etc/courier/userdb
makeuserdb
/usr/lib/courier/courier-authlib/authdaemond >>${folder}/auth.log 2>&1 &
serve() {
  settings=$1 port=$2
  shift 2
  (
    set -a
    . /etc/courier/$settings-ssl
    . /etc/courier/$settings
    TLS_CERTFILE=${folder}/server.pem IMAP_STARTTLS=YES POP3_STARTTLS=YES TLS_CACHEFILE=
    set +a
    exec /usr/sbin/couriertcpd -address=${address} -maxprocs=1000 -maxperip=1000 -nodnslookup -noidentlookup "$port" "$@"
  ) >>${folder}/courier.log 2>&1 &
}
cat ${certificate.key} ${certificate.certificate} >${folder}/server.pem
chown courier ${folder}/server.pem
cd /usr
serve imapd 143 /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir
serve pop3d 110 /usr/lib/courier/courier/courierpop3login /usr/lib/courier/courier/courierpop3d Maildir
wait
`;
}

export async function startCourier(options: CourierOptions): Promise<Courier> {
  const { namespace, folder } = options;
  const maildir = join(folder, 'home', 'Maildir');
  for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(maildir, part), { recursive: true });
  for (const owned of [join(folder, 'home'), maildir, ...['cur', 'new', 'tmp'].map((part) => join(maildir, part))]) {
    chownSync(owned, MAIL_USER_ID, MAIL_USER_ID);
  }
  const log = join(folder, 'courier.log');
  writeFileSync(log, '');
  const own = [IN_OWN_ROOT, join(OWN_ROOTS, 'courier'), folder];
  const server = namespace.start([...own, '/bin/sh', '-c', script(options)]);
  await until('Courier to listen', async () => {
    const listening = await namespace.must(['ss', '-ltnH', 'src', options.address]);
    return listening.includes(':143') && listening.includes(':110');
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${server.output()}${readFileSync(log, 'latin1')}`);
  });
  let delivered = 0;
  return {
    log: () => readFileSync(log, 'latin1'),
    deliver(message) {
      const path = join(maildir, 'new', `${Date.now()}.${++delivered}.lab`);
      writeFileSync(path, message, 'latin1');
      chownSync(path, MAIL_USER_ID, MAIL_USER_ID);
    },
    async stop() {
      await server.stop();
    },
  };
}
