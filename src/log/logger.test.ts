import { describe, expect, test } from 'vitest';
import { LOG_MESSAGES_A_WINDOW_MAX, LOG_WINDOW_MS } from './limits.ts';
import type { LogMessage } from './log-message.ts';
import { createLogger, type LoggerOptions } from './logger.ts';

const session = {
  initiator: { address: '2001:db8::1', port: 40112 },
  responder: { address: '192.0.2.25', port: 25 },
  protocol: 'smtp',
};
const invalid: LogMessage = { id: 'POP3_INVALID_COMMAND', fields: { ...session, text: 'HELP' } };

function harness(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const clock = { ms: new Date(2026, 2, 1, 0, 4, 9, 120).getTime() };
  const logger = createLogger({
    format: 'ios',
    destination: { write: (line) => lines.push(line) },
    now: () => clock.ms,
    ...options,
  });
  return { lines, clock, logger };
}

describe('formats', () => {
  test('ios: one line with the time of the host', () => {
    const { lines, logger } = harness();
    logger.log({ id: 'INIT', fields: {} });
    expect(lines).toEqual([
      'Mar  1 00:04:09.120: %FW-6-INIT: Firewall inspection startup completed; beginning operation.\n',
    ]);
  });

  test('ios under journald: the priority stands before it', () => {
    const { lines, logger } = harness({ journald: true });
    logger.log({ id: 'BLOCK_HOST', fields: { host: '192.0.2.1', minutes: 2, limit: 50 } });
    expect(lines[0]).toMatch(/^<2>Mar {2}1 00:04:09\.120: %FW-2-BLOCK_HOST: /);
  });

  test('json: the fields of the contract', () => {
    const { lines, logger } = harness({ format: 'json' });
    logger.log({ id: 'SESSION_REFUSED', fields: { ...session, reason: 'early-talk', class: 'C', zonePair: 'Z' } });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      severity: 4,
      time: new Date(2026, 2, 1, 0, 4, 9, 120).toISOString(),
      initiator: '[2001:db8::1]:40112',
      responder: '192.0.2.25:25',
      protocol: 'smtp',
      reason: 'early-talk',
      class: 'C',
      zonePair: 'Z',
      mnemonic: 'SESSION_REFUSED',
      facility: 'POSTERN',
      msg: '(target:class)-(Z:C):Refused smtp session: initiator ([2001:db8::1]:40112) -- responder (192.0.2.25:25): the client spoke before the greeting [early-talk]',
    });
  });

  test.each([2, 3, 4, 5, 6] as const)('json: severity %i is the number of syslog', (severity) => {
    const bySeverity: Readonly<Record<number, LogMessage>> = {
      2: { id: 'BLOCK_HOST', fields: { host: 'h', minutes: 1, limit: 1 } },
      3: { id: 'ERROR', fields: { detail: 'd' } },
      4: { id: 'UNBLOCK_HOST', fields: { host: 'h' } },
      5: { id: 'NOTICE', fields: { detail: 'd' } },
      6: { id: 'INIT', fields: {} },
    };
    const message = bySeverity[severity];
    if (message === undefined) return;
    const { lines, logger } = harness({ format: 'json' });
    logger.log(message);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ severity });
  });
});

describe('rate limit', () => {
  test('a limited kind is written up to its limit, then counted, then summarised once', () => {
    const { lines, clock, logger } = harness();
    for (let i = 0; i < LOG_MESSAGES_A_WINDOW_MAX + 30; i += 1) logger.log(invalid);
    expect(lines).toHaveLength(LOG_MESSAGES_A_WINDOW_MAX);
    logger.tick();
    expect(lines).toHaveLength(LOG_MESSAGES_A_WINDOW_MAX);
    clock.ms += LOG_WINDOW_MS;
    logger.tick();
    logger.tick();
    expect(lines).toHaveLength(LOG_MESSAGES_A_WINDOW_MAX + 1);
    expect(lines.at(-1)).toContain(
      '%POSTERN-5-SUPPRESSED: 30 similar messages suppressed (POP3_INVALID_COMMAND, 10 s)',
    );
  });

  test('the next window writes again, after the summary of the last', () => {
    const { lines, clock, logger } = harness();
    for (let i = 0; i < LOG_MESSAGES_A_WINDOW_MAX + 1; i += 1) logger.log(invalid);
    clock.ms += LOG_WINDOW_MS;
    logger.log(invalid);
    expect(lines.slice(-2).map((line) => line.includes('SUPPRESSED'))).toEqual([true, false]);
  });

  test('one kind does not silence another, and the audit trail is never left out', () => {
    const { lines, logger } = harness();
    for (let i = 0; i < 500; i += 1) logger.log(invalid);
    for (let i = 0; i < 500; i += 1) logger.log({ id: 'SESS_AUDIT_TRAIL_START', fields: session });
    logger.log({ id: 'IMAP_INVALID_COMMAND', fields: { ...session, text: 'x' } });
    expect(lines.filter((line) => line.includes('SESS_AUDIT_TRAIL_START'))).toHaveLength(500);
    expect(lines.at(-1)).toContain('IMAP_INVALID_COMMAND');
  });

  test('under the limit nothing is summarised', () => {
    const { lines, clock, logger } = harness();
    logger.log(invalid);
    clock.ms += LOG_WINDOW_MS * 2;
    logger.tick();
    logger.close();
    expect(lines).toHaveLength(1);
  });

  test('close tells what is still counted', () => {
    const { lines, logger } = harness();
    for (let i = 0; i < LOG_MESSAGES_A_WINDOW_MAX + 2; i += 1) logger.log(invalid);
    logger.close();
    expect(lines.at(-1)).toContain('2 similar messages suppressed');
  });

  test('a clock set back does not keep a kind silent', () => {
    const { lines, clock, logger } = harness();
    for (let i = 0; i < LOG_MESSAGES_A_WINDOW_MAX + 2; i += 1) logger.log(invalid);
    clock.ms -= 3_600_000;
    logger.log(invalid);
    expect(lines.at(-1)).toContain('POP3_INVALID_COMMAND: Invalid');
  });
});
