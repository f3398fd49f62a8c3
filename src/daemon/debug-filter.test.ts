import { describe, expect, test } from 'vitest';
import { readDebugCommand } from '../commands/debug-command.ts';
import { debugLines } from '../engine/debug-line.ts';
import { setCounterNames } from '../engine/endings.ts';
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
const event = (changes: Partial<JudgedEvent>): readonly string[] =>
  debugLines({ kind: 'frame', packet: 9, timeMs: 0, session, what: 'initiator line', messages: [], ...changes });
const drop = {
  ...{ protocol: 'tcp', source: session.initiator, destination: session.responder, counter: 0 },
  ...{ ipIdent: 7, tcpFlags: 0x18, sequence: 5, acknowledgement: 6 },
};
const datagram = { ...{ protocol: 'udp', source: drop.source, destination: drop.destination, counter: 1, ipIdent: 7 } };
const ENDS = '(192.0.2.1:40000) => (192.0.2.2:25)';

setCounterNames(['drop-stray', 'drop-refused']);

const LINES = {
  opened: event({ kind: 'open', what: 'established' }),
  passed: event({ outcome: { verdict: 'forward' } }),
  masked: event({ outcome: { verdict: 'mask' } }),
  refused: event({ outcome: { verdict: 'refuse', reason: 'invalid-command' } }),
  expired: event({ kind: 'close', what: 'idle-timeout' }),
  closed: event({ kind: 'close', what: 'reset-by-initiator' }),
  imap: event({ session: { ...session, protocol: 'imap' }, outcome: { verdict: 'forward' } }),
  udp: event({ kind: 'open', what: 'established', session: { ...session, protocol: 'udp' } }),
  dropped: event({ kind: 'drop', what: 'stray-segment', drop }),
  left: ['CBAC: 42 debug lines dropped, too many a second'],
};

describe('an event is told', () => {
  test.each([
    ['opened', ['CBAC OBJ_CREATE: create sis 00020007', `CBAC open: sis 00020007 smtp ${ENDS} established`]],
    [
      'refused',
      [
        `CBAC* sis 00020007 pak 9 TCP ${ENDS}`,
        `CBAC frame: sis 00020007 smtp ${ENDS} initiator line refuse invalid-command`,
      ],
    ],
    [
      'expired',
      [
        'CBAC timer: sis 00020007 idle-timeout expired',
        `CBAC close: sis 00020007 smtp ${ENDS} idle-timeout`,
        'CBAC OBJ_DELETE: delete sis 00020007',
      ],
    ],
    ['closed', [`CBAC close: sis 00020007 smtp ${ENDS} reset-by-initiator`, 'CBAC OBJ_DELETE: delete sis 00020007']],
    ['dropped', [`CBAC* pak 9 TCP P ack 6 seq 5 ${ENDS} dropped: Stray Segment [stray-segment]`]],
  ] as const)('%s', (name, lines) => {
    expect(LINES[name]).toEqual(lines);
  });

  test('a packet from the responder in its own direction', () => {
    expect(event({ what: 'responder line' })[0]).toBe(
      'CBAC* sis 00020007 pak 9 TCP (192.0.2.2:25) => (192.0.2.1:40000)',
    );
  });

  test('flags in letters, a lone acknowledgement as a dot, none of a datagram', () => {
    const flags = (tcpFlags: number) =>
      /TCP (\S+) ack/.exec(event({ kind: 'drop', what: 'x', drop: { ...drop, tcpFlags } })[0] ?? '')?.[1];
    expect([0x02, 0x12, 0x10, 0x29, 0x14].map(flags)).toEqual(['S', 'S', '.', 'FPU', 'R']);
    expect(event({ kind: 'drop', what: 'drop-refused', drop: datagram })).toEqual([
      `CBAC* pak 9 UDP ${ENDS} dropped: [drop-refused]`,
    ]);
  });

  test('a flow of no session says so', () => {
    expect(debugLines({ kind: 'open', packet: 0, timeMs: 0, what: 'established', messages: [] })).toEqual([
      'CBAC open: no session established',
    ]);
  });

  test('addresses of IPv6 stand in brackets', () => {
    const initiator = { address: '2001:db8::1', port: 40_000 };
    expect(event({ session: { ...session, initiator } })[1]).toContain('([2001:db8::1]:40000) => (192.0.2.2:25)');
  });
});

describe('a command asks for', () => {
  const all = Object.keys(LINES);
  test.each([
    ['debug ip inspect detailed', all],
    ['debug ip inspect tcp', all.filter((name) => name !== 'udp')],
    ['deb ip insp smtp', ['opened', 'passed', 'masked', 'refused', 'expired', 'closed', 'left']],
    ['debug ip inspect udp', ['udp', 'left']],
    ['debug ip inspect icmp', ['left']],
    ['debug ip inspect imap', ['imap', 'left']],
    ['debug ip inspect pop3', ['left']],
    ['debug ip inspect events', ['opened', 'masked', 'refused', 'expired', 'closed', 'udp', 'dropped', 'left']],
    ['debug ip inspect timers', ['expired', 'left']],
    ['debug ip inspect object-creation', ['opened', 'udp', 'left']],
    ['debug ip inspect object-deletion', ['expired', 'closed', 'left']],
  ])('%s', (command, expected) => {
    const selection = readDebugCommand(command);
    if ('error' in selection) throw new Error(selection.error);
    const wanted = debugFilter(selection);
    const shown = Object.entries(LINES).filter(([, lines]) => lines.some(wanted));
    expect(shown.map(([name]) => name)).toEqual(expected);
  });

  test.each(['debug ip inspect', 'debug ip inspect t', 'debug all', 'show version', '', 'x'.repeat(2_000)])(
    'nothing: %j',
    (command) => {
      expect(readDebugCommand(command)).toMatchObject({ error: expect.stringMatching(/^%/) });
    },
  );
});
