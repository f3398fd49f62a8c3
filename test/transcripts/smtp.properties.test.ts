import fc from 'fast-check';
import { expect, it } from 'vitest';
import { smtp } from '../../src/protocols/smtp/machine.ts';
import { defaultSmtpPolicy } from '../../src/protocols/smtp/policy.ts';
import { FakeEngine } from './fake-engine.ts';
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
    'xyzzy9',
    'BDAT 0 LAST',
    'RSET now',
    'BURL x',
    'MAILFROM:<a>',
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

/** What leads somewhere, so that what comes behind it is reached often enough. */
const OPENINGS: readonly (readonly Row[])[] = [
  [],
  [
    { from: 'initiator', octets: 'EHLO x\r\n' },
    { from: 'responder', octets: '250-mx\r\n250 CHUNKING\r\n' },
    { from: 'initiator', octets: 'MAIL FROM:<a@b.example>\r\n' },
    { from: 'responder', octets: '250 ok\r\n' },
  ],
];

const dialogues = fc
  .tuple(
    fc.constantFrom(...OPENINGS),
    fc.array(fc.oneof(rowsOf('initiator', CLIENT), rowsOf('responder', SERVER)), { minLength: 1, maxLength: 14 }),
  )
  .map(([opening, rows]) => [...opening, ...rows])
  .map((rows) => [{ from: 'responder', octets: '220 mx.example\r\n' } as const, ...rows])
  .map((rows) => rows.filter((row) => row.octets !== ''));

it.each([
  ['as shipped', {}],
  ['with chunking', { chunking: 'allow' }],
  ['with smtp alone, dropping', { extended: false, illegal: 'drop' }],
  ['with open verbs', { verbs: 'open', maskedVerbs: new Set(['XYZZ', 'NOOP']), maskedKeywords: new Set(['SIZE']) }],
  ['with open verbs and chunking', { verbs: 'open', chunking: 'allow' }],
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

it.each([
  ['as shipped', {}],
  ['with open verbs and chunking', { verbs: 'open', chunking: 'allow' }],
] as const)('messages begin and end in turn, and text has an end only where it began, %s', (_name, overrides) => {
  fc.assert(
    fc.property(dialogues, (rows) => {
      const engine = new FakeEngine(smtp, { ...defaultSmtpPolicy, ...overrides });
      for (const { from, octets } of rows) engine.feed(from, octets);
      const facts = engine.log.flatMap((entry) => entry.facts.map((fact) => fact.split(' ', 1)[0] ?? ''));
      const turns = facts.filter((kind) => kind === 'messageBegins' || kind === 'messageEnds');
      expect(turns).toEqual(turns.map((_kind, index) => (index % 2 === 0 ? 'messageBegins' : 'messageEnds')));
      const text = facts.filter((kind) => kind === 'dataBegins' || kind === 'dataEnds').join(' ');
      expect(text).not.toMatch(/^dataEnds|dataEnds dataEnds/);
    }),
    { numRuns: 1_000 },
  );
});
