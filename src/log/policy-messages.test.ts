import { describe, expect, test } from 'vitest';
import { POLICY_EVENTS, type PolicyEvent, type PolicyHit } from '../inspect/policy-hit.ts';
import { formatLogMessage, formatMessage, iosLine } from './format.ts';
import { createLogger } from './logger.ts';
import { hitMessage } from './policy-messages.ts';
import { reasonMessage } from './reason-messages.ts';

const SESSION = {
  initiator: { address: '203.0.113.77', port: 40112 },
  responder: { address: '192.0.2.25', port: 25 },
  protocol: 'smtp',
  zonePair: 'OUT-TO-DMZ',
  class: 'MAIL-IN',
};
const WHERE =
  'session 203.0.113.77:40112 192.0.2.25:25 on zone-pair OUT-TO-DMZ class MAIL-IN appl-class honeypot' as const;

function hit(event: PolicyEvent, detail: string, more: Partial<PolicyHit> = {}): PolicyHit {
  return {
    policy: 'P1',
    class: 'honeypot',
    event,
    detail,
    verb: 'resetting',
    log: true,
    shadow: false,
    bytes: 0,
    ...more,
  };
}

const line = (one: PolicyHit, protocol = 'smtp'): string =>
  iosLine(formatLogMessage(hitMessage(one, { ...SESSION, protocol })));

describe('matches of SMTP classes (D-50)', () => {
  const examples: Readonly<Record<PolicyEvent, readonly [detail: string, text: string] | undefined>> = {
    SENDER_ADDR_MATCHED: ['a@deals.com', 'Sender address (a@deals.com) matched'],
    RECIPIENT_ADDR_MATCHED: ['@relay.example', 'Recipient address (@relay.example) matched'],
    RECIPIENT_COUNT: ['26', 'Recipient count over the limit (26)'],
    RECIPIENT_INVALID_COUNT: ['6', 'Invalid recipient count over the limit (6)'],
    CMD_VERB: ['ATRN', 'Command verb (ATRN) matched'],
    CMD_LINE_LENGTH: ['257', 'Command line length over the limit (257)'],
    HEADER_LENGTH: ['16000', 'Header length over the limit (16000)'],
    HEADER_REGEX_MATCHED: ['Subject', 'Header field (Subject) matched'],
    BODY_REGEX_MATCHED: ['doc-data', 'Body text matched (doc-data)'],
    MIME_CONTENT_TYPE: ['image/jpeg', 'Content type (image/jpeg) matched'],
    MIME_ENCODING: ['quoted-printable', 'Transfer encoding (quoted-printable) matched'],
    EHLO_REPLY: ['ETRN', 'EHLO keyword (ETRN) matched'],
    STARTTLS: ['stripped', 'STARTTLS is not offered (stripped)'],
    DATA_LENGTH: ['5000000', 'Data length over the limit (5000000)'],
    SENDER_LEARNED: ['a@deals.com', 'Learned sender (a@deals.com) matched'],
    CLIENT_LEARNED: ['203.0.113.77', 'Learned client (203.0.113.77) matched'],
    CONNECTION: ['', 'Connection matched'],
    INVALID_COMMAND: undefined,
    CLEAR_TEXT_LOGIN: undefined,
  };

  test.each(POLICY_EVENTS.filter((event) => examples[event] !== undefined))('%s', (event) => {
    const [detail = '', text = ''] = examples[event] ?? [];
    expect(line(hit(event, detail))).toBe(`%APPFW-4-SMTP_${event}: ${text} - resetting ${WHERE}`);
  });

  test.each(['resetting', 'masking', 'logging', 'allowing', 'learning'] as const)('the action is %s', (verb) => {
    expect(line(hit('CMD_VERB', 'ATRN', { verb }))).toContain(` matched - ${verb} session 203`);
  });

  test('a would-have says so, and cannot be taken for what was done', () => {
    const told = line(hit('CMD_VERB', 'ATRN', { verb: 'masking', shadow: true }));
    expect(told).toBe(`%APPFW-4-SMTP_CMD_VERB: Command verb (ATRN) matched - shadow, would be masking ${WHERE}`);
    expect(told).not.toMatch(/- (?:resetting|masking|logging|allowing|learning) session/);
  });
});

describe('matches of POP3 and IMAP classes', () => {
  test.each([
    ['pop3', 'POP3'],
    ['imap', 'IMAP'],
  ])('%s has the messages of inspection rules, with the prefix', (protocol, name) => {
    const prefix = '(target:class)-(OUT-TO-DMZ:MAIL-IN):';
    const from = 'command from initiator (203.0.113.77:40112)';
    expect(line(hit('INVALID_COMMAND', 'XKILL'), protocol)).toBe(
      `%FW-5-${name}_INVALID_COMMAND: ${prefix}Invalid ${name} ${from}: XKILL`,
    );
    expect(line(hit('CLEAR_TEXT_LOGIN', 'LOGIN', { mechanism: 'PLAIN' }), protocol)).toBe(
      `%FW-5-${name}_NON_SECURE_LOGIN: ${prefix}LOGON ${name} ${from}: LOGIN (mechanism PLAIN)`,
    );
    expect(line(hit('INVALID_COMMAND', 'XKILL', { shadow: true }), protocol)).toBe(
      `%FW-5-${name}_INVALID_COMMAND: ${prefix}Invalid ${name} ${from}: XKILL - shadow, would be resetting session`,
    );
  });
});

describe('what a peer sent', () => {
  test('forges no line and is cut', () => {
    const told = line(hit('SENDER_ADDR_MATCHED', `a\r\n%FW-6-INIT: forged\u202e${'x'.repeat(10_000)}`));
    expect(told).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    expect(told.length).toBeLessThan(600);
  });

  test.each(['CMD_VERB', 'CMD_LINE_LENGTH', 'INVALID_COMMAND', 'CLEAR_TEXT_LOGIN'] as const)(
    '%s never shows a secret',
    (event) => {
      expect(line(hit(event, 'AUTH PLAIN hunter2'), 'pop3')).not.toContain('hunter2');
      expect(line(hit(event, 'AGpvZQBodW50ZXIyaHVudGVyMg=='), 'imap')).not.toContain('AGpv');
    },
  );

  test.each([
    ['SENDER_ADDR_MATCHED', 'bounces-0123456789-abcdefghijklmnop@example.net'],
    ['MIME_CONTENT_TYPE', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ] as const)('%s: a long word that holds none is left as it is', (event, detail) => {
    expect(line(hit(event, detail))).toContain(`(${detail}) matched`);
  });
});

describe('the structured log', () => {
  test('carries the names of session and configuration', () => {
    const lines: string[] = [];
    const log = createLogger({ format: 'json', destination: { write: (text) => lines.push(text) }, now: () => 0 });
    log.log(hitMessage(hit('CMD_VERB', 'ATRN'), SESSION));
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      facility: 'APPFW',
      mnemonic: 'SMTP_CMD_VERB',
      severity: 4,
      msg: `Command verb (ATRN) matched - resetting ${WHERE}`,
      initiator: '203.0.113.77:40112',
      responder: '192.0.2.25:25',
      protocol: 'smtp',
      zonePair: 'OUT-TO-DMZ',
      class: 'MAIL-IN',
      policy: 'P1',
      applClass: 'honeypot',
      action: 'resetting',
    });
  });

  test('a peer that matches over and over is counted, not written', () => {
    const lines: string[] = [];
    const log = createLogger({ format: 'ios', destination: { write: (text) => lines.push(text) }, now: () => 0 });
    for (let index = 0; index < 500; index += 1) log.log(hitMessage(hit('CMD_VERB', 'ATRN'), SESSION));
    log.close();
    expect(lines).toHaveLength(51);
    expect(lines.at(-1)).toContain('450 similar messages suppressed (SMTP_CMD_VERB, ');
  });
});

describe('zone-pair and class', () => {
  test('stand before the text of a session, whoever wrote the message', () => {
    expect(formatLogMessage(reasonMessage('policy-sender', SESSION)).text).toMatch(
      /^\(target:class\)-\(OUT-TO-DMZ:MAIL-IN\):Refused smtp session: /,
    );
    const { zonePair: _zonePair, class: _class, ...classic } = SESSION;
    expect(formatLogMessage(reasonMessage('policy-sender', classic)).text).toMatch(/^Refused smtp session: /);
  });

  test('stand in the text where it has a place for them', () => {
    expect(iosLine(formatMessage('PASS_PKT', { ...SESSION, ipIdent: 7 }))).toBe(
      '%FW-6-PASS_PKT: (target:class)-(OUT-TO-DMZ:MAIL-IN) Passing smtp pkt 203.0.113.77:40112 => 192.0.2.25:25 with ip ident 7',
    );
    expect(iosLine(formatMessage('DROP_PKT', { ...SESSION, reason: 'zone-drop', ipIdent: 7 }))).toBe(
      '%FW-6-DROP_PKT: Dropping smtp session 203.0.113.77:40112 192.0.2.25:25 on zone-pair OUT-TO-DMZ class MAIL-IN due to  DROP action found in policy-map with ip ident 7',
    );
  });
});
