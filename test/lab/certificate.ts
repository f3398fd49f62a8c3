import { join } from 'node:path';
import { ADDRESSES } from './lab.ts';
import { must } from './process.ts';

export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** mbsync insists on a name that it finds in the certificate, and knows addresses as names only. */
const NAMES = ['server.lab.example', ADDRESSES.server.v4, ADDRESSES.courier.v4].map((name) => `DNS:${name}`).join(',');

/** A self-signed certificate: most clients of the lab do not verify it, they only have to get through the handshake. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const made = { certificate: join(folder, 'lab.crt'), key: join(folder, 'lab.key') };
  const subject = ['-subj', '/CN=server.lab.example', '-days', '2', '-addext', `subjectAltName=${NAMES}`];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await must(['openssl', 'req', '-x509', ...kind, '-keyout', made.key, '-out', made.certificate, ...subject]);
  return made;
}
