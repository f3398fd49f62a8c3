import { describe, expect, test } from 'vitest';
import type { Action, Frame } from '../inspect/inspector.ts';
import type { Reason } from '../inspect/reasons.ts';
import type { LogMessage } from '../log/log-message.ts';
import { allocateBuffers, END_REASONS, EVENT_FLAG, OrderWriter } from '../native/event-batch.ts';
import { FakeBatch, type FakeFlow, readOrders } from '../native/fake-batch.ts';
import { setCounterNames } from './endings.ts';
import { Judge, type JudgedEvent } from './judge.ts';
import type { Session } from './session.ts';

const FLOW: FakeFlow = {
  ...{ flow: 5, generation: 2, protocol: 'smtp', packet: 3, inInterface: 1, outInterface: 2 },
  initiator: { address: [192, 0, 2, 1], port: 40_000 },
  responder: { address: [192, 0, 2, 2], port: 25 },
};

interface Setting {
  readonly ours?: boolean;
  readonly readable?: boolean;
  readonly alert?: boolean;
  readonly auditTrail?: boolean;
  readonly tlsMinimumVersion?: number;
  readonly refusedFor?: Reason;
  readonly orders?: OrderWriter;
  readonly step?: (frame: Frame) => readonly Action[];
}

function courtroom(setting: Setting = {}) {
  const buffers = allocateBuffers();
  const messages: LogMessage[] = [];
  const events: JudgedEvent[] = [];
  const seen: Frame[] = [];
  const ended: Session[] = [];
  const judge = new Judge(buffers, setting.orders ?? new OrderWriter(buffers), {
    open: (flow): Session | undefined => {
      if (setting.ours === false) return undefined;
      const dialogue = {
        lineBytesMax: { initiator: 2_048, responder: 4_096 },
        step: (frame: Frame) => {
          seen.push(frame);
          return setting.step?.(frame) ?? [{ kind: 'forward' as const }];
        },
        stage: () => 'test',
      };
      const { alert = true, auditTrail = false } = setting;
      return {
        ...{ id: 'ID', flow: flow.flow, generation: flow.generation, protocol: flow.protocol, rule: 'MAIL' },
        ...{ initiator: flow.initiator, responder: flow.responder, alert, auditTrail },
        idleSeconds: 1_800,
        tlsMinimumVersion: setting.tlsMinimumVersion,
        ...(setting.refusedFor === undefined ? {} : { refusedFor: setting.refusedFor }),
        ...(setting.readable === false ? {} : { dialogue }),
      };
    },
    closed: (session) => void ended.push(session),
    log: (message) => void messages.push(message),
    observe: (event) => void events.push(event),
  });
  const rule = (write: (batch: FakeBatch) => unknown) => {
    const batch = new FakeBatch(buffers, 1_000);
    write(batch);
    const words = judge.judge(batch.count);
    return readOrders(new Uint32Array(buffers.orders, 0, words)).map((order) =>
      [order.op, order.side, order.flags, ...order.arguments].join(' '),
    );
  };
  return { judge, rule, messages, events, seen, ended, ids: () => messages.map(({ id }) => id) };
}

describe('a flow that opens', () => {
  test('gets its idle time and line framings with the budgets of its protocol', () => {
    const { rule, judge, events, ids } = courtroom();
    expect(rule((batch) => batch.opened(FLOW))).toEqual([
      'idle initiator 0 1800',
      'frame initiator 0 2048 0',
      'frame responder 0 4096 0',
    ]);
    expect(judge.session(5, 2)?.initiator).toEqual({ address: '192.0.2.1', port: 40_000 });
    expect(ids()).toEqual([]);
    expect(events).toMatchObject([{ kind: 'open', what: 'established', packet: 3, timeMs: 1_000 }]);
  });

  test('leaves the queue when no rule wants it', () => {
    const { rule, judge } = courtroom({ ours: false });
    expect(rule((batch) => batch.opened(FLOW))).toEqual(['stop initiator 3']);
    expect(judge.session(5, 2)).toBeUndefined();
  });

  test('stays a session, unread, when there is nothing to read', () => {
    const { rule, judge } = courtroom({ readable: false });
    expect(rule((batch) => batch.opened({ ...FLOW, protocol: 'imaps' }))).toEqual([
      'idle initiator 0 1800',
      'stop initiator 3',
    ]);
    expect(judge.session(5, 2)?.protocol).toBe('imaps');
  });

  test('of datagrams has an index far from those of streams, and a session all the same', () => {
    const { rule, judge } = courtroom({ readable: false });
    const datagrams = { ...FLOW, flow: 131_072 + 7, protocol: 'udp' as const };
    rule((batch) => batch.opened(FLOW).opened(datagrams));
    expect(judge.session(131_079, 2)?.protocol).toBe('udp');
    expect(judge.session(5, 2)?.protocol).toBe('smtp');
    expect(judge.session(7, 2)).toBeUndefined();
    judge.clear();
    expect(judge.session(131_079, 2)).toBeUndefined();
  });

  test('and is refused already is ended, counted and told, without an audit trail', () => {
    const { rule, judge, ids, ended } = courtroom({ refusedFor: 'session-limit', auditTrail: true });
    const refused = END_REASONS.indexOf('refused');
    expect(rule((batch) => batch.opened(FLOW))).toEqual([`end initiator 0 ${refused}`]);
    rule((batch) => batch.closed(FLOW, 'refused', [0, 0]));
    expect(judge.refusals.toRecord()).toEqual({ 'session-limit': 1 });
    expect(ids()).toEqual(['RESOURCE_LIMIT']);
    expect(ended).toHaveLength(1);
  });

  test('begins and ends an audit trail where that is wanted', () => {
    const { rule, messages, ids } = courtroom({ auditTrail: true });
    rule((batch) => batch.opened(FLOW));
    rule((batch) => batch.closed(FLOW, 'closed', [5_000_000_000, 310]));
    expect(ids()).toEqual(['SESS_AUDIT_TRAIL_START', 'SESS_AUDIT_TRAIL']);
    expect(messages[1]?.fields).toMatchObject({ initiatorBytes: 5_000_000_000, responderBytes: 310 });
  });

  test('of a protocol that is none of ours fails the batch', () => {
    const { rule } = courtroom();
    expect(() => rule((batch) => batch.opened({ ...FLOW, protocol: 'none' }))).toThrow(/not one of ours/);
  });
});

/** TLS 1.3 by suite 0x1301, with one extension (src/native/tls-hello.ts). */
const SERVER_HELLO = '\x02\x03\x04\0\0\0\0\0\x02\x13\x01\0\x02\0\x2b\0\0';

describe('a frame', () => {
  test('comes to the dialogue as what it is', () => {
    const hello = {
      type: 'server',
      version: 0x0304,
      alpn: [],
      ciphers: [0x1301],
      extensions: [43],
      signatureAlgorithms: [],
    };
    const { rule, seen } = courtroom();
    rule((batch) => batch.opened(FLOW));
    rule((batch) =>
      batch
        .frame(FLOW, 'line', 'responder', { text: '220 \xe9', flag: EVENT_FLAG.bareLf })
        .frame(FLOW, 'partial', 'initiator', { text: 'EH' })
        .frame(FLOW, 'countedEnd', 'initiator', { bytes: 5_000_000_000 })
        .frame(FLOW, 'dataEnd', 'initiator', { bytes: 9 })
        .frame(FLOW, 'lookAlike', 'initiator')
        .frame(FLOW, 'tlsStart', 'responder', { flag: EVENT_FLAG.wellFormed, text: SERVER_HELLO })
        .frame(FLOW, 'tlsStart', 'initiator')
        .frame(FLOW, 'tlsStart', 'responder', { flag: EVENT_FLAG.tlsAlert })
        .frame(FLOW, 'overBudget', 'initiator', { text: 'A', bytes: 2_048 })
        .content(FLOW, [{ kind: 'body', map: 2, decoded: true }])
        .content(FLOW, [], { finished: true }),
    );
    expect(seen).toEqual([
      { kind: 'line', from: 'responder', text: '220 \xe9', end: 'bareLf' },
      { kind: 'partial', from: 'initiator', text: 'EH' },
      { kind: 'countedEnd', from: 'initiator', bytes: 5_000_000_000 },
      { kind: 'dataEnd', from: 'initiator', bytes: 9 },
      { kind: 'endOfDataLookAlike', from: 'initiator' },
      { kind: 'tlsStart', from: 'responder', wellFormed: true, hello },
      { kind: 'tlsStart', from: 'initiator', wellFormed: false },
      { kind: 'tlsStart', from: 'responder', wellFormed: false, alert: true },
      { kind: 'overBudget', from: 'initiator', budgetBytes: 2_048, text: 'A' },
      { kind: 'content', from: 'initiator', facts: [{ kind: 'body', map: 2, decoded: true }], finished: false },
      { kind: 'content', from: 'initiator', facts: [], finished: true },
    ]);
  });

  test('with a TLS version below the minimum is refused by an alert of TLS, whatever the dialogue says', () => {
    const { rule, seen, messages } = courtroom({ tlsMinimumVersion: 0x0304 });
    const hello = (version: string) => ({
      flag: EVENT_FLAG.wellFormed,
      text: SERVER_HELLO.replace('\x03\x04', version),
    });
    rule((batch) => batch.opened(FLOW));
    rule((batch) => batch.frame(FLOW, 'tlsStart', 'responder', hello('\x03\x04')));
    expect(seen).toHaveLength(1);
    expect(rule((batch) => batch.frame(FLOW, 'tlsStart', 'responder', hello('\x03\x03')))).toEqual([
      'refuse initiator 0 0 7',
    ]);
    expect(seen).toHaveLength(1);
    expect(messages.map(({ id }) => id)).toEqual(['TLS_VERSION', 'SESSION_REFUSED']);
  });

  test('of a flow that nobody knows gets no order, so the loop ends it', () => {
    const { rule, seen } = courtroom();
    rule((batch) => batch.opened(FLOW));
    expect(rule((batch) => batch.frame({ flow: 6, generation: 2 }, 'line', 'initiator'))).toEqual([]);
    expect(rule((batch) => batch.frame({ flow: 5, generation: 3 }, 'line', 'initiator'))).toEqual([]);
    expect(seen).toEqual([]);
  });

  test('of an unknown kind fails the batch', () => {
    const { rule } = courtroom();
    rule((batch) => batch.opened(FLOW));
    const strange = { head: 77, flow: FLOW, text: Buffer.alloc(0), low: 0, high: 0, extra: 0 };
    expect(() => rule((batch) => batch.add(strange))).toThrow(/77 is no frame/);
  });

  test('that is refused is counted by its reason, and its end is not counted again', () => {
    const { rule, judge, ids, events } = courtroom({
      step: () => [{ kind: 'refuse', reason: 'invalid-command', how: 'reset' }],
    });
    rule((batch) => batch.opened(FLOW));
    expect(rule((batch) => batch.frame(FLOW, 'line', 'initiator', { packet: 9 }))).toEqual(['refuse initiator 1 0 0']);
    rule((batch) => batch.closed(FLOW, 'engine-error', [0, 0]));
    expect(judge.refusals.toRecord()).toEqual({ 'invalid-command': 1 });
    expect(ids()).toEqual(['SESSION_REFUSED']);
    expect(events[1]).toMatchObject({ what: 'initiator line', packet: 9, outcome: { reason: 'invalid-command' } });
  });

  test('whose inspector throws ends the session and no other', () => {
    const { rule, judge } = courtroom({
      step: (frame) => {
        if (frame.from === 'initiator') throw new Error('defect');
        return [{ kind: 'forward' }];
      },
    });
    const other = { ...FLOW, flow: 6 };
    rule((batch) => batch.opened(FLOW).opened(other));
    const orders = rule((batch) => batch.frame(FLOW, 'line', 'initiator').frame(other, 'line', 'responder'));
    expect(orders).toEqual(['refuse initiator 1 0 0', 'forward responder 0']);
    expect(judge.refusals.toRecord()).toEqual({ 'engine-error': 1 });
  });

  test('whose orders do not fit fails the batch: nothing passes by accident', () => {
    const small = { orders: new ArrayBuffer(4), orderArena: new ArrayBuffer(0) };
    const { rule } = courtroom({ orders: new OrderWriter(small) });
    expect(() => rule((batch) => batch.opened(FLOW))).toThrow(/3 orders did not fit/);
  });
});

describe('an end', () => {
  test.each(END_REASONS)('%s is counted when Postern brought it about', (end) => {
    const { rule, judge, ids } = courtroom();
    rule((batch) => batch.opened(FLOW));
    rule((batch) => batch.closed(FLOW, end, [1, 2]));
    const peers = ['closed', 'reset-by-initiator', 'reset-by-responder', 'refused', 'port-reused', 'shutdown'];
    expect(judge.refusals.toRecord()).toEqual(peers.includes(end) ? {} : { [end]: 1 });
    // Whether that one is told is the alarm's affair (reassembly-alarm.test.ts).
    const silent = [...peers, 'reassembly-timeout'];
    expect(ids()).toHaveLength(silent.includes(end) ? 0 : 1);
  });

  test('leaves its rule for show until the index is given away, and no dialogue', () => {
    const { rule, judge, seen, ended } = courtroom();
    rule((batch) => batch.opened(FLOW));
    rule((batch) => batch.closed(FLOW, 'closed', [1, 2]));
    expect(judge.session(5, 2)).toMatchObject({ rule: 'MAIL', ended: true, dialogue: undefined });
    expect(ended.map(({ id }) => id)).toEqual(['ID']);
    // What is over is not judged, and does not end again.
    expect(rule((batch) => batch.frame(FLOW, 'line', 'initiator').closed(FLOW, 'closed', [1, 2]))).toEqual([]);
    expect([seen.length, ended.length]).toEqual([0, 1]);
    rule((batch) => batch.opened({ ...FLOW, generation: 3 }));
    expect(judge.session(5, 2)).toBeUndefined();
    expect(judge.session(5, 3)?.ended).toBeUndefined();
  });

  test('alert off: counted, not told', () => {
    const { rule, judge, ids } = courtroom({ alert: false });
    rule((batch) => batch.opened(FLOW));
    rule((batch) => batch.closed(FLOW, 'idle-timeout', [1, 2]));
    expect(judge.refusals.toRecord()).toEqual({ 'idle-timeout': 1 });
    expect(ids()).toEqual([]);
  });

  test('is told to who watches, with its packet; nobody else is told anything', () => {
    const { rule, judge, events } = courtroom();
    rule((batch) => batch.opened(FLOW));
    rule((batch) => batch.closed(FLOW, 'reset-by-initiator', [1, 2], 44));
    expect(events.at(-1)).toMatchObject({ kind: 'close', what: 'reset-by-initiator', packet: 44 });
    judge.watching = false;
    rule((batch) => batch.opened(FLOW));
    rule((batch) => batch.frame(FLOW, 'line', 'initiator'));
    rule((batch) => batch.closed(FLOW, 'closed', [1, 2]));
    expect(events).toHaveLength(2);
  });

  test('of an earlier flow with the same index leaves the session alone', () => {
    const { rule, judge } = courtroom();
    rule((batch) => batch.opened(FLOW));
    rule((batch) => batch.closed({ flow: 5, generation: 1 }, 'closed', [0, 0]));
    expect(judge.session(5, 2)).toBeDefined();
    judge.clear();
    expect(judge.session(5, 2)).toBeUndefined();
  });
});

test('a dropped packet is told with its reason, one that is part of a refusal is not', () => {
  setCounterNames(['drop-stray', 'drop-refused']);
  const { rule, messages, events } = courtroom();
  rule((batch) =>
    batch
      .dropped([FLOW.initiator, FLOW.responder], 0, [7, 0x18, 5, 6], 70_000)
      .dropped([FLOW.initiator, FLOW.responder], 1, [7, 0x18, 5, 6], 70_001),
  );
  expect(messages).toMatchObject([
    { id: 'DROP_PKT', fields: { reason: 'stray-segment', ipIdent: 7, tcpFlags: 0x18, sequence: 5 } },
  ]);
  expect(events.map(({ packet, kind, what }) => `${packet} ${kind} ${what}`)).toEqual([
    '70000 drop stray-segment',
    '70001 drop drop-refused',
  ]);
  expect(events[0]?.drop).toEqual({
    ...{ protocol: 'tcp', ipIdent: 7, tcpFlags: 0x18, sequence: 5, acknowledgement: 6, counter: 0 },
    source: { address: '192.0.2.1', port: 40_000 },
    destination: { address: '192.0.2.2', port: 25 },
  });
});
