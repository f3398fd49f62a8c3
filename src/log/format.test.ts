import { describe, expect, test } from 'vitest';
import type { Alert } from '../inspect/alerts.ts';
import { REASON_NAMES, REASONS } from '../inspect/reasons.ts';
import { formatLogMessage, formatMessage, iosLine } from './format.ts';
import { MESSAGE_IDS, MESSAGES } from './messages.ts';
import { alertMessage, reasonMessage } from './reason-messages.ts';

const session = {
  initiator: { address: '203.0.113.77', port: 40112 },
  responder: { address: '192.0.2.25', port: 25 },
  protocol: 'smtp',
};
const session6 = {
  initiator: { address: '2001:db8::1', port: 128 },
  responder: { address: '2001:db8::25', port: 110 },
  protocol: 'pop3',
};

describe('texts as IOS prints them (cisco-ios 4.1)', () => {
  test.each([
    [
      iosLine(formatMessage('SESS_AUDIT_TRAIL_START', session)),
      '%FW-6-SESS_AUDIT_TRAIL_START: Start smtp session: initiator (203.0.113.77:40112) -- responder (192.0.2.25:25)',
    ],
    [
      iosLine(formatMessage('SESS_AUDIT_TRAIL', { ...session6, initiatorBytes: 21, responderBytes: 310 })),
      '%FW-6-SESS_AUDIT_TRAIL: Stop pop3 session: initiator ([2001:db8::1]:128) sent 21 bytes -- responder ([2001:db8::25]:110) sent 310 bytes',
    ],
    [
      iosLine(formatMessage('SESS_AUDIT_TRAIL_START', { ...session, zonePair: 'OUT-TO-DMZ', class: 'MAIL-IN' })),
      '%FW-6-SESS_AUDIT_TRAIL_START: (target:class)-(OUT-TO-DMZ:MAIL-IN):Start smtp session: initiator (203.0.113.77:40112) -- responder (192.0.2.25:25)',
    ],
    [
      iosLine(formatMessage('ALERT_ON', { halfOpen: 3, limit: 500, rate: 501 })),
      '%FW-4-ALERT_ON: getting aggressive, count (3/500) current 1-min rate: 501',
    ],
    [
      iosLine(formatMessage('ALERT_OFF', { halfOpen: 0, limit: 400, rate: 84 })),
      '%FW-4-ALERT_OFF: calming down, count (0/400) current 1-min rate: 84',
    ],
    [
      iosLine(formatMessage('HOST_TCP_ALERT_ON', { limit: 50, host: '192.0.2.25' })),
      '%FW-4-HOST_TCP_ALERT_ON: Max tcp half-open connections (50) exceeded for host 192.0.2.25.',
    ],
    [
      iosLine(formatMessage('BLOCK_HOST', { host: '192.0.2.25', minutes: 2, limit: 50 })),
      '%FW-2-BLOCK_HOST: Blocking new TCP connections to host 192.0.2.25 for 2 minutes (half-open count 50 exceeded)',
    ],
    [
      iosLine(formatMessage('BLOCK_HOST', { host: '192.0.2.25', minutes: 1, limit: 50 })),
      '%FW-2-BLOCK_HOST: Blocking new TCP connections to host 192.0.2.25 for 1 minute (half-open count 50 exceeded)',
    ],
    [
      iosLine(formatMessage('UNBLOCK_HOST', { host: '192.0.2.25' })),
      '%FW-4-UNBLOCK_HOST: New TCP connections to host 192.0.2.25 no longer blocked',
    ],
    [
      iosLine(formatMessage('DROP_PKT', { ...session, reason: 'midstream', ipIdent: 7 })),
      '%FW-6-DROP_PKT: Dropping smtp session 203.0.113.77:40112 192.0.2.25:25 due to  Segment matching no TCP connection with ip ident 7',
    ],
    [
      iosLine(
        formatMessage('DROP_PKT', {
          ...session,
          reason: 'invalid-segment',
          ipIdent: 7,
          zonePair: 'ZP',
          class: 'C',
          tcpFlags: 0x18,
          sequence: 5,
          acknowledgement: 6,
        }),
      ),
      '%FW-6-DROP_PKT: Dropping smtp session 203.0.113.77:40112 192.0.2.25:25 on zone-pair ZP class C due to  Invalid Segment with ip ident 7 tcpflags 0x18 seq.no 5 ack 6',
    ],
    [iosLine(formatMessage('INIT', {})), '%FW-6-INIT: Firewall inspection startup completed; beginning operation.'],
  ])('%s', (printed, expected) => {
    expect(printed).toBe(expected);
  });
});

describe('alerts', () => {
  // Record: the compiler asks for one example of every alert.
  const examples: { readonly [Id in Alert['id']]: readonly [Extract<Alert, { id: Id }>, string] } = {
    SMTP_INVALID_COMMAND: [
      { id: 'SMTP_INVALID_COMMAND', text: 'ETRN', lengthBytes: 17 },
      '%FW-3-SMTP_INVALID_COMMAND: Invalid SMTP command (ETRN) (total 17 chars) from initiator (203.0.113.77:40112)',
    ],
    POP3_INVALID_COMMAND: [
      { id: 'POP3_INVALID_COMMAND', text: 'HELP' },
      '%FW-5-POP3_INVALID_COMMAND: Invalid POP3 command from initiator (203.0.113.77:40112): HELP',
    ],
    IMAP_INVALID_COMMAND: [
      { id: 'IMAP_INVALID_COMMAND', text: 'XKILL' },
      '%FW-5-IMAP_INVALID_COMMAND: Invalid IMAP command from initiator (203.0.113.77:40112): XKILL',
    ],
    POP3_NON_SECURE_LOGIN: [
      { id: 'POP3_NON_SECURE_LOGIN', text: 'AUTH', mechanism: 'PLAIN' },
      '%FW-5-POP3_NON_SECURE_LOGIN: LOGON POP3 command from initiator (203.0.113.77:40112): AUTH (mechanism PLAIN)',
    ],
    IMAP_NON_SECURE_LOGIN: [
      { id: 'IMAP_NON_SECURE_LOGIN', text: 'LOGIN', mechanism: 'LOGIN' },
      '%FW-5-IMAP_NON_SECURE_LOGIN: LOGON IMAP command from initiator (203.0.113.77:40112): LOGIN (mechanism LOGIN)',
    ],
    SMTP_MAX_DATA: [
      { id: 'SMTP_MAX_DATA', maxDataBytes: 1000 },
      '%FW-4-SMTP_MAX_DATA: SMTP session data exceeds max-data (1000 bytes) from initiator (203.0.113.77:40112)',
    ],
    SMTP_SIGNATURE: [
      { id: 'SMTP_SIGNATURE', signature: 3103, name: 'Old Sendmail' },
      '%FW-4-TCP_SENDMAIL_SIGNATURE: Sig:3103:Old Sendmail - from 203.0.113.77:40112 to 192.0.2.25:25',
    ],
    SMTP_END_OF_DATA_OVERWRITTEN: [
      { id: 'SMTP_END_OF_DATA_OVERWRITTEN' },
      '%POSTERN-4-SMTP_END_OF_DATA_OVERWRITTEN: Overwrote an octet of a message that servers may take for its end - session initiator (203.0.113.77:40112) responder (192.0.2.25:25)',
    ],
    FOREIGN_PROTOCOL: [
      { id: 'FOREIGN_PROTOCOL', spoken: 'HTTP', by: 'initiator' },
      '%POSTERN-4-FOREIGN_PROTOCOL: The initiator speaks HTTP in smtp session: initiator (203.0.113.77:40112) -- responder (192.0.2.25:25)',
    ],
    TLS_VERSION: [
      { id: 'TLS_VERSION', version: '1.0', minimum: '1.2' },
      '%POSTERN-4-TLS_VERSION: TLS 1.0 is below the minimum of 1.2 in smtp session from initiator (203.0.113.77:40112) to responder (192.0.2.25:25)',
    ],
    PROTOCOL_VIOLATION: [
      { id: 'PROTOCOL_VIOLATION', text: 'reply 999' },
      '%POSTERN-4-PROTOCOL_VIOLATION: smtp protocol violation, initiator (203.0.113.77:40112) -- responder (192.0.2.25:25): reply 999',
    ],
  };
  test.each(Object.values(examples))('$id has its message', (alert, expected) => {
    expect(iosLine(formatLogMessage(alertMessage(alert, session)))).toBe(expected);
  });

  test('signature 3107 is the Majordomo message', () => {
    const message = alertMessage({ id: 'SMTP_SIGNATURE', signature: 3107, name: 'Majordomo' }, session);
    expect(iosLine(formatLogMessage(message))).toMatch(
      /^%FW-4-TCP_MAJORDOMO_EXEC_BUG: Majordomo Execute Attack - from /,
    );
  });
});

describe('reasons', () => {
  test.each(REASON_NAMES)('%s has a message that says it in words and by name', (reason) => {
    const message = formatLogMessage(reasonMessage(reason, session));
    expect(message.text).toContain(`${REASONS[reason]} [${reason}]`);
    expect(message.text).not.toContain('-:');
    expect(message.fields).toMatchObject({
      reason,
      initiator: '203.0.113.77:40112',
      responder: '192.0.2.25:25',
      protocol: 'smtp',
    });
  });
});

describe('what a peer must not be able to do', () => {
  const quote = (text: string): string => formatMessage('POP3_INVALID_COMMAND', { ...session, text }).text;

  test('no line can be forged: line ends, terminal escapes and bidirectional controls are escaped', () => {
    const printed = quote('X\r\nNov 21 00:00:00.000: %FW-6-INIT: forged\u001b[2J\u0085\u2028\u202e');
    expect(printed).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
    expect(printed).toContain('X\\x0d\\x0aNov');
    expect(printed).toContain('\\x1b[2J\\x85\\u2028\\u202e');
  });

  test('an escape cannot be imitated', () => {
    expect(quote('a\\x0d')).toContain('a\\\\x0d');
  });

  test('a long text is cut', () => {
    expect(quote('a b '.repeat(5000)).length).toBeLessThan(400);
  });

  test('our own text may be longer, and has a limit too', () => {
    const long = (characters: number): string =>
      formatMessage('NOTICE', { detail: 'a b '.repeat(characters / 4) }).text;
    expect(long(4000)).toHaveLength(4000);
    expect(long(400_000).length).toBeLessThan(10_000);
  });

  test('braces in a field are not filled in', () => {
    expect(quote('{initiator} {text}')).toContain(': {initiator} {text}');
  });

  test('a field name of the prototype prints nothing of it', () => {
    const fields = { ...session, text: 'x', reason: 'constructor' } as never;
    expect(formatMessage('SESSION_REFUSED', fields).text).toContain(': - [constructor]');
  });
});

describe('secrets', () => {
  const quote = (text: string): string => formatMessage('IMAP_INVALID_COMMAND', { ...session, text }).text;

  test.each([
    'PASS hunter2',
    'pass hunter2',
    'PASShunter2',
    'PASS\thunter2',
    'a1 LOGIN joe hunter2',
    'a1 login "joe" "hunter2"',
    'APOP joe hunter2',
    'AUTH PLAIN hunter2',
    'AUTH hunter2',
    'a AUTHENTICATE PLAIN hunter2',
    'AUTH LOGIN hunter2',
    'AUTH\u000bhunter2',
    'USER joe\r\nPASS hunter2',
    'AUTH SCRAM-SHA-256 hunter2',
    'PASS hunter2 PASS hunter2',
  ])('%j never shows its argument', (text) => {
    expect(quote(text)).not.toContain('hunter2');
    expect(quote(text)).toContain('***');
  });

  test('a lone SASL response is not shown', () => {
    expect(quote('AGpvZQBodW50ZXIyaHVudGVyMg==')).not.toContain('AGpv');
  });

  test.each([
    'PASS',
    'a1 LOGIN',
    'AUTH CRAM-MD5',
    'NOOP',
    'COMPASS x',
    'STARTTLS',
    'a1 GETQUOTAROOT INBOX',
    'mail.example.net',
  ])('%j holds none and is left as it is', (text) => {
    expect(quote(text).endsWith(`: ${text}`)).toBe(true);
  });

  test("our own words are left alone: only a peer's are searched", () => {
    const message = formatMessage('CONFIG_REJECTED', { file: 'f', errors: 1, detail: 'class PASS log' });
    expect(message.text).toContain('class PASS log');
  });
});

test('every entry of the catalogue is fit for the manual', () => {
  for (const id of MESSAGE_IDS) {
    expect(id).toMatch(/^[A-Z][A-Z0-9_]+$/);
    expect(MESSAGES[id].meaning.length).toBeGreaterThan(20);
  }
});
