import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { buildCapture } from '../../test/sim/capture-builder.ts';
import type { Burst } from '../../test/sim/plain-run.ts';
import { Random } from '../../test/sim/random.ts';
import type { Side } from '../inspect/inspector.ts';
import { ConfigurationError } from './configuration-file.ts';
import { replay } from './replay.ts';

/** Captures of one SMTP connection, through the real engine, under an application policy. */
const folder = mkdtempSync(join(tmpdir(), 'postern-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Line = readonly [from: Side, octets: string];
const client = (...lines: readonly string[]): Line => ['initiator', lines.map((line) => `${line}\r\n`).join('')];
const server = (...lines: readonly string[]): Line => ['responder', lines.map((line) => `${line}\r\n`).join('')];

const GREETING: readonly Line[] = [
  server('220 mx.example ESMTP'),
  client('EHLO client.example'),
  server('250-mx.example', '250-PIPELINING', '250-ETRN', '250 SIZE 1000000'),
];
const envelope = (sender: string, ...recipients: readonly string[]): readonly Line[] => [
  client(`MAIL FROM:<${sender}>`),
  server('250 ok'),
  ...recipients.flatMap((recipient) => [client(`RCPT TO:<${recipient}>`), server('250 ok')]),
];
const message = (...lines: readonly string[]): readonly Line[] => [
  client('DATA'),
  server('354 go on'),
  client(...lines, '.'),
  server('250 queued'),
];
const BYE: readonly Line[] = [client('QUIT'), server('221 bye')];
const MAIL: readonly Line[] = [
  ...GREETING,
  ...envelope('a@example.org', 'b@example.com'),
  ...message('Subject: hello', '', 'Nothing of interest.'),
  ...BYE,
];

const ZONES = [
  ...['zone security outside', 'zone security inside'],
  ...['class-map type inspect match-any MAIL', ' match protocol smtp'],
  ...['policy-map type inspect FW', ' class type inspect MAIL', '  inspect', '  service-policy smtp AIC'],
  ...['zone-pair security OUT-IN source outside destination inside', ' service-policy type inspect FW'],
];

/** A policy of one class. */
const policy = (match: string, ...actions: readonly string[]): readonly string[] => [
  ...[
    'parameter-map type regex WORDS',
    ' pattern "*deals\\.com"',
    ' pattern "Subject:*lottery*"',
    ' pattern "*UD-421590*"',
  ],
  ...['class-map type inspect smtp match-any C', ` match ${match}`],
  ...['policy-map type inspect smtp AIC', ' class type inspect smtp C', ...actions.map((action) => `  ${action}`)],
  ...ZONES,
];

interface Told {
  readonly kind: string;
  readonly verdict?: string;
  readonly reason?: string;
  readonly message?: string;
}

function burstsOf(lines: readonly Line[]): readonly Burst[] {
  const sent: Record<Side, number> = { initiator: 0, responder: 0 };
  return lines.map(([from, octets]) => {
    const begin = sent[from];
    const receivedBefore = { ...sent };
    sent[from] += octets.length;
    return { from, begin, octets, receivedBefore, receivedAfter: { ...sent }, opaque: false };
  });
}

async function run(configuration: readonly string[], lines: readonly Line[], chunkBytes = 1_400) {
  const [config, capture, out] = ['postern.conf', 'in.pcap', 'out.pcap'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(config, `${configuration.join('\n')}\n`);
  const weather = { chunkBytes, reorderPercent: 0, duplicatePercent: 0, alteredPercent: 0, acknowledgePercent: 100 };
  writeFileSync(capture, buildCapture(burstsOf(lines), { version: 4, port: 25 }, weather, new Random(1)));
  const printed: string[] = [];
  await replay({ capture, config, json: true, write: out }, (line) => void printed.push(line));
  const told = printed.map((line) => JSON.parse(line) as Told);
  return {
    told,
    reasons: told.flatMap(({ reason, kind }) => (reason === undefined || kind === 'drop' ? [] : [reason])),
    messages: told.flatMap(({ message: text }) => (text === undefined ? [] : [text])),
    output: readFileSync(out).toString('latin1'),
  };
}

const byChunk = test.each([[1_400], [7], [1]]);

describe('an application policy', () => {
  byChunk('refuses a sender, %d octets a segment', async (chunkBytes) => {
    const lines = [...GREETING, ...envelope('sale@hotdeals.com', 'b@example.com'), ...BYE];
    const { reasons, messages, output } = await run(
      policy('sender address regex WORDS', 'reset', 'log'),
      lines,
      chunkBytes,
    );
    expect(reasons).toContain('policy-sender');
    expect(messages.filter((text) => text.startsWith('%APPFW-4-SMTP_SENDER_ADDR_MATCHED'))).toHaveLength(1);
    expect(output).not.toContain('RCPT TO');
    expect(output).toMatch(/554 5\.7\.1 \S+ refused: the sender address is not accepted here/);
  });

  byChunk('refuses a header field, %d octets a segment', async (chunkBytes) => {
    const lines = [
      ...[...GREETING, ...envelope('a@example.org', 'b@example.com')],
      ...message('Subject: You won', ' the lottery', '', 'Call us.'),
    ];
    const { reasons, output } = await run(policy('header regex WORDS', 'reset'), lines, chunkBytes);
    expect(reasons).toContain('policy-header');
    expect(output).toMatch(/554 5\.7\.1 \S+ refused: a header field/);
    expect(output).not.toContain('Call us.');
    expect(output).not.toContain('\r\n.\r\n');
  });

  byChunk('tells of body text and lets the message pass, %d octets a segment', async (chunkBytes) => {
    const lines = [
      ...[...GREETING, ...envelope('a@example.org', 'b@example.com')],
      ...message('Subject: plans', '', 'See document UD-421590 of today.'),
      ...BYE,
    ];
    const { reasons, messages, told } = await run(policy('body regex WORDS', 'log'), lines, chunkBytes);
    expect(reasons).toEqual([]);
    const found = messages.filter((text) => text.startsWith('%APPFW-4-SMTP_BODY_REGEX_MATCHED'));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(
      'logging session 192.0.2.1:40001 192.0.2.2:25 on zone-pair OUT-IN class MAIL appl-class C',
    );
    expect(found[0]).not.toContain('421590 of');
    expect(told.at(-1)).toMatchObject({ kind: 'close closed' });
  });

  byChunk('masks an EHLO keyword, %d octets a segment', async (chunkBytes) => {
    const { messages, output } = await run(policy('reply ehlo ETRN', 'mask', 'log'), MAIL, chunkBytes);
    expect(messages.some((text) => text.startsWith('%APPFW-4-SMTP_EHLO_REPLY'))).toBe(true);
    if (chunkBytes > 100) expect(output).toContain('250-PIPELINING\r\n250-XXXX\r\n250 SIZE');
  });

  byChunk('counts recipients, %d octets a segment', async (chunkBytes) => {
    const lines = [...GREETING, ...envelope('a@example.org', 'b@example.com', 'c@example.com', 'd@example.com')];
    const configuration = policy('recipient count gt 2', 'reset');
    expect((await run(configuration, lines, chunkBytes)).reasons).toContain('policy-recipient-count');
    const fewer = [...GREETING, ...envelope('a@example.org', 'b@example.com', 'c@example.com')];
    expect((await run(configuration, fewer, chunkBytes)).reasons).toEqual([]);
  });

  test('learns a sender, which another class asks for', async () => {
    const configuration = [
      ...['parameter-map type regex TRAP', ' pattern "trap@example.com"'],
      ...['class-map type inspect smtp match-any TRAPPED', ' match recipient address regex TRAP'],
      ...['class-map type inspect smtp match-any KNOWN', ' match sender learned'],
      ...['policy-map type inspect smtp AIC', ' class type inspect smtp KNOWN', '  reset'],
      ...[' class type inspect smtp TRAPPED', '  learn sender for 10', '  log', ...ZONES],
    ];
    const twice = (recipient: string): readonly Line[] => [
      ...[...GREETING, ...envelope('bad@example.org', recipient), client('RSET'), server('250 ok')],
      ...envelope('bad@example.org', 'b@example.com'),
    ];
    expect((await run(configuration, twice('trap@example.com'))).reasons).toContain('policy-learned');
    expect((await run(configuration, twice('b@example.com'))).reasons).toEqual([]);
  });

  test.each([
    ['sender address regex WORDS', 'reset'],
    ['header regex WORDS', 'reset'],
    ['body regex WORDS', 'reset'],
    ['recipient count gt 2', 'reset'],
    ['cmd verb ETRN', 'reset'],
  ])('of %s leaves other mail alone', async (match, action) => {
    const { reasons, messages, told } = await run(policy(match, action, 'log'), MAIL);
    expect([reasons, messages]).toEqual([[], []]);
    expect(told.some(({ verdict }) => verdict === 'drop' || verdict === 'mask')).toBe(false);
  });
});

describe('zone-pairs in a capture, which tells no interfaces', () => {
  const pinhole = ZONES.filter((line) => !line.includes('service-policy smtp'));

  test('a class without an application policy is a pinhole: EHLO and everything else pass unread', async () => {
    const { told, output } = await run(pinhole, MAIL);
    expect(told.map(({ kind }) => kind)).toEqual(['open established', 'close closed']);
    expect(output).toContain('250-ETRN');
  });

  test('a class that drops ends the session, told where it has log', async () => {
    const dropping = pinhole.map((line) => (line === '  inspect' ? '  drop log' : line));
    const { reasons, messages, output, told } = await run(dropping, MAIL);
    expect(output).not.toContain('EHLO');
    expect(messages.join('\n')).toContain('on zone-pair OUT-IN class MAIL');
    expect([...reasons, ...told.map(({ kind }) => kind)].join(' ')).toContain('close refused');
  });

  test('where only class-default would match, inspection rules decide', async () => {
    const other = [
      ...pinhole.map((line) => line.replace('match protocol smtp', 'match protocol pop3')),
      ...['ip inspect name CLASSIC smtp', 'interface any', ' ip inspect CLASSIC in'],
    ];
    const { output } = await run(other, MAIL);
    expect(output).toMatch(/xxxx client\.example|xxxxxxx/);
  });
});

test('a pattern that the engine does not take is an error of the configuration', async () => {
  const bad = policy('sender address regex WORDS', 'log').map((line) => line.replace('*UD-421590*', '(ab){9999}'));
  await expect(run(bad, MAIL)).rejects.toBeInstanceOf(ConfigurationError);
  await expect(run(bad, MAIL)).rejects.toThrow(/postern\.conf:4:11: % Pattern "\(ab\)\{9999\}" of parameter-map WORDS/);
});
