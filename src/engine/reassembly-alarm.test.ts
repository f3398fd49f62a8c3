import { expect, test } from 'vitest';
import { formatLogMessage } from '../log/format.ts';
import type { LogMessage } from '../log/log-message.ts';
import { allocateBuffers, END_REASONS, EVENT, OrderWriter, REASSEMBLY_ALARMS } from '../native/event-batch.ts';
import { FakeBatch, type FakeFlow } from '../native/fake-batch.ts';
import { Judge } from './judge.ts';

const FLOW: FakeFlow = {
  ...{ flow: 5, generation: 2, protocol: 'smtp' },
  initiator: { address: [192, 0, 2, 1], port: 40_000 },
  responder: { address: [192, 0, 2, 2], port: 25 },
};

/** A judge of one session that answers what it logs. */
function listener(alert = true) {
  const buffers = allocateBuffers();
  const messages: LogMessage[] = [];
  const judge = new Judge(buffers, new OrderWriter(buffers), {
    open: (flow) => ({
      ...{ id: 'ID', flow: flow.flow, generation: flow.generation, protocol: flow.protocol, rule: 'MAIL' },
      ...{ initiator: flow.initiator, responder: flow.responder, alert, auditTrail: false, idleSeconds: 3_600 },
    }),
    log: (message) => void messages.push(message),
  });
  const hear = (write: (batch: FakeBatch) => unknown): string[] => {
    messages.length = 0;
    const batch = new FakeBatch(buffers, 1_000);
    write(batch);
    judge.judge(batch.count);
    return messages.map((message) => `${message.id}: ${formatLogMessage(message).text}`);
  };
  hear((batch) => batch.opened(FLOW));
  return { judge, hear };
}

interface Alarm {
  readonly what: (typeof REASSEMBLY_ALARMS)[number];
  readonly waiting?: number;
  readonly octets?: number;
  readonly sequence?: number;
  readonly generation?: number;
}

const alarm = (batch: FakeBatch, { what, waiting = 0, octets = 0, sequence = 9, generation = 2 }: Alarm) =>
  batch.add({
    head: EVENT.reassembly | 0x100 | (octets << 16),
    flow: { flow: 5, generation },
    text: Buffer.alloc(0),
    low: sequence,
    high: 4_294_967_295,
    extra: REASSEMBLY_ALARMS.indexOf(what) | (waiting << 8),
  });

const SESSION = 'session 192.0.2.1:40000 to 192.0.2.2:25 (responder)';

test.each([
  ['queue-full', 'TCP reassembly queue overflow'],
  ['memory-limit', 'TCP reassembly memory limit'],
  ['released', 'released for a segment nearer to the gap'],
] as const)('%s: the segment, what is waited for, and why', (what, why) => {
  const { hear } = listener();
  expect(hear((batch) => alarm(batch, { what, octets: 1_460, waiting: 16 }))).toEqual([
    `TCP_OOO_SEG: Dropping TCP Segment: seq:9 1460 bytes is out-of-order; expected seq:4294967295. Reason: ${why} - ${SESSION}`,
  ]);
});

test('the first expiry and the second have a message each, whatever the alerts say', () => {
  const { hear } = listener(false);
  expect(hear((batch) => alarm(batch, { what: 'expired', waiting: 3 }))).toEqual([
    `TCP_OOO_TIMEOUT: TCP reassembly queue timeout: expected seq:4294967295 has not come, 3 segments wait - ${SESSION}`,
  ]);
  expect(hear((batch) => alarm(batch, { what: 'deleted', waiting: 3 }))).toEqual([
    `TCP_OOO_SESSION_DELETED: Deleting session: TCP reassembly queue timeout, expected seq:4294967295 has not come, 3 segments freed - ${SESSION}`,
  ]);
});

test('octets that differ are told with alerts, and only then', () => {
  const write = (batch: FakeBatch) => alarm(batch, { what: 'altered', octets: 6 });
  expect(listener().hear(write)).toEqual([
    `TCP_ALTERED: TCP segment contradicts octets seen before: seq:9 6 bytes, made to agree with the first - ${SESSION}`,
  ]);
  expect(listener(false).hear(write)).toEqual([]);
});

test('without an alarm the end of the session is counted and not told, also with alerts', () => {
  const { hear, judge } = listener();
  expect(hear((batch) => batch.closed(FLOW, 'reassembly-timeout', [0, 0]))).toEqual([]);
  expect(judge.refusals.toRecord()).toEqual({ 'reassembly-timeout': 1 });
  expect(END_REASONS).toContain('reassembly-timeout');
});

test('nothing is told of a session that is no longer known', () => {
  const { hear } = listener();
  expect(hear((batch) => alarm(batch, { what: 'queue-full', generation: 3 }))).toEqual([]);
});
