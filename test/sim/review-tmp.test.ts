import { describe, it } from 'vitest';
import { loadAddon, loadPatterns } from '../../src/native/addon.ts';
import { applicationSmtp } from '../transcripts/application-policy.ts';
import { buildCapture } from './capture-builder.ts';
import { policyFor, runWithContent } from './content-run.ts';
import { runPlainly } from './plain-run.ts';
import { Random } from './random.ts';

const addon = loadAddon();
const patterns = loadPatterns();
const b64 = (s: string) => Buffer.from(s).toString('base64');
const H = 'From: a@b\r\n';
const mp = (b: string, more = '') => `Content-Type: multipart/mixed; boundary=${b}${more}\r\n\r\n`;
const M: Record<string, string> = {
  header: `${H}Subject: my lottery\r\n\r\nx\r\n`,
  headerSpaceColon: `${H}Subject : my lottery\r\n\r\nx\r\n`,
  headerFold: `${H}Subject:\r\n my lottery\r\n\r\nx\r\n`,
  header2047: `${H}Subject: =?utf-8?B?${b64('my lot')}?= =?utf-8?q?tery?=\r\n\r\nx\r\n`,
  header2047fold: `${H}Subject: =?utf-8?B?${b64('my lot')}?=\r\n =?utf-8?q?tery?=\r\n\r\nx\r\n`,
  header2047charset: `${H}Subject: =?utf-16be?B?${Buffer.from('\0m\0y\0 \0l\0o\0t\0t\0e\0r\0y', 'latin1').toString('base64')}?=\r\n\r\nx\r\n`,
  header2047lang: `${H}Subject: =?utf-8*en?Q?my_lottery?=\r\n\r\nx\r\n`,
  headerLf: `${H}X: a\nSubject: my lottery\r\n\r\nx\r\n`,
  headerCr: `${H}X: a\rSubject: my lottery\r\n\r\nx\r\n`,
  headerNul: `${H}Sub\0ject: my lottery\r\n\r\nx\r\n`,
  headerLast: `${H}Subject: my lottery\r\n`,
  headerFirstLineSpace: ` x\r\n${H}Subject: my lottery\r\n\r\nx\r\n`,
  headerBlankSpaceLine: `${H} \r\nSubject: my lottery\r\n\r\nx\r\n`,
  headerMbox: `From x Mon\r\nSubject: my lottery\r\n\r\nx\r\n`,
  headerMboxQ: `>From x\r\nSubject: my lottery\r\n\r\nx\r\n`,
  headerAfterJunk: `junk line\r\nSubject: my lottery\r\n\r\nx\r\n`,
  headerDotStuffed: `..x: y\r\nSubject: my lottery\r\n\r\nx\r\n`,
  headerLong: `${H}X: ${'y'.repeat(70000)}\r\nSubject: my lottery\r\n\r\nx\r\n`,
  headerLong900: `${H}${`X: ${'y'.repeat(900)}\r\n`.repeat(100)}Subject: my lottery\r\n\r\nx\r\n`,
  headerMany: `${H}${'X: y\r\n'.repeat(3000)}Subject: my lottery\r\n\r\nx\r\n`,
  header2047long: `${H}Subject: ${`=?utf-8?q?${'=61'.repeat(15)}?=\r\n `.repeat(200)}=?utf-8?q?Subject:_my_lottery?=\r\n\r\nx\r\n`,
  body: `${H}\r\nxx UD-42\r\n`,
  bodyEnd: `${H}\r\nUD-42\r\n`,
  bodyStuffed: `${H}\r\n..UD-42\r\n`,
  bodySplitStuffed: `${H}\r\nUD\r\n-42\r\n`,
  bodyBinary: `${H}Content-Transfer-Encoding: binary\r\n\r\nUD-42\r\n`,
  bodyUnknownEnc: `${H}Content-Transfer-Encoding: x-foo\r\n\r\nUD-42\r\n`,
  bodyEmptyEnc: `${H}Content-Transfer-Encoding: \r\n\r\nUD-42\r\n`,
  bodyTwoEnc: `${H}Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n\r\nUD-42\r\n`,
  bodyTwoEnc2: `${H}Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42 x')}\r\n`,
  bodyEncSpace: `${H}Content-Transfer-Encoding : base64\r\n\r\n${b64('UD-42 x')}\r\n`,
  b64: `${H}Content-Transfer-Encoding: base64\r\n\r\n${b64('hello UD-42 x')}\r\n`,
  b64upperComment: `${H}Content-Transfer-Encoding: (x) BASE64 (y)\r\n\r\n${b64('hello UD-42 x')}\r\n`,
  b64semi: `${H}Content-Transfer-Encoding: base64;\r\n\r\n${b64('hello UD-42 x')}\r\n`,
  b64quoted: `${H}Content-Transfer-Encoding: "base64"\r\n\r\n${b64('hello UD-42 x')}\r\n`,
  b64garbage: `${H}Content-Transfer-Encoding: base64\r\n\r\n${[...b64('hello UD-42 x')].join('!\r\n')}\r\n`,
  b64padmid: `${H}Content-Transfer-Encoding: base64\r\n\r\n${b64('hello U')}${b64('D-42 x')}\r\n`,
  b64nopad: `${H}Content-Transfer-Encoding: base64\r\n\r\n${b64('x UD-42').replace(/=+/, '')}\r\n`,
  b64octet: `${H}Content-Type: application/octet-stream; name=x\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('hello UD-42 x')}\r\n`,
  octet7: `${H}Content-Type: application/octet-stream; name=x\r\n\r\nhello UD-42 x\r\n`,
  typeBadMime: `${H}Content-Type: foo\r\n\r\nhello UD-42 x\r\n`,
  typeAppText: `${H}Content-Type: text\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('hello UD-42 x')}\r\n`,
  qp: `${H}Content-Transfer-Encoding: quoted-printable\r\n\r\nU=44-=\r\n42\r\n`,
  qpsp: `${H}Content-Transfer-Encoding: quoted-printable\r\n\r\nU=44-= \t\r\n42\r\n`,
  qplower: `${H}Content-Transfer-Encoding: quoted-printable\r\n\r\nU=44=2d42\r\n`,
  mp: `${mp('B')}--B\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n--B--\r\n`,
  mpQuoted: `${mp('"B B"')}--B B\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n--B B--\r\n`,
  mp2231: `Content-Type: multipart/mixed; boundary*0=B; boundary*1=C\r\n\r\n--BC\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n--BC--\r\n`,
  mp2231pct: `Content-Type: multipart/mixed; boundary*=us-ascii''B%43\r\n\r\n--BC\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n--BC--\r\n`,
  mpTwoBoundaries: `Content-Type: multipart/mixed; boundary=A; boundary=B\r\n\r\n--B\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n--B--\r\n`,
  mpTwoBoundaries2: `Content-Type: multipart/mixed; boundary=B; boundary=A\r\n\r\n--B\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n--B--\r\n`,
  mpTwoTypes: `Content-Type: text/plain\r\n${mp('B')}--B\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n--B--\r\n`,
  mpTwoTypes2: `Content-Type: multipart/mixed; boundary=B\r\nContent-Type: text/plain\r\n\r\n--B\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n--B--\r\n`,
  mpEpilogue: `${mp('B')}--B\r\n\r\nx\r\n--B--\r\nUD-42\r\n`,
  mpPreamble: `${mp('B')}UD-42\r\n--B\r\n\r\nx\r\n--B--\r\n`,
  mpAfterEnd: `${mp('B')}--B\r\n\r\nx\r\n--B--\r\n--B\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n`,
  mpEnc64: `Content-Transfer-Encoding: base64\r\n${mp('B')}--B\r\n\r\nUD-42\r\n--B--\r\n`,
  mpEnc64part: `Content-Transfer-Encoding: base64\r\n${mp('B')}--B\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n--B--\r\n`,
  mpWhole64: `Content-Transfer-Encoding: base64\r\n${mp('B')}${b64('--B\r\n\r\nUD-42\r\n--B--')}\r\n`,
  rfc822: `Content-Type: message/rfc822\r\n\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n`,
  rfc822b64: `Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('Subject: x\r\n\r\nUD-42\r\n')}\r\n`,
  mpPrefix: `${mp('B')}--BX\r\n\r\ny\r\n--B \t\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n--B--\r\n`,
  mpLF: `${mp('B')}--B\nContent-Transfer-Encoding: base64\n\n${b64('UD-42')}\n--B--\r\n`,
  mpSpaceParam: `Content-Type: multipart/mixed; boundary = B\r\n\r\n--B\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n--B--\r\n`,
  mpComment: `Content-Type: multipart/mixed (c); (d) boundary=B (e)\r\n\r\n--B\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n--B--\r\n`,
  mpNoSemi: `Content-Type: multipart/mixed boundary=B\r\n\r\n--B\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n--B--\r\n`,
  mpEmptyBoundary: `Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n----\r\n`,
  mpLongBoundary: `${mp('B'.repeat(300))}--${'B'.repeat(300)}\r\nContent-Transfer-Encoding: base64\r\n\r\n${b64('UD-42')}\r\n`,
  imageMime: `${H}Content-Type: image/png\r\n\r\nx\r\n`,
  imageNoMime: `${H}content-type:IMAGE/png\r\n\r\nx\r\n`,
};
const TEXT = (m: string[]) => ({
  maps: { 'HH': ['lottery'], BB: ['UD-42'], TT: ['image/'] },
  classes: { C: ['match-any', ...m] }, policy: { C: 'reset' },
});
describe('r', () => {
  it('runs', async () => {
    const pol = {
      header: await policyFor(patterns, TEXT(['header regex HH'])),
      body: await policyFor(patterns, TEXT(['body regex BB'])),
      decoded: await policyFor(patterns, TEXT(['body regex BB decoded'])),
      type: await policyFor(patterns, TEXT(['mime content-type regex TT'])),
    };
    const out: string[] = [];
    for (const [name, msg] of Object.entries(M)) {
      const rows = [
        { from: 'responder', octets: '220 mx.example\r\n' }, { from: 'initiator', octets: 'EHLO x\r\n' },
        { from: 'responder', octets: '250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n' },
        { from: 'initiator', octets: 'MAIL FROM:<a@b.example>\r\nRCPT TO:<u@c.example>\r\n' },
        { from: 'responder', octets: '250 ok\r\n250 ok\r\n' },
        { from: 'initiator', octets: `BDAT ${msg.length} LAST\r\n${msg}` },
        { from: 'responder', octets: '250 queued\r\n' }, { from: 'initiator', octets: 'QUIT\r\n' }, { from: 'responder', octets: '221 bye\r\n' },
      ] as const;
      const res: string[] = [];
      for (const [k, policy] of Object.entries(pol)) {
        const wanted = name.startsWith('header') ? 'header' : name.startsWith('image') ? 'type' : 'body decoded';
        if (!wanted.includes(k)) continue;
        const plain = runPlainly(applicationSmtp, policy, rows);
        const cap = buildCapture(plain.bursts, { version: 4, port: 25 }, { chunkBytes: 1400, reorderPercent: 0, duplicatePercent: 0, alteredPercent: 0, acknowledgePercent: 100 }, new Random(1));
        const r = runWithContent(addon, cap, policy);
        res.push(`${k}=${r.refusedFor ?? '-'}`);
      }
      out.push(`${name.padEnd(24)} ${res.join(' ')}`);
    }
    console.log(out.join('\n'));
  }, 60000);
});
