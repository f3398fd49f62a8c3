import fc from 'fast-check';
import { expect, it } from 'vitest';
import { smtp } from '../../src/protocols/smtp/machine.ts';
import { defaultSmtpPolicy } from '../../src/protocols/smtp/policy.ts';
import type { Row } from './markdown.ts';
import { problemOfSplitting } from './runner.ts';

const CLIENT = [
  ...['EHLO x', 'HELO x', 'MAIL FROM:<a@b.example>', 'MAIL FROM :<a>', 'RCPT TO:<u@c.example>', 'RCPT TO:<|x>', 'DATA'],
  ...[
    'RSET',
    'NOOP',
    'QUIT',
    'AUTH LOGIN',
    'dQ==',
    '*',
    'STARTTLS',
    'VRFY x',
    'XYZZY 1',
    'BDAT 3',
    'BDAT 2 LAST',
    'xyz',
  ],
  ...['', '.', 'Subject: x', '\x16\x03\x01\x01\x00\x01rest', ' NOOP', 'NOOP\t1', 'DATA '],
];
const SERVER = [
  ...['220 hi', '250 ok', '250-mx', '250-SIZE', '250-CHUNKING', '250 XCLIENT', '354 go', '334 x', '235 ok', '550 no'],
  ...['500 what', '501-no', '501 no', '221 bye', '421 bye', '', '25', '\x16\x03\x03\x01\x00\x02rest', '250 a\rb'],
];
const SPOILS = ['', '', '', '', '\0', '\r', '\n', '|', ' ', '\x7f', '.'];

/** A line of either side, mostly as it should be, sometimes with an octet put in or another line end. */
function rowsOf(from: Row['from'], lines: readonly string[]): fc.Arbitrary<Row> {
  const end = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r\r\n', '');
  return fc
    .tuple(fc.constantFrom(...lines), fc.nat(12), fc.constantFrom(...SPOILS), end)
    .map(([text, at, spoil, ending]) => ({
      from,
      octets: text.slice(0, at) + spoil + text.slice(at) + ending,
    }));
}

const dialogues = fc
  .array(fc.oneof(rowsOf('initiator', CLIENT), rowsOf('responder', SERVER)), { minLength: 1, maxLength: 14 })
  .map((rows) => [{ from: 'responder', octets: '220 mx.example\r\n' } as const, ...rows])
  .map((rows) => rows.filter((row) => row.octets !== ''));

it.each([
  ['as shipped', {}],
  ['with chunking', { chunking: 'allow' }],
  ['with smtp alone, dropping', { extended: false, illegal: 'drop' }],
  ['with little room', { maxDataBytes: 12, spamRecipients: 1 }],
] as const)('any dialogue comes to the same end in every way of splitting, %s', (_name, overrides) => {
  const suite = { inspector: smtp, policy: { ...defaultSmtpPolicy, ...overrides } };
  fc.assert(
    fc.property(dialogues, (rows) => {
      const transcript = { title: '', rows, policy: {}, expected: [], never: [] };
      expect(problemOfSplitting(suite, transcript)).toBeUndefined();
    }),
    { numRuns: 400 },
  );
});
