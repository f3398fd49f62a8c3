import { describe, expect, test } from 'vitest';
import type { LogMessage } from '../log/log-message.ts';
import type { FlowRecord } from '../native/addon.ts';
import { createFakeAddon } from '../native/fake-addon.ts';
import type { FakeBatch, FakeFlow } from '../native/fake-batch.ts';
import { type Configuration, EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import type { JudgedEvent } from './judge.ts';
import { PacketEngine } from './packet-engine.ts';
import { sessionId } from './session.ts';

const CONFIGURATION: Configuration = {
  ...EMPTY_CONFIGURATION,
  rules: [
    {
      name: 'MAIL',
      protocols: [
        { protocol: 'esmtp', timeoutSeconds: 600 },
        { protocol: 'pop3', secureLogin: true },
        { protocol: 'imaps' },
      ],
    },
  ],
  interfaces: [{ name: 'outside0', inspectIn: 'MAIL' }],
};
const MARKS = { offloadBoth: 2, offloadResponder: 4, clear: 8, session: 16 };

const FLOW: FakeFlow = {
  ...{ flow: 7, generation: 1, protocol: 'smtp', inInterface: 2, outInterface: 3 },
  initiator: { address: [192, 0, 2, 1], port: 40_000 },
  responder: { address: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x25], port: 25 },
};

function start(configuration = CONFIGURATION) {
  const fake = createFakeAddon();
  fake.interfaces.set(2, 'outside0').set(3, 'inside0');
  const messages: LogMessage[] = [];
  const events: JudgedEvent[] = [];
  const engine = new PacketEngine({
    ...{ addon: fake.addon, host: 0, worker: 1 },
    settings: { configuration, hostname: 'mx.example', marks: MARKS },
    log: (message) => void messages.push(message),
    observe: (event) => void events.push(event),
  });
  const ops = (write: (batch: FakeBatch) => unknown) =>
    fake.deliver(write).map(({ op, side, flags, arguments: rest }) => [op, side, flags, ...rest].join(' '));
  return { fake, engine, messages, events, ops };
}

function record(changes: Partial<FlowRecord> = {}): FlowRecord {
  return {
    ...{ flow: 7, generation: 1, protocol: 1, stage: 1, initiatorPort: 40_000, responderPort: 25 },
    initiatorAddress: Uint8Array.from(FLOW.initiator.address),
    responderAddress: Uint8Array.from(FLOW.responder.address),
    ...{ initiatorBytes: 12, responderBytes: 34, createdMsAgo: 61_999, lastHeardMsAgo: 999 },
    ...{
      offloaded: false,
      midstream: false,
      initiatorPackets: 3,
      responderPackets: 2,
      inInterface: 2,
      outInterface: 3,
    },
    ...changes,
  };
}

describe('a flow', () => {
  test('is read by the rule of the interface it entered', () => {
    const { ops } = start();
    expect(ops((batch) => batch.opened(FLOW))).toEqual([
      'idle initiator 0 600',
      expect.stringMatching(/^frame initiator 0 \d+ 0$/),
      expect.stringMatching(/^frame responder 0 \d+ 0$/),
    ]);
    expect(ops((batch) => batch.frame(FLOW, 'line', 'responder', { text: '220 mx ESMTP' }))).toContain(
      'forward responder 0',
    );
  });

  test('of another interface is not ours', () => {
    const { ops } = start();
    expect(ops((batch) => batch.opened({ ...FLOW, inInterface: 3, outInterface: 2 }))).toEqual(['stop initiator 3']);
    expect(ops((batch) => batch.opened({ ...FLOW, inInterface: 99 }))).toEqual(['stop initiator 3']);
  });

  test("of a TLS port awaits the client's hello; picked up under way it is not read", () => {
    const { ops, engine, fake } = start();
    expect(ops((batch) => batch.opened({ ...FLOW, protocol: 'imaps' }))).toEqual([
      'idle initiator 0 3600',
      'frame initiator 0 0 0',
      'frame responder 0 0 0',
      'pause responder 0',
      'frame initiator 3 0 0',
      'resume initiator 0',
    ]);
    expect(ops((batch) => batch.opened({ ...FLOW, flow: 8, midstream: true }))).toContain('stop initiator 3');
    fake.flows = [record({ flow: 8, midstream: true })];
    expect(engine.sessions()).toMatchObject([{ rule: 'MAIL', stage: 'tcp', midstream: true }]);
  });

  test('keeps its policy when another one comes, new flows get the new one', () => {
    const { engine, ops, fake } = start();
    ops((batch) => batch.opened({ ...FLOW, protocol: 'pop3' }));
    engine.configure({
      ...{ hostname: 'mx.example', marks: MARKS },
      configuration: { ...CONFIGURATION, rules: [{ name: 'MAIL', protocols: [{ protocol: 'pop3' }] }] },
    });
    expect(fake.configured).toHaveLength(2);
    ops((batch) => batch.opened({ ...FLOW, flow: 8, protocol: 'pop3' }));
    const login = (flow: number) => {
      const known = { flow, generation: 1 };
      ops((batch) => batch.frame(known, 'line', 'responder', { text: '+OK ready' }));
      return ops((batch) => batch.frame(known, 'line', 'initiator', { text: 'USER u1' })).map((op) => op.split(' ')[0]);
    };
    expect(login(7)).toContain('refuse');
    expect(login(8)).toContain('forward');
  });
});

test('what an interface is called, and what holds on it, is asked again after a reload', () => {
  const { fake, ops, engine } = start();
  const moved = { ...FLOW, inInterface: 9 };
  expect(ops((batch) => batch.opened(moved))).toEqual(['stop initiator 3']);
  fake.interfaces.set(9, 'outside0');
  engine.configure({ hostname: 'mx.example', marks: MARKS, configuration: CONFIGURATION });
  expect(ops((batch) => batch.opened({ ...moved, generation: 2 }))).toContain('idle initiator 0 600');
});

test('two sessions of one place share no state', () => {
  const { ops } = start();
  const other = { ...FLOW, flow: 8 };
  ops((batch) => batch.opened(FLOW).opened(other));
  const greeting = { text: '220 mx ESMTP' };
  ops((batch) => batch.frame(FLOW, 'line', 'responder', greeting));
  // The second server has not spoken yet, so its greeting is one and not a reply that nobody asked for.
  expect(ops((batch) => batch.frame(other, 'line', 'responder', greeting))[0]).toBe('forward responder 0');
  expect(ops((batch) => batch.frame(FLOW, 'line', 'responder', greeting))[0]).toMatch(/^refuse/);
});

describe('sessions', () => {
  test('are told in the words of show', () => {
    const { engine, fake, ops } = start();
    ops((batch) => batch.opened(FLOW));
    fake.flows = [record(), record({ flow: 9, stage: 0, protocol: 2 })];
    expect(engine.sessions()).toEqual([
      {
        ...{ id: sessionId(1, 7, 1), protocol: 'smtp', state: 'SIS_OPEN', stage: expect.any(String), rule: 'MAIL' },
        initiator: { address: '192.0.2.1', port: 40_000 },
        responder: { address: '2001:db8::25', port: 25 },
        ...{ bytes: { initiator: 12, responder: 34 }, packets: 5 },
        ...{ createdSecondsAgo: 61, lastHeardSecondsAgo: 0, offloaded: false },
        ...{ inInterface: 'outside0', outInterface: 'inside0' },
      },
      expect.objectContaining({ protocol: 'pop3', state: 'SIS_OPENING', stage: 'tcp', rule: '' }),
    ]);
  });

  test('that are over have the stage of their end', () => {
    const { engine, fake } = start();
    fake.flows = [record({ stage: 2 }), record({ flow: 8, stage: 3 }), record({ flow: 9, stage: 4 })];
    expect(engine.sessions().map(({ state, stage }) => [state, stage])).toEqual([
      ['SIS_CLOSING', 'tcp'],
      ['SIS_CLOSED', 'refused'],
      ['SIS_CLOSED', 'closed'],
    ]);
  });

  test('all of them, however many calls it takes', () => {
    const { engine, fake } = start();
    fake.flows = Array.from({ length: 2_500 }, (_, flow) => record({ flow: flow * 3 }));
    const ids = engine.sessions().map((session) => session.id);
    expect(new Set(ids).size).toBe(2_500);
  });

  test('are cleared by id or all; what is refused or over already is not', () => {
    const { engine, fake } = start();
    fake.flows = [record(), record({ flow: 8 }), record({ flow: 9, stage: 3 }), record({ flow: 10, stage: 4 })];
    expect(engine.clearSessions(sessionId(1, 8, 1).toLowerCase())).toBe(1);
    expect(fake.applied).toMatchObject([{ op: 'end', flow: 8 }]);
    expect(engine.clearSessions('FFFFFFFF')).toBe(0);
    expect(engine.clearSessions('all')).toBe(2);
    expect(fake.applied.map(({ flow }) => flow)).toEqual([8, 7, 8]);
  });
});

describe('statistics', () => {
  test('clearing begins the counts again and leaves what stands at this moment', () => {
    const { engine, fake } = start();
    fake.counters.set('received', 10).set('held', 3).set('max-established', 9).set('drop-stray', 2);
    expect(engine.statistics()).toMatchObject({ counters: { received: 10 }, refusals: { 'stray-segment': 2 } });
    engine.clearStatistics();
    fake.counters.set('received', 15).set('drop-stray', 3);
    expect(engine.statistics()).toMatchObject({
      counters: { received: 5, held: 3, 'max-established': 9, 'drop-stray': 1 },
      refusals: { 'stray-segment': 1 },
    });
  });

  test('masks are counted by what was hidden', () => {
    const { engine, ops } = start();
    ops((batch) => batch.opened(FLOW));
    ops((batch) => batch.frame(FLOW, 'line', 'responder', { text: '220 mx ESMTP' }));
    ops((batch) => batch.frame(FLOW, 'line', 'initiator', { text: 'EHLO client' }));
    ops((batch) => batch.frame(FLOW, 'line', 'responder', { text: '250-mx' }));
    const orders = ops((batch) => batch.frame(FLOW, 'line', 'responder', { text: '250 CHUNKING' }));
    expect(orders[0]).toMatch(/^mask /);
    expect(Object.values(engine.statistics().masks)).toEqual([1]);
  });
});

test('a worker that takes over says so, and the first does not', () => {
  const { fake, engine } = start();
  expect(engine.tookOver).toBe(false);
  const next = new PacketEngine({
    ...{ addon: fake.addon, host: 0, worker: 1, log: () => undefined },
    settings: { configuration: CONFIGURATION, hostname: 'mx.example', marks: MARKS },
  });
  expect(next.tookOver).toBe(true);
  next.close();
  expect(fake.closed).toEqual([0]);
});

test('an inspection that is bound nowhere reads nothing', () => {
  const { ops } = start({ ...CONFIGURATION, interfaces: [] });
  expect(ops((batch) => batch.opened(FLOW))).toEqual(['stop initiator 3']);
});
