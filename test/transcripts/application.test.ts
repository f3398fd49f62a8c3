import { describe, expect, it } from 'vitest';
import type { LearnedView } from '../../src/policy/application/environment.ts';
import { type ApplicationPolicy, applicationInspector } from '../../src/policy/application/inspector.ts';
import { patternPlanOf } from '../../src/policy/application/patterns.ts';
import { imap } from '../../src/protocols/imap/machine.ts';
import type { ImapPolicy } from '../../src/protocols/imap/state.ts';
import { pop3 } from '../../src/protocols/pop3/machine.ts';
import type { Pop3Policy } from '../../src/protocols/pop3/state.ts';
import {
  applicationSmtp,
  configurationOf,
  environmentOf,
  type PolicyText,
  programOf,
  smtpPolicyOf,
} from './application-policy.ts';
import { scanOf } from './application-scan.ts';
import { FakeEngine } from './fake-engine.ts';
import type { Row, TranscriptCase } from './markdown.ts';
import { problemOfSplitting } from './runner.ts';

/** `C: text` and `S: text` are lines with CRLF. */
function rowsOf(lines: readonly string[]): readonly Row[] {
  return lines.map((line) => ({
    from: line.startsWith('C') ? 'initiator' : 'responder',
    octets: `${line.slice(3)}\r\n`,
  }));
}

const asCase = (rows: readonly Row[], never: TranscriptCase['never'] = []): TranscriptCase => ({
  title: '',
  rows,
  policy: {},
  expected: [],
  never,
});

interface Play {
  readonly learned?: Partial<LearnedView>;
  /** What must not reach the server. */
  readonly never?: string;
}

/** Plays a dialogue under a policy in every way of splitting; answers what was matched and what the client got. */
function play(text: PolicyText, lines: readonly string[], { learned = {}, never }: Play = {}) {
  const policy = smtpPolicyOf(text, { learned });
  const content = scanOf(patternPlanOf(configurationOf(text)), policy.program.content);
  const suite = { inspector: applicationSmtp, policy, content };
  const rows = rowsOf(lines);
  const forbidden: TranscriptCase['never'] = never === undefined ? [] : [{ reaches: 'responder', octets: never }];
  expect(problemOfSplitting(suite, asCase(rows, forbidden))).toBeUndefined();
  const engine = new FakeEngine(applicationSmtp, policy, content);
  for (const { from, octets } of rows) engine.feed(from, octets);
  return {
    hits: engine.hits.map(({ class: name, event, verb, detail }) => `${name} ${event} ${verb} ${detail}`),
    refusal: engine.refusal?.words ?? '',
    learned: engine.learned.map(({ sender }) => sender),
    server: engine.receivedFrom('initiator'),
  };
}

const OPENING = ['S: 220 mx', 'C: EHLO c', 'S: 250-mx', 'S: 250-ETRN', 'S: 250 CHUNKING'];
const ENVELOPE = [...OPENING, 'C: MAIL FROM:<a@b.ex>', 'S: 250 ok', 'C: RCPT TO:<u@c.ex>', 'S: 250 ok'];
const MESSAGE = [
  ...[...ENVELOPE, 'C: DATA', 'S: 354 go', 'C: Subject: You won the lottery', 'C: Content-Type: image/png'],
  ...['C: Content-Transfer-Encoding: base64', 'C: ', 'C: the marker UD-421590', 'C: .', 'S: 250 queued', 'C: QUIT'],
];
const maps = {
  DEALS: ['*deals\\.com'],
  SUBJECT: ['Subject:*lottery*'],
  IMAGE: ['*image//*'],
  MARK: ['*UD-421590*'],
  TRAP: ['username@example.com'],
};
const single = (match: string, actions: string): PolicyText => ({
  maps,
  classes: { C: ['match-all', match] },
  policy: { C: actions },
});
const END_OF_DATA = '\r\n.\r\n';

describe('the tasks of the guide, in every way of splitting (cisco-ios 1.11)', () => {
  it.each([
    ['sender address regex DEALS', 'MAIL FROM:<x@hotdeals.com>', 'SENDER_ADDR_MATCHED', 'the sender address is'],
    [
      'recipient address regex TRAP',
      'RCPT TO:<username@example.com>',
      'RECIPIENT_ADDR_MATCHED',
      'the recipient address',
    ],
    ['cmd line length gt 24', 'MAIL FROM:<0123456789@b.ex>', 'CMD_LINE_LENGTH', 'the command line is too long'],
    ['cmd verb ATRN', 'ATRN a.ex', 'CMD_VERB', 'the command is not accepted'],
  ])('%s', (match, line, event, sentence) => {
    const refused = play(single(match, 'reset, log'), [...ENVELOPE, `C: ${line}`], { never: `${line}\r\n` });
    expect(refused.hits).toEqual([expect.stringMatching(`^C ${event} resetting`)]);
    expect(refused.refusal).toContain(`554 5.7.1 gw.example refused: ${sentence}`);
    expect(play(single(match, 'reset, log'), MESSAGE)).toMatchObject({ hits: [], refusal: '' });
  });

  it.each([
    ['header regex SUBJECT', 'HEADER_REGEX_MATCHED', 'Subject'],
    ['body regex MARK', 'BODY_REGEX_MATCHED', 'MARK'],
    ['mime content-type regex IMAGE', 'MIME_CONTENT_TYPE', 'image/png'],
    ['mime encoding base64', 'MIME_ENCODING', 'base64'],
    ['header length gt 60', 'HEADER_LENGTH', 'header 61 octets'],
    ['data-length gt 100', 'DATA_LENGTH', 'message 101 octets'],
  ])('%s', (match, event, detail) => {
    const refused = play(single(match, 'reset'), MESSAGE, { never: END_OF_DATA });
    expect(refused.hits).toEqual([`C ${event} resetting ${detail}`]);
    expect(refused.refusal).toMatch(/^554 5\.7\.1 gw\.example refused: /);
    const logged = play(single(match, 'log'), MESSAGE);
    expect(logged.hits).toEqual([`C ${event} logging ${detail}`]);
    expect(logged.server).toContain(END_OF_DATA);
    expect(logged.refusal).toBe('');
  });

  it('match-all over a sender and a header', () => {
    const both = {
      ...single('', 'reset'),
      classes: { C: ['match-all', 'sender address regex DEALS', 'header regex SUBJECT'] },
    };
    expect(play(both, MESSAGE).refusal).toBe('');
    const from = MESSAGE.map((line) => line.replace('a@b.ex', 'a@deals.com'));
    expect(play(both, from, { never: END_OF_DATA }).hits).toEqual(['C HEADER_REGEX_MATCHED resetting Subject']);
  });

  it('too many recipients, and too many that the server refuses', () => {
    const more = ['C: RCPT TO:<v@c.ex>', 'S: 550 5.1.1 no', 'C: RCPT TO:<w@c.ex>', 'S: 550 5.1.1 no', 'C: DATA'];
    const lines = [...ENVELOPE, ...more];
    expect(play(single('recipient count gt 2', 'reset'), lines).hits).toEqual([
      'C RECIPIENT_COUNT resetting 3 recipients',
    ]);
    expect(play(single('recipient invalid count gt 1', 'reset'), lines, { never: 'DATA\r\n' })).toMatchObject({
      hits: ['C RECIPIENT_INVALID_COUNT resetting 2 refused recipients'],
      refusal: '554 5.7.1 gw.example refused: too many invalid recipients\r\n',
    });
    expect(play(single('recipient invalid count gt 2', 'reset'), lines)).toMatchObject({ hits: [], refusal: '' });
  });

  it('a verb and a keyword are masked, and told', () => {
    const masked = play(single('cmd verb ETRN', 'mask, log'), [...ENVELOPE, 'C: ETRN a.ex', 'S: 500 what']);
    expect(masked.hits).toEqual(['C CMD_VERB masking ETRN']);
    expect(play(single('reply ehlo ETRN', 'mask, log'), MESSAGE).hits).toEqual(['C EHLO_REPLY masking ETRN']);
  });

  it('a keyword of the server refuses what the client says next', () => {
    expect(play(single('reply ehlo ETRN', 'reset'), MESSAGE, { never: 'MAIL FROM:<a@b.ex>\r\n' }).hits).toEqual([
      'C EHLO_REPLY resetting ETRN',
    ]);
  });

  it('a honeypot learns who writes to it', () => {
    const lines = [...ENVELOPE, 'C: RCPT TO:<username@example.com>', 'S: 250 ok'];
    expect(play(single('recipient address regex TRAP', 'learn sender'), lines).learned).toEqual(['a@b.ex']);
    const learned = { sender: (address: string) => address === 'a@b.ex' };
    const refused = play(single('sender learned', 'reset'), ENVELOPE, { learned });
    expect(refused.refusal).toContain('mail from this sender is not accepted here');
  });

  it('chunks are searched as the message they are', () => {
    const chunks: readonly Row[] = [
      ...rowsOf([...OPENING, 'C: MAIL FROM:<a@b.ex>', 'S: 250 ok', 'C: RCPT TO:<u@c.ex>', 'S: 250 ok']),
      { from: 'initiator', octets: 'BDAT 16\r\nSubject: x\r\n\r\nUDBDAT 12 LAST\r\n-421590 ok\r\n' },
      ...rowsOf(['S: 250 ok', 'S: 250 queued', 'C: QUIT']),
    ];
    const text = single('body regex MARK', 'reset');
    const policy = smtpPolicyOf(text);
    const content = scanOf(patternPlanOf(configurationOf(text)), policy.program.content);
    const never: TranscriptCase['never'] = [{ reaches: 'responder', octets: '-421590 ok\r\n' }];
    const suite = { inspector: applicationSmtp, policy, content };
    expect(problemOfSplitting(suite, asCase(chunks, never))).toBeUndefined();
    const engine = new FakeEngine(applicationSmtp, policy, content);
    for (const { from, octets } of chunks) engine.feed(from, octets);
    expect(engine.hits.map(({ event }) => event)).toEqual(['BODY_REGEX_MATCHED']);
  });
});

describe('a line longer than any command may be', () => {
  it.each(['NOOP', 'AUTH PLAIN'])('%s is refused by the policy that is passed first', (verb) => {
    const line = `${verb} ${'a'.repeat(13_000)}`;
    const policy = smtpPolicyOf(single('cmd line length gt 300', 'reset'));
    for (const length of [100, 5_000, 20_000]) {
      const engine = new FakeEngine(applicationSmtp, policy);
      for (const { from, octets } of rowsOf([...OPENING, `C: ${line}`])) {
        for (let at = 0; at < octets.length; at += length) engine.feed(from, octets.slice(at, at + length));
      }
      expect(engine.hits.map(({ event, bytes }) => `${event} ${bytes}`)).toEqual(['CMD_LINE_LENGTH 301']);
      expect(engine.refusal?.words).toContain('too long for the policy of this site');
    }
  });
});

describe('POP3 and IMAP (cisco-ios 1.8)', () => {
  const environment = environmentOf({ maps: [], uses: {} });
  const programFor = (protocol: 'pop3' | 'imap', match: string, actions: string) =>
    programOf({ protocol, classes: { C: ['match-any', match] }, policy: { C: actions } });

  function playPop3(match: string, actions: string, lines: readonly string[]) {
    const program = programFor('pop3', match, actions);
    const { onClearTextLogin, onInvalidCommand: invalidCommand } = program;
    const inner: Pop3Policy = {
      secureLogin: onClearTextLogin === 'refuse',
      invalidCommand,
      reset: true,
      hostname: 'gw',
    };
    const policy: ApplicationPolicy<Pop3Policy> = { inner, program, environment, hostname: 'gw' };
    const inspector = applicationInspector(pop3);
    expect(problemOfSplitting({ inspector, policy }, asCase(rowsOf(lines)))).toBeUndefined();
    const engine = new FakeEngine(inspector, policy);
    for (const { from, octets } of rowsOf(lines)) engine.feed(from, octets);
    return { hits: engine.hits.map(({ event, verb }) => `${event} ${verb}`), refused: engine.refusal !== undefined };
  }

  const login = ['S: +OK hi', 'C: USER me', 'S: +OK', 'C: PASS secret', 'S: +OK'];

  it('a login in clear is logged, or refused before its secret passes', () => {
    expect(playPop3('login clear-text', 'log', login)).toEqual({ hits: ['CLEAR_TEXT_LOGIN logging'], refused: false });
    expect(playPop3('login clear-text', 'reset', login)).toEqual({
      hits: ['CLEAR_TEXT_LOGIN resetting'],
      refused: true,
    });
    expect(playPop3('invalid-command', 'reset', login)).toEqual({ hits: [], refused: false });
  });

  it('an invalid command too', () => {
    const lines = ['S: +OK hi', 'C: XYZZY', 'S: -ERR what', 'C: QUIT', 'S: +OK'];
    expect(playPop3('invalid-command', 'log', lines)).toEqual({ hits: ['INVALID_COMMAND logging'], refused: false });
    expect(playPop3('invalid-command', 'reset', lines)).toEqual({ hits: ['INVALID_COMMAND resetting'], refused: true });
    expect(playPop3('login clear-text', 'reset', lines)).toEqual({ hits: [], refused: false });
  });

  it('IMAP: a login in clear', () => {
    const program = programFor('imap', 'login clear-text', 'reset, log');
    const inner: ImapPolicy = { secureLogin: program.onClearTextLogin === 'refuse', reset: true, hostname: 'gw' };
    const policy: ApplicationPolicy<ImapPolicy> = { inner, program, environment, hostname: 'gw' };
    const rows = rowsOf(['S: * OK hi', 'C: a LOGIN me secret', 'S: a OK']);
    const inspector = applicationInspector(imap);
    const never: TranscriptCase['never'] = [{ reaches: 'responder', octets: 'secret' }];
    expect(problemOfSplitting({ inspector, policy }, asCase(rows, never))).toBeUndefined();
    const engine = new FakeEngine(inspector, policy);
    for (const { from, octets } of rows) engine.feed(from, octets);
    expect(engine.hits.map(({ event, verb }) => `${event} ${verb}`)).toEqual(['CLEAR_TEXT_LOGIN resetting']);
    expect(engine.refusal).toBeDefined();
  });
});
