import fc from 'fast-check';
import { expect, it } from 'vitest';
import { patternPlanOf } from '../../src/policy/application/patterns.ts';
import {
  applicationSmtp,
  configurationOf,
  type PolicyText,
  type SmtpOptions,
  smtpPolicyOf,
} from './application-policy.ts';
import { scanOf } from './application-scan.ts';
import { FakeEngine } from './fake-engine.ts';
import type { Row } from './markdown.ts';
import { problemOfSplitting } from './runner.ts';

const maps = { S: ['*deals\\.com'], R: ['trap@'], H: ['Subject:*lottery*'], B: ['*UD-4*'], T: ['image/*'] };
const CONDITIONS = [
  ...['protocol smtp', 'client learned', 'sender learned', 'sender address regex S', 'recipient address regex R'],
  ...['recipient count gt 1', 'recipient invalid count gt 1', 'cmd verb NOOP', 'cmd verb MAIL', 'cmd verb XYZZY'],
  ...['cmd verb RCPT', 'cmd verb BDAT', 'cmd line length gt 6', 'cmd line length gt 20', 'cmd line length gt 30'],
  ...['header regex H', 'body regex B', 'header length gt 10', 'data-length gt 20', 'mime encoding base64'],
  ...['mime encoding unknown', 'mime content-type regex T', 'reply ehlo SIZE', 'reply ehlo X-FOO'],
];
const ACTIONS = [
  ...['log', 'log', 'log', 'reset', 'reset, log', 'allow', 'reset, shadow', 'mask', 'mask, log', ''],
  ...['learn sender', 'log, shadow', 'inspect'],
];

const classes = fc.array(
  fc.record({
    combine: fc.constantFrom('match-any', 'match-all'),
    matches: fc.uniqueArray(fc.constantFrom(...CONDITIONS), { maxLength: 3 }),
    actions: fc.constantFrom(...ACTIONS),
  }),
  { minLength: 1, maxLength: 4 },
);

const policies: fc.Arbitrary<PolicyText> = fc
  .tuple(classes, fc.constantFrom('connection' as const, 'message' as const))
  .map(([entries, recipientCount]) => ({
    maps,
    classes: Object.fromEntries(entries.map(({ combine, matches }, index) => [`C${index}`, [combine, ...matches]])),
    policy: Object.fromEntries(entries.map(({ actions }, index) => [`C${index}`, actions])),
    recipientCount,
  }));

const OPENING: readonly Row[] = [
  { from: 'responder', octets: '220 mx.example\r\n' },
  { from: 'initiator', octets: 'EHLO x\r\n' },
  { from: 'responder', octets: '250-mx\r\n250-SIZE 5\r\n250-X-FOO\r\n250 CHUNKING\r\n' },
];
const CLIENT = [
  ...['MAIL FROM:<a@b.ex>', 'MAIL FROM:<a@hotdeals.com> SIZE=5', 'MAIL FROM:<>', 'RCPT TO:<u@c.example>'],
  ...[
    'RCPT TO:<trap@c.example>',
    'RCPT TO:<|x>',
    'DATA',
    'DATA',
    'RSET',
    'NOOP',
    'NOOP a\x01',
    'noop 12345678901234567890',
  ],
  ...[
    'XYZZY 1',
    'BDAT 22',
    'BDAT 9 LAST',
    'BDAT 0 LAST',
    'EHLO y',
    'STARTTLS',
    'QUIT',
    'AUTH LOGIN',
    'dQ==',
    '',
    ' NOOP',
  ],
  ...[
    'Subject: a lottery',
    'Content-Type: image/png',
    'Content-Transfer-Encoding: base64',
    'has UD-4 in it',
    '',
    '.',
    '.',
  ],
  ...['\x16\x03\x01\x01\x00\x01rest'],
];
const SERVER = [
  ...['250 ok', '250 ok', '250 ok', '354 go', '354 go', '550 5.1.1 no', '550 no', '503 nested', '250-mx\r\n250 SIZE 5'],
  ...['220 go', '221 bye', '334 x', '235 ok', '500 what'],
];

function rowsOf(from: Row['from'], lines: readonly string[]): fc.Arbitrary<Row> {
  return fc
    .tuple(fc.constantFrom(...lines), fc.constantFrom('\r\n', '\r\n', '\r\n', '\r\n', '\n', ''))
    .map(([text, end]) => ({ from, octets: text + end }));
}

/** Mostly what belongs together, so that messages come about. */
const MESSAGES: readonly (readonly Row[])[] = [
  [],
  [
    { from: 'initiator', octets: 'MAIL FROM:<a@hotdeals.com>\r\nRCPT TO:<trap@c.example>\r\nDATA\r\n' },
    { from: 'responder', octets: '250 ok\r\n250 ok\r\n354 go\r\n' },
    { from: 'initiator', octets: 'Subject: a lottery\r\nX: y\r\n\r\nhas UD-4\r\n.\r\n' },
    { from: 'responder', octets: '250 queued\r\n' },
  ],
  [
    { from: 'initiator', octets: 'MAIL FROM:<a@b.ex>\r\nBDAT 13\r\nSubject: a\r\n\r\nBDAT 8 LAST\r\nUD-4 x\r\n' },
    { from: 'responder', octets: '250 ok\r\n250 ok\r\n' },
  ],
];

const dialogues = fc
  .tuple(
    fc.constantFrom(...MESSAGES),
    fc.array(fc.oneof(rowsOf('initiator', CLIENT), rowsOf('responder', SERVER)), { minLength: 1, maxLength: 14 }),
  )
  .map(([message, rows]) => [...OPENING, ...message, ...rows].filter((row) => row.octets !== ''));

const options: SmtpOptions = {
  client: '192.0.2.1',
  learned: { client: (address) => address === '192.0.2.1', sender: (address) => address === 'a@b.ex' },
};

function suiteOf(text: PolicyText) {
  const policy = smtpPolicyOf(text, options);
  const content = scanOf(patternPlanOf(configurationOf(text)), policy.program.content);
  return { inspector: applicationSmtp, policy, content };
}

/** What classes matched and what was learned, in order. */
function told(text: PolicyText, rows: readonly Row[]) {
  const { inspector, policy, content } = suiteOf(text);
  const engine = new FakeEngine(inspector, policy, content);
  for (const { from, octets } of rows) engine.feed(from, octets);
  return { hits: engine.hits, learned: engine.learned };
}

function inChunks(rows: readonly Row[], length: number): readonly Row[] {
  return rows.flatMap(({ from, octets }) =>
    Array.from({ length: Math.ceil(octets.length / length) }, (_, index) => ({
      from,
      octets: octets.slice(index * length, (index + 1) * length),
    })),
  );
}

it('any policy comes to the same verdicts in every way of splitting', () => {
  fc.assert(
    fc.property(policies, dialogues, (text, rows) => {
      const transcript = { title: '', rows, policy: {}, expected: [], never: [] };
      expect(problemOfSplitting(suiteOf(text), transcript)).toBeUndefined();
    }),
    { numRuns: 20 },
  );
}, 120_000);

it('any policy tells the same of its classes, to the octet', () => {
  fc.assert(
    fc.property(policies, dialogues, fc.constantFrom(1, 2, 3, 7, 11), (text, rows, length) => {
      expect(told(text, inChunks(rows, length))).toEqual(told(text, rows));
    }),
    { numRuns: 300 },
  );
}, 60_000);

it('a policy whose classes only log, allow or are in shadow lets every octet through that none would', () => {
  const harmless = policies.map((text) => ({
    ...text,
    policy: Object.fromEntries(
      Object.entries(text.policy).map(([name, actions]) => [name, actions.includes('reset') ? 'reset, shadow' : 'log']),
    ),
  }));
  fc.assert(
    fc.property(harmless, dialogues, (text, rows) => {
      const { inspector, policy, content } = suiteOf(text);
      const engine = new FakeEngine(inspector, policy, content);
      const bare = new FakeEngine(inspector, {
        ...policy,
        program: suiteOf({ classes: {}, policy: {} }).policy.program,
      });
      for (const { from, octets } of rows) {
        engine.feed(from, octets);
        bare.feed(from, octets);
      }
      expect(engine.receivedFrom('initiator')).toBe(bare.receivedFrom('initiator'));
      expect(engine.receivedFrom('responder')).toBe(bare.receivedFrom('responder'));
    }),
    { numRuns: 200 },
  );
}, 60_000);
