import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Inspector } from '../../src/inspect/inspector.ts';
import { imap } from '../../src/protocols/imap/machine.ts';
import { pop3 } from '../../src/protocols/pop3/machine.ts';
import { smtp } from '../../src/protocols/smtp/machine.ts';
import { defaultSmtpPolicy } from '../../src/protocols/smtp/policy.ts';
import { tls } from '../../src/protocols/tls/machine.ts';
import type { Row, TranscriptCase } from './markdown.ts';
import { problemOfSegments } from './runner.ts';
import { helloOf } from './tls-octets.ts';

/** Octets of any kind, with the words among them that open the deeper states, in two random ways of splitting. */
const WORDS = [
  ...[
    'EHLO x\r\n',
    'MAIL FROM:<a@b>\r\n',
    'RCPT TO:<c@d>\r\n',
    'DATA\r\n',
    'BDAT 4\r\n',
    'BDAT 3 LAST\r\n',
    '\r\n.\r\n',
  ],
  ...['STARTTLS\r\n', 'AUTH LOGIN\r\n', 'QUIT\r\n', 'USER u\r\n', 'PASS p\r\n', 'RETR 1\r\n', 'STLS\r\n', 'CAPA\r\n'],
  ...[
    'a NOOP\r\n',
    'a LOGIN {2}\r\n',
    'a LOGIN {2+}\r\n',
    'a APPEND x {3}\r\n',
    'a IDLE\r\n',
    'a STARTTLS\r\n',
    'DONE\r\n',
  ],
  ...['250 ok\r\n', '250-CHUNKING\r\n', '354 go\r\n', '334 \r\n', '220 go\r\n', '550 no\r\n', '+OK\r\n', '-ERR\r\n'],
  ...[
    '+ go\r\n',
    'a OK\r\n',
    'a NO\r\n',
    '* BYE\r\n',
    '* X {3}\r\n',
    '\x16\x03\x01\x00\x05',
    '\x15\x03\x03\x00\x02\x02\x28',
  ],
  ...[helloOf('initiator', '1.3'), helloOf('responder', '1.3'), helloOf('responder', '1.0')],
  ...['\r', '\n', '\r\n', '\0', ' ', '.', '\n.\n', '{', '}', '"', '*', '\xff'],
];
const octets = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...WORDS) },
      fc.uint8Array({ minLength: 1, maxLength: 6 }).map((bytes) => String.fromCharCode(...bytes)),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.join(''));
const dialogue = fc.array(fc.record({ from: fc.constantFrom('initiator' as const, 'responder' as const), octets }), {
  minLength: 1,
  maxLength: 8,
});
const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 });

/** What a side says until the other one speaks, in pieces of these lengths, over and over. */
function cut(rows: readonly Row[], pieces: readonly number[]): readonly Row[] {
  const bursts: Row[] = [];
  for (const { from, octets: said } of rows) {
    const last = bursts.at(-1);
    if (last?.from === from) bursts[bursts.length - 1] = { from, octets: last.octets + said };
    else bursts.push({ from, octets: said });
  }
  let turn = 0;
  return bursts.flatMap(({ from, octets: said }) => {
    const segments: Row[] = [];
    for (let at = 0; at < said.length; turn += 1) {
      const length = pieces[turn % pieces.length] ?? 1;
      segments.push({ from, octets: said.slice(at, at + length) });
      at += length;
    }
    return segments;
  });
}

const MAILBOX = { secureLogin: false, reset: false, hostname: 'fw.example', invalidCommand: 'refuse' };
const of = (inspector: unknown): Inspector<unknown, object> => inspector as Inspector<unknown, object>;
const S = (octets: string): Row => ({ from: 'responder', octets });
const HELLO: Row = { from: 'initiator', octets: helloOf('initiator', '1.3') };
const SUITES: readonly (readonly [string, Inspector<unknown, object>, object, Row])[] = [
  ['smtp', of(smtp), defaultSmtpPolicy, S('220 mx\r\n')],
  [
    'smtp with open verbs and chunks',
    of(smtp),
    { ...defaultSmtpPolicy, verbs: 'open', chunking: 'allow' },
    S('220 mx\r\n'),
  ],
  ['smtp, strict', of(smtp), { ...defaultSmtpPolicy, lineEndings: 'strict' }, S('220 mx\r\n')],
  ['pop3', of(pop3), MAILBOX, S('+OK hi\r\n')],
  [
    'pop3 with secure login, passing',
    of(pop3),
    { ...MAILBOX, secureLogin: true, invalidCommand: 'pass' },
    S('+OK hi\r\n'),
  ],
  ['imap', of(imap), MAILBOX, S('* OK [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n')],
  [
    'imap with secure login, passing',
    of(imap),
    { ...MAILBOX, secureLogin: true, invalidCommand: 'pass' },
    S('* OK hi\r\n'),
  ],
  ['imap, strict', of(imap), { ...MAILBOX, lineEndings: 'strict' }, S('* OK [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n')],
  ['tls', of(tls), {}, HELLO],
];

it.each(SUITES)(
  'any octets come to the same end in any two ways of splitting: %s',
  (_name, inspector, policy, opening) => {
    fc.assert(
      fc.property(dialogue, lengths, lengths, fc.boolean(), (said, one, other, greeted) => {
        const rows: readonly Row[] = greeted ? [opening, ...said] : said;
        const transcript: TranscriptCase = { title: '', rows, policy: {}, expected: [], never: [] };
        // Whatever is thrown fails the property, too.
        for (const pieces of [one, other])
          expect(problemOfSegments({ inspector, policy }, transcript, cut(rows, pieces))).toBeUndefined();
      }),
      { numRuns: 400 },
    );
  },
  60_000,
);
