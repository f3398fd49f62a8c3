import type { PolicyText } from '../transcripts/application-policy.ts';
import type { Row } from '../transcripts/markdown.ts';
import type { Random } from './random.ts';

/** A message sent under a policy that looks into it. */
export interface ContentCase {
  readonly text: PolicyText;
  readonly rows: readonly Row[];
  /** Without dot-stuffing and its end. */
  readonly message: string;
  /** Octets of the message as the initiator frames them: mail data with its end, or all chunks. */
  readonly messageBytes: number;
  /** The same without the line that ends mail data. */
  readonly dataBytes: number;
  /** Where the message ends in what the initiator sends. */
  readonly messageEnd: number;
}

const MAPS = { H: ['Subject:.*lottery'], B: ['UD-42'], D: ['UD-42'], T: ['image/'] };
const MATCHES: Readonly<Record<string, string>> = {
  CH: 'header regex H',
  CB: 'body regex B',
  CD: 'body regex D decoded',
  CT: 'mime content-type regex T',
  CE: 'mime encoding base64',
  CL: 'data-length gt 200',
  CX: 'header length gt 90',
};

export function contentCase(random: Random): ContentCase {
  const message = messageOf(random);
  const rows: Row[] = [
    { from: 'responder', octets: '220 mx.example\r\n' },
    { from: 'initiator', octets: 'EHLO x\r\n' },
    { from: 'responder', octets: '250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n' },
    { from: 'initiator', octets: 'MAIL FROM:<a@b.example>\r\nRCPT TO:<u@c.example>\r\n' },
    { from: 'responder', octets: '250 ok\r\n250 ok\r\n' },
  ];
  const sent = random.chance(50) ? asData(message) : asChunks(message, random);
  rows.push(...sent.rows, { from: 'responder', octets: '250 queued\r\n' });
  const messageEnd = rows.reduce((sum, { from, octets }) => sum + (from === 'initiator' ? octets.length : 0), 0);
  rows.push({ from: 'initiator', octets: 'QUIT\r\n' }, { from: 'responder', octets: '221 bye\r\n' });
  return { text: policyOf(random), rows, message, messageBytes: sent.bytes, dataBytes: sent.dataBytes, messageEnd };
}

function policyOf(random: Random): PolicyText {
  const names = Object.keys(MATCHES).filter(() => random.chance(80));
  if (names.length === 0) names.push('CB');
  return {
    maps: MAPS,
    classes: Object.fromEntries(names.map((name) => [name, ['match-any', MATCHES[name] ?? '']])),
    policy: Object.fromEntries(
      names.map((name) => [name, random.pick(['log', 'log', 'log', 'reset', 'reset, shadow'])]),
    ),
  };
}

function messageOf(random: Random): string {
  const fields = ['From: a@b.example', `Subject: ${random.pick(['a lottery', 'hello', 'a\r\n lottery'])}`];
  if (random.chance(40)) fields.push(`X-Long: ${'x'.repeat(random.below(100))}`);
  if (random.chance(50)) return `${fields.join('\r\n')}\r\n${partOf(random)}`;
  fields.push('Content-Type: multipart/mixed; boundary="=b"');
  const parts = Array.from({ length: 1 + random.below(3) }, () => `--=b\r\n${partOf(random)}`);
  return `${fields.join('\r\n')}\r\n\r\npreamble\r\n${parts.join('')}--=b--\r\n`;
}

/** The rest of a header, and a body. */
function partOf(random: Random): string {
  const base64 = random.chance(40);
  const fields = random.chance(60)
    ? [`Content-Type: ${random.pick(['text/plain', 'image/png', 'image/jpeg; n=1'])}`]
    : [];
  if (base64) fields.push('Content-Transfer-Encoding: base64');
  const lines = Array.from({ length: 1 + random.below(6) }, () =>
    random.pick(['some words of text', 'ab', 'here UD-42 stands', 'UD-4 alone', '. a dot', 'x'.repeat(70), '']),
  );
  const body = lines.map((line) => `${line}\r\n`).join('');
  const encoded = Buffer.from(body, 'latin1')
    .toString('base64')
    .replace(/.{1,60}/g, '$&\r\n');
  return `${fields.map((field) => `${field}\r\n`).join('')}\r\n${base64 ? encoded : body}`;
}

interface Sent {
  readonly rows: readonly Row[];
  readonly bytes: number;
  readonly dataBytes: number;
}

function asData(message: string): Sent {
  const octets = `${message.replace(/^\./gm, '..')}.\r\n`;
  const rows: readonly Row[] = [
    { from: 'initiator', octets: 'DATA\r\n' },
    { from: 'responder', octets: '354 go\r\n' },
    { from: 'initiator', octets },
  ];
  return { rows, bytes: octets.length, dataBytes: octets.length - '.\r\n'.length };
}

/** Chunks, some of which wait for the answer to the one before; the last may have no octets. */
function asChunks(message: string, random: Random): Sent {
  const rows: Row[] = [];
  const empty = random.chance(30);
  for (let at = 0; at < message.length; ) {
    const length = Math.min(message.length - at, 1 + random.below(200));
    const last = !empty && at + length === message.length;
    rows.push({
      from: 'initiator',
      octets: `BDAT ${length}${last ? ' LAST' : ''}\r\n${message.slice(at, at + length)}`,
    });
    if (!last && random.chance(50)) rows.push({ from: 'responder', octets: '250 ok\r\n' });
    at += length;
  }
  if (empty) rows.push({ from: 'initiator', octets: 'BDAT 0 LAST\r\n' });
  return { rows, bytes: message.length, dataBytes: message.length };
}
