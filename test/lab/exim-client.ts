import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIM_USER_ID, IN_OWN_ROOT, OWN_ROOTS } from './exim.ts';
import type { Namespace } from './namespaces.ts';

/** An Exim that sends: with CHUNKING offered it uses BDAT, which Postfix as a client never does. */
export interface EximClient {
  /** Tries the delivery once, at once, and answers what the log says of it. */
  send(message: string, from: string, to: string): Promise<string>;
}

const configuration = (folder: string, server: string, overTls: boolean): string => `
primary_hostname = client.lab.example
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
never_users =
message_size_limit = 50M
qualify_domain = example.org
untrusted_set_sender = *
begin routers
smart:
  driver = manualroute
  domains = example.com
  transport = remote
  route_list = * ${server} byname
  self = send
bounces:
  driver = redirect
  data = :blackhole:
begin transports
remote:
  driver = smtp
  ${overTls ? 'hosts_require_tls = *\n  tls_verify_hosts =\n  tls_try_verify_hosts =' : 'hosts_avoid_tls = *'}
  dnssec_request_domains =
begin retry
* * F,1h,5s
`;

/** With `overTls` it delivers over TLS or not at all; otherwise it never asks for TLS. */
export function eximClient(
  namespace: Namespace,
  folder: string,
  server: string,
  { overTls = false }: { readonly overTls?: boolean } = {},
): EximClient {
  for (const made of ['', 'spool', 'log']) {
    mkdirSync(join(folder, made), { recursive: true });
    chownSync(join(folder, made), EXIM_USER_ID, EXIM_USER_ID);
  }
  const file = join(folder, 'exim.conf');
  writeFileSync(file, configuration(folder, server, overTls), { mode: 0o644 });
  const log = join(folder, 'log', 'mainlog');
  const read = () => (existsSync(log) ? readFileSync(log, 'latin1') : '');
  const program = [IN_OWN_ROOT, join(OWN_ROOTS, 'exim'), folder, '/usr/sbin/exim4', '-C', file, '-odf', '-oi'];
  return {
    async send(message, from, to) {
      const before = read().length;
      const input = Buffer.from(message.replaceAll('\r\n', '\n'), 'latin1');
      await namespace.run([...program, '-f', from, to], { input, timeoutMs: 120_000 });
      return read().slice(before);
    },
  };
}
