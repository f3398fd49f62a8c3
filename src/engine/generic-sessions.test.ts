import { describe, expect, test } from 'vitest';
import type { LogMessage } from '../log/log-message.ts';
import type { FlowRecord } from '../native/addon.ts';
import { END_REASONS, PORT_PROTOCOLS } from '../native/event-batch.ts';
import { createFakeAddon } from '../native/fake-addon.ts';
import type { FakeBatch, FakeFlow } from '../native/fake-batch.ts';
import { type Configuration, EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { PacketEngine } from './packet-engine.ts';
import { makeSessionCounts, SessionLimits } from './session-limits.ts';

const CONFIGURATION: Configuration = {
  ...EMPTY_CONFIGURATION,
  rules: [
    {
      name: 'ALL',
      protocols: [
        { protocol: 'smtp' },
        { protocol: 'tcp', timeoutSeconds: 7_200, auditTrail: true },
        { protocol: 'udp', auditTrail: true, alert: false },
        { protocol: 'icmp' },
      ],
    },
  ],
  interfaces: [
    { name: 'inside0', inspectIn: 'ALL' },
    { name: 'outside0', accessGroupIn: '102' },
  ],
};
const FIRST_DATAGRAM = 131_072;
const NOT_READ = 'stop initiator 3';
/** The packet that began a session of datagrams, which waited for its verdict. */
const PASSED = 'forward initiator 0';

const TCP: FakeFlow = {
  ...{ flow: 7, generation: 1, protocol: 'tcp', inInterface: 3, outInterface: 2 },
  initiator: { address: [192, 0, 2, 1], port: 40_000 },
  responder: { address: [203, 0, 113, 5], port: 22 },
};
const UDP: FakeFlow = { ...TCP, flow: FIRST_DATAGRAM, protocol: 'udp', responder: { ...TCP.responder, port: 123 } };

function start(configuration = CONFIGURATION, maximum = { all: Number.POSITIVE_INFINITY, rule: 100 }) {
  const fake = createFakeAddon();
  fake.interfaces.set(2, 'outside0').set(3, 'inside0');
  const messages: LogMessage[] = [];
  const limits = new SessionLimits(makeSessionCounts(1), 0, {
    maximum: maximum.all,
    rules: [{ rule: 'ALL', place: 1, maximum: maximum.rule }],
  });
  const engine = new PacketEngine({
    ...{ addon: fake.addon, host: 0, worker: 0, limits },
    settings: {
      ...{ configuration, hostname: 'mx.example' },
      marks: { offloadBoth: 2, offloadResponder: 4, clear: 8, session: 16 },
    },
    log: (message) => void messages.push(message),
  });
  const ops = (write: (batch: FakeBatch) => unknown) =>
    fake.deliver(write).map(({ op, side, flags, arguments: rest }) => [op, side, flags, ...rest].join(' '));
  return { fake, engine, messages, ops };
}

function record(of: FakeFlow, changes: Partial<FlowRecord> = {}): FlowRecord {
  return {
    ...{ flow: of.flow, generation: of.generation, protocol: PORT_PROTOCOLS.indexOf(of.protocol), stage: 1 },
    ...{ initiatorAddress: Uint8Array.from(of.initiator.address), initiatorPort: of.initiator.port },
    ...{ responderAddress: Uint8Array.from(of.responder.address), responderPort: of.responder.port },
    ...{ initiatorBytes: 0, responderBytes: 0, createdMsAgo: 0, lastHeardMsAgo: 0, offloaded: false },
    ...{ midstream: false, initiatorPackets: 9, responderPackets: 12 },
    ...{ inInterface: of.inInterface ?? 0, outInterface: of.outInterface ?? 0 },
    ...changes,
  };
}

describe('generic inspection', () => {
  test('gives each transport its time, and reads none', () => {
    const { ops } = start();
    expect(ops((batch) => batch.opened(TCP))).toEqual(['idle initiator 0 7200', NOT_READ]);
    expect(ops((batch) => batch.opened(UDP))).toEqual(['idle initiator 0 30', PASSED]);
    const ping = { ...UDP, flow: FIRST_DATAGRAM + 2, protocol: 'icmp' as const };
    expect(ops((batch) => batch.opened(ping))).toEqual(['idle initiator 0 10', PASSED]);
  });

  test('shows a mail port without a line of its own as tcp, and does not read it', () => {
    const { ops, engine, fake } = start();
    const mailbox = { ...TCP, protocol: 'pop3' as const, responder: { ...TCP.responder, port: 110 } };
    expect(ops((batch) => batch.opened(mailbox))).toEqual(['idle initiator 0 7200', NOT_READ]);
    fake.flows = [record(mailbox)];
    expect(engine.sessions()).toMatchObject([{ protocol: 'tcp', stage: 'tcp', rule: 'ALL' }]);
    const mail = { ...TCP, flow: 8, protocol: 'smtp' as const };
    expect(ops((batch) => batch.opened(mail))).toContainEqual(expect.stringMatching(/^frame/));
  });

  test('shows contradictions between segments where there were any', () => {
    const { ops, engine, fake } = start();
    ops((batch) => batch.opened(TCP));
    fake.flows = [record(TCP, { altered: 3 })];
    expect(engine.sessions()).toMatchObject([{ altered: 3 }]);
    fake.flows = [record(TCP, { altered: 0 })];
    expect(engine.sessions()[0]).not.toHaveProperty('altered');
  });

  test('is told of as its line says: audit trail and alerts', () => {
    const { ops, messages } = start();
    const ping = { ...UDP, flow: FIRST_DATAGRAM + 2, protocol: 'icmp' as const };
    ops((batch) => batch.opened(UDP).opened(ping));
    ops((batch) => batch.closed(UDP, 'idle-timeout', [10, 20]).closed(ping, 'idle-timeout', [0, 0]));
    expect(messages.map(({ id, fields }) => [id, 'protocol' in fields ? fields.protocol : ''])).toEqual([
      ['SESS_AUDIT_TRAIL_START', 'udp'],
      ['SESS_AUDIT_TRAIL', 'udp'],
      ['SESSION_EXPIRED', 'icmp'],
    ]);
    expect(messages[1]?.fields).toMatchObject({ initiatorBytes: 10, responderBytes: 20 });
  });
});

describe('the opening', () => {
  test('is the list that the answers would meet where they come in', () => {
    const { ops, engine, fake } = start();
    ops((batch) => batch.opened(TCP));
    fake.flows = [record(TCP)];
    expect(engine.sessions()).toMatchObject([
      { opening: { list: '102', matches: 12 }, inInterface: 'inside0', outInterface: 'outside0' },
    ]);
  });

  test('or where they go out; of the initiating direction no list is one', () => {
    const interfaces = [{ name: 'inside0', inspectIn: 'ALL', accessGroupIn: '10', accessGroupOut: 'OUT' }];
    const { ops, engine, fake } = start({ ...CONFIGURATION, interfaces });
    ops((batch) => batch.opened(TCP));
    fake.flows = [record(TCP)];
    expect(engine.sessions()[0]?.opening?.list).toBe('OUT');
    const none = start({ ...CONFIGURATION, interfaces: [{ name: 'inside0', inspectIn: 'ALL', accessGroupIn: '10' }] });
    none.ops((batch) => batch.opened(TCP));
    none.fake.flows = [record(TCP)];
    expect(none.engine.sessions()[0]).not.toHaveProperty('opening');
  });

  test('belongs to sessions: a flow that is none has no opening', () => {
    const { engine, fake } = start();
    fake.flows = [record(TCP)];
    expect(engine.sessions()[0]).not.toHaveProperty('opening');
  });
});

describe('a session that is over', () => {
  test('keeps its rule while show lists it', () => {
    const { ops, engine, fake } = start();
    ops((batch) => batch.opened(TCP));
    ops((batch) => batch.closed(TCP, 'closed', [1, 1]));
    fake.flows = [record(TCP, { stage: 4 })];
    expect(engine.sessions()).toMatchObject([{ state: 'SIS_CLOSED', stage: 'closed', rule: 'ALL', protocol: 'tcp' }]);
    fake.flows = [record({ ...TCP, generation: 2 }, { stage: 0 })];
    expect(engine.sessions()).toMatchObject([{ state: 'SIS_OPENING', rule: '' }]);
  });
});

describe('sessions beyond the limit', () => {
  const refused = `end initiator 0 ${END_REASONS.indexOf('refused')}`;

  test('are ended with the reason, and one that ends makes room for one', () => {
    const { ops, engine, messages } = start(CONFIGURATION, { all: Number.POSITIVE_INFINITY, rule: 1 });
    const flow = (index: number) => ({ ...TCP, flow: index, protocol: 'smtp' as const });
    expect(ops((batch) => batch.opened(flow(1)))).not.toContain(refused);
    expect(ops((batch) => batch.opened(flow(2)))).toEqual([refused]);
    expect(engine.statistics().refusals).toEqual({ 'session-limit': 1 });
    expect(messages.map(({ id }) => id)).toEqual(['RESOURCE_LIMIT']);
    // The end of a session that was never counted frees nothing.
    ops((batch) => batch.closed(flow(2), 'refused', [0, 0]));
    expect(ops((batch) => batch.opened(flow(3)))).toEqual([refused]);
    ops((batch) => batch.closed(flow(1), 'closed', [0, 0]));
    expect(ops((batch) => batch.opened(flow(4)))).not.toContain(refused);
  });

  test('of all rules together; flows of no rule are not counted', () => {
    const { ops } = start(CONFIGURATION, { all: 1, rule: 100 });
    expect(ops((batch) => batch.opened({ ...TCP, inInterface: 2, outInterface: 3 }))).toEqual([NOT_READ]);
    expect(ops((batch) => batch.opened({ ...TCP, flow: 8 }))).not.toContain(refused);
    expect(ops((batch) => batch.opened(UDP))).toEqual([refused]);
  });
});
