import { join } from 'node:path';
import { must } from './process.ts';

export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** A self-signed certificate: the lab's clients do not verify it, they only have to get through the handshake. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const made = { certificate: join(folder, 'lab.crt'), key: join(folder, 'lab.key') };
  const subject = ['-subj', '/CN=server.lab.example', '-days', '2'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await must(['openssl', 'req', '-x509', ...kind, '-keyout', made.key, '-out', made.certificate, ...subject]);
  return made;
}
