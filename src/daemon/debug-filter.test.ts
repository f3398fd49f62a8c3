import { describe, expect, test } from 'vitest';
import { readDebugCommand } from '../commands/debug-command.ts';
import { debugLine } from '../engine/debug-line.ts';
import type { JudgedEvent } from '../engine/judge.ts';
import { debugFilter } from './debug-filter.ts';

const session = {
  ...{
    id: '00020007',
    flow: 7,
    generation: 0,
    protocol: 'smtp' as const,
    rule: 'MAIL',
    alert: true,
    auditTrail: false,
    idleSeconds: 3_600,
  },
  initiator: { address: '192.0.2.1', port: 40_000 },
  responder: { address: '192.0.2.2', port: 25 },
};
const event = (changes: Partial<JudgedEvent>): string =>
  debugLine({ kind: 'frame', packet: 1, timeMs: 0, session, what: 'initiator line', messages: [], ...changes });

const LINES = {
  opened: event({ kind: 'open', what: 'established' }),
  passed: event({ outcome: { verdict: 'forward' } }),
  masked: event({ outcome: { verdict: 'mask' } }),
  refused: event({ outcome: { verdict: 'refuse', reason: 'invalid-command' } }),
  expired: event({ kind: 'close', what: 'idle-timeout' }),
  imap: event({ session: { ...session, protocol: 'imap' }, outcome: { verdict: 'forward' } }),
};

test('a line says who, what and which verdict', () => {
  expect(LINES.refused).toBe(
    'CBAC frame: sis 00020007 smtp (192.0.2.1:40000) => (192.0.2.2:25) initiator line refuse invalid-command',
  );
  expect(debugLine({ kind: 'drop', packet: 0, timeMs: 0, what: 'invalid-segment', messages: [] })).toBe(
    'CBAC drop: no session invalid-segment',
  );
});

test('addresses of IPv6 stand in brackets', () => {
  const initiator = { address: '2001:db8::1', port: 40_000 };
  expect(event({ session: { ...session, initiator } })).toContain('([2001:db8::1]:40000) => (192.0.2.2:25)');
});

describe('a command asks for', () => {
  const all = Object.keys(LINES);
  test.each([
    ['debug ip inspect detailed', all],
    ['debug ip inspect tcp', all],
    ['deb ip insp smtp', all.filter((name) => name !== 'imap')],
    ['debug ip inspect imap', ['imap']],
    ['debug ip inspect pop3', []],
    ['debug ip inspect events', ['opened', 'masked', 'refused', 'expired']],
    ['debug ip inspect timers', ['expired']],
    ['debug ip inspect object-creation', ['opened']],
    ['debug ip inspect object-deletion', ['expired']],
  ])('%s', (command, expected) => {
    const selection = readDebugCommand(command);
    if ('error' in selection) throw new Error(selection.error);
    const wanted = debugFilter(selection);
    const shown = Object.entries(LINES).filter(([, line]) => wanted(line));
    expect(shown.map(([name]) => name)).toEqual(expected);
  });

  test.each(['debug ip inspect', 'debug ip inspect t', 'debug all', 'show version', '', 'x'.repeat(2_000)])(
    'nothing: %j',
    (command) => {
      expect(readDebugCommand(command)).toMatchObject({ error: expect.stringMatching(/^%/) });
    },
  );
});
