import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Inspector } from '../../src/inspect/inspector.ts';
import { imap } from '../../src/protocols/imap/machine.ts';
import { pop3 } from '../../src/protocols/pop3/machine.ts';
import { smtp } from '../../src/protocols/smtp/machine.ts';
import { defaultSmtpPolicy } from '../../src/protocols/smtp/policy.ts';
import type { Row, TranscriptCase } from './markdown.ts';
import { problemOfSplitting } from './runner.ts';

/** What opens another protocol, what nearly does, and what mail says in its place. */
const CLIENT = [
  ...[
    'GET / HTTP/1.1',
    'POST http://x/',
    'DELETE https://x',
    'OPTIONS *',
    'PRI * HTTP/2.0',
    'CONNECT x:25',
    'SSH-2.0-x',
  ],
  ...['\x16\x03\x01\x02', '\x15\x03', '\x80\x2e\x01', 'GET', 'GET x', 'SSH-2.0-x NOOP', 'CONNECT NOOP', 'PUT', 'PRI'],
  ...['NOOP', 'a NOOP', 'HELP', 'CAPA', 'DATA', 'DELE 1', 'STLS', 'STARTTLS', 'a STARTTLS', 'GET NOOP', 'SEND'],
];
const SERVER = [
  'SSH-2.0-x',
  'HTTP/1.1 400 no',
  '\x15\x03\x01',
  'Sorry',
  'HTTQ',
  '220 mx',
  '+OK',
  '* OK hi',
  '250 ok',
  '-ERR',
];
const SPOILS = ['', '', '', ' ', '\0', '\r', '/', '\x16', 'h', '\n'];

function rowsOf(from: Row['from'], lines: readonly string[]): fc.Arbitrary<Row> {
  return fc
    .tuple(fc.constantFrom(...lines), fc.nat(14), fc.constantFrom(...SPOILS), fc.constantFrom('\r\n', '\r\n', '\n', ''))
    .map(([text, at, spoil, end]) => ({ from, octets: `${text.slice(0, at)}${spoil}${text.slice(at)}${end}` }))
    .filter(({ octets }) => octets !== '');
}

const GREETINGS: readonly (readonly Row[])[] = [
  [],
  ...['220 mx\r\n', '+OK hi\r\n', '* OK hi\r\n'].map((octets) => [{ from: 'responder', octets } as const]),
];
const dialogues = fc
  .tuple(
    fc.constantFrom(...GREETINGS),
    fc.array(fc.oneof(rowsOf('initiator', CLIENT), rowsOf('responder', SERVER)), { minLength: 1, maxLength: 6 }),
  )
  .map(([greeting, rows]) => [...greeting, ...rows]);

const MAILBOX = { secureLogin: false, reset: false, hostname: 'fw.example' };
const SUITES: readonly (readonly [string, Inspector<unknown, object>, object])[] = [
  ['smtp', smtp as Inspector<unknown, object>, defaultSmtpPolicy],
  ['smtp, open verbs', smtp as Inspector<unknown, object>, { ...defaultSmtpPolicy, verbs: 'open' }],
  [
    'smtp, strict, dropping',
    smtp as Inspector<unknown, object>,
    { ...defaultSmtpPolicy, lineEndings: 'strict', illegal: 'drop' },
  ],
  ['pop3', pop3 as Inspector<unknown, object>, MAILBOX],
  ['pop3, unknown commands pass', pop3 as Inspector<unknown, object>, { ...MAILBOX, invalidCommand: 'pass' }],
  ['imap', imap as Inspector<unknown, object>, MAILBOX],
  ['imap, unknown commands pass', imap as Inspector<unknown, object>, { ...MAILBOX, invalidCommand: 'pass' }],
  ['imap, strict', imap as Inspector<unknown, object>, { ...MAILBOX, lineEndings: 'strict' }],
];

it.each(SUITES)(
  'another protocol, or nearly, comes to the same end in every way of splitting: %s',
  (_name, inspector, policy) => {
    fc.assert(
      fc.property(dialogues, (rows) => {
        const transcript: TranscriptCase = { title: '', rows, policy: {}, expected: [], never: [] };
        expect(problemOfSplitting({ inspector, policy }, transcript)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  },
);
