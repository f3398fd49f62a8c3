import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JudgedEvent } from '../../src/engine/judge.ts';
import { PacketEngine } from '../../src/engine/packet-engine.ts';
import { makeSessionCounts, SessionLimits } from '../../src/engine/session-limits.ts';
import { formatLogMessage, iosLine } from '../../src/log/format.ts';
import { loadAddon } from '../../src/native/addon.ts';
import { EMPTY_CONFIGURATION, type ProtocolInspection } from '../../src/policy/configuration.ts';
import { datagramPacket, fileOf, icmpEcho, type Packet, segment } from './generic-packets.ts';
import { ACK, FIN, PSH, SYN } from './tcp-packet.ts';

const addon = loadAddon();
const GENERIC: readonly ProtocolInspection[] = [
  { protocol: 'smtp' },
  { protocol: 'tcp', auditTrail: true },
  { protocol: 'udp', auditTrail: true },
  { protocol: 'icmp' },
];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-generic-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(packets: readonly Packet[], protocols = GENERIC, maximum = Number.POSITIVE_INFINITY) {
  const input = join(folder, 'in.pcap');
  writeFileSync(input, fileOf(packets));
  const events: JudgedEvent[] = [];
  const log: string[] = [];
  const engine = new PacketEngine({
    addon,
    ...{ host: addon.openCapture(input, null), worker: 0 },
    limits: new SessionLimits(makeSessionCounts(1), 0, { maximum, rules: [] }),
    settings: {
      configuration: {
        ...EMPTY_CONFIGURATION,
        rules: [{ name: 'ALL', protocols }],
        interfaces: [{ name: 'any', inspectIn: 'ALL' }],
      },
      hostname: 'mx.example',
      marks: { offloadBoth: 0, offloadResponder: 0, clear: 0, session: 0 },
    },
    log: (message) => void log.push(iosLine(formatLogMessage(message))),
    observe: (event) => void events.push(event),
  });
  try {
    engine.run();
    const { counters, refusals } = engine.statistics();
    const opened = events.filter(({ kind }) => kind === 'open').map(({ session }) => session?.protocol ?? 'none');
    const drops = events.filter(({ kind }) => kind === 'drop').map(({ packet, what }) => `${packet} ${what}`);
    const sessions = engine.sessions();
    const told = [...log];
    const cleared = engine.clearSessions('all');
    const left = engine.sessions().filter(({ state }) => state !== 'SIS_CLOSED').length;
    return { opened, drops, log: told, counters, refusals, sessions, cleared, left };
  } finally {
    engine.close();
  }
}

const HANDSHAKE = (port: number): readonly Packet[] => [
  segment('initiator', port, { flags: SYN, sequence: 100 }),
  segment('responder', port, { flags: SYN | ACK, sequence: 500, acknowledgement: 101 }),
  segment('initiator', port, { flags: ACK, sequence: 101, acknowledgement: 501 }),
];
const BYE = (port: number): readonly Packet[] => [
  segment('initiator', port, { flags: ACK | PSH, sequence: 101, acknowledgement: 501, payload: 'hello' }),
  segment('initiator', port, { flags: ACK | FIN, sequence: 106, acknowledgement: 501 }),
  segment('responder', port, { flags: ACK | FIN, sequence: 501, acknowledgement: 107 }),
  segment('initiator', port, { flags: ACK, sequence: 107, acknowledgement: 502 }),
];

test('a port without a mail protocol is a session of tcp where tcp is inspected', () => {
  const { opened, drops, log } = run([...HANDSHAKE(22), ...BYE(22)]);
  expect(opened).toEqual(['tcp']);
  expect(drops).toEqual([]);
  expect(log).toEqual([
    '%FW-6-SESS_AUDIT_TRAIL_START: Start tcp session: initiator (192.0.2.1:40001) -- responder (192.0.2.2:22)',
    '%FW-6-SESS_AUDIT_TRAIL: Stop tcp session: initiator (192.0.2.1:40001) sent 5 bytes -- responder (192.0.2.2:22) sent 0 bytes',
  ]);
});

test('and none where it is not', () => {
  const { opened, counters } = run([...HANDSHAKE(22), ...BYE(22)], [{ protocol: 'smtp' }]);
  expect(opened).toEqual([]);
  expect(counters.dropped).toBe(0);
});

test('a mail port is read by its own line, and by that of tcp only where it has none', () => {
  expect(run(HANDSHAKE(25)).opened).toEqual(['smtp']);
  expect(run(HANDSHAKE(110)).opened).toEqual(['tcp']);
});

test('datagrams and echoes are sessions: half-open until they are answered', () => {
  const { opened, drops, sessions, cleared, left } = run([
    ...HANDSHAKE(22),
    datagramPacket('initiator', 53, 'query'),
    datagramPacket('responder', 53, 'answer'),
    datagramPacket('initiator', 123, 'time?'),
    icmpEcho('initiator', 8),
    icmpEcho('responder', 0),
  ]);
  expect(opened).toEqual(['tcp', 'udp', 'udp', 'icmp']);
  expect({ cleared, left }).toEqual({ cleared: 4, left: 0 });
  expect(drops).toEqual([]);
  const shown = sessions.map(
    ({ protocol, state, stage, rule, responder }) => `${protocol} ${responder.port} ${state} ${stage} ${rule}`,
  );
  expect(shown.toSorted()).toEqual([
    'icmp 0 SIS_OPEN icmp ALL',
    'tcp 22 SIS_OPEN tcp ALL',
    'udp 123 SIS_OPENING udp ALL',
    'udp 53 SIS_OPEN udp ALL',
  ]);
});

test('beyond the limit a session is ended and its packet goes nowhere', () => {
  const { counters, refusals, log } = run(
    [datagramPacket('initiator', 53, 'query'), datagramPacket('initiator', 123, 'time?')],
    GENERIC,
    1,
  );
  expect(refusals).toMatchObject({ 'session-limit': 1 });
  expect(counters).toMatchObject({ received: 2, accepted: 1, dropped: 1 });
  expect(log.at(-1)).toMatch(/RESOURCE_LIMIT: Refused udp session: .*192\.0\.2\.2:123/);
});

test('a SYN-ACK that scales its window uninvited is refused, with both scales told', () => {
  const [syn, , ack] = HANDSHAKE(25);
  const scaled = segment('responder', 25, { flags: SYN | ACK, sequence: 500, acknowledgement: 101, windowScale: 7 });
  if (syn === undefined || ack === undefined) throw new Error('no handshake');
  const { drops, log, refusals } = run([syn, scaled]);
  expect(drops).toEqual(['2 invalid-window-scale']);
  expect(refusals).toEqual({ 'invalid-window-scale': 1 });
  expect(log).toEqual([
    '%FW-3-RESPONDER_WND_SCALE_INI_NO_SCALE: Dropping packet - Invalid Window Scale option for session ' +
      '192.0.2.1:40001 to 192.0.2.2:25 (Initiator scale 0 Responder scale 7)',
  ]);
});
