import { describe, expect, test } from 'vitest';
import { formatLogMessage } from '../log/format.ts';
import type { LogMessage } from '../log/log-message.ts';
import { allocateBuffers, EVENT, OrderWriter, PORT_PROTOCOLS } from '../native/event-batch.ts';
import { FakeBatch } from '../native/fake-batch.ts';
import { setCounterNames } from './endings.ts';
import { Judge } from './judge.ts';

const COUNTERS = ['drop-invalid-window-scale', 'drop-stray', 'drop-refused', 'drop-flow-table-full'];
const SYN_ACK = 0x12;

/** Server 192.0.2.2:25 to client 192.0.2.1:40000, as the packet loop tells of it. */
function record(): Buffer {
  const octets = Buffer.alloc(2 * 19 + 4 * 4);
  octets.set([4, 192, 0, 2, 2], 0);
  octets.writeUInt16BE(25, 17);
  octets.set([4, 192, 0, 2, 1], 19);
  octets.writeUInt16BE(40_000, 36);
  for (const [index, word] of [7, SYN_ACK, 5, 6].entries()) octets.writeUInt32BE(word, 38 + 4 * index);
  return octets;
}

interface Setting {
  readonly logsDrops?: boolean;
  readonly alerts?: boolean;
}

/** The lines that a dropped packet is worth. */
function linesOf(
  counter: string,
  more: { readonly transport?: 'udp' | 'icmp'; readonly low?: number } = {},
  set: Setting = {},
) {
  setCounterNames(COUNTERS);
  const buffers = allocateBuffers();
  const messages: LogMessage[] = [];
  const judge = new Judge(buffers, new OrderWriter(buffers), {
    open: () => undefined,
    log: (message) => void messages.push(message),
    logsDrops: () => set.logsDrops ?? true,
    alerts: () => set.alerts ?? true,
  });
  const batch = new FakeBatch(buffers);
  const flow = { flow: PORT_PROTOCOLS.indexOf(more.transport ?? 'none'), generation: 9 };
  const words = { low: more.low ?? 0, high: 0, extra: COUNTERS.indexOf(counter) };
  batch.add({ head: EVENT.dropped, flow, text: record(), ...words });
  judge.judge(batch.count);
  return messages.map((message) => {
    const { severity, mnemonic, text } = formatLogMessage(message);
    return `${severity}-${mnemonic}: ${text}`;
  });
}

describe('the line of a dropped packet', () => {
  test('has the reason of IOS, and the numbers of TCP', () => {
    expect(linesOf('drop-stray')).toEqual([
      '6-DROP_PKT: Dropping tcp session 192.0.2.2:25 192.0.2.1:40000 due to  Stray Segment with ip ident 7 tcpflags 0x12 seq.no 5 ack 6',
    ]);
  });

  test.each(['udp', 'icmp'] as const)('of %s has none of them', (transport) => {
    expect(linesOf('drop-flow-table-full', { transport })).toEqual([
      `6-DROP_PKT: Dropping ${transport} session 192.0.2.2:25 192.0.2.1:40000 due to  Session limiting with ip ident 7`,
    ]);
  });

  test('is not written for what is part of a refusal, nor where nobody asked for it', () => {
    expect(linesOf('drop-refused')).toEqual([]);
    expect(linesOf('drop-stray', {}, { logsDrops: false })).toEqual([]);
  });
});

describe('a SYN-ACK that scales its window uninvited', () => {
  const ALERT =
    '3-RESPONDER_WND_SCALE_INI_NO_SCALE: Dropping packet - Invalid Window Scale option for session ' +
    '192.0.2.1:40000 to 192.0.2.2:25 (Initiator scale 0 Responder scale 7)';
  const scaled = { low: 0x107 };

  test('is an alert with both scales, beside the line of the packet', () => {
    expect(linesOf('drop-invalid-window-scale', scaled)).toEqual([expect.stringContaining('DROP_PKT'), ALERT]);
  });

  test('has a name of its own where the scale is none that there can be', () => {
    expect(linesOf('drop-invalid-window-scale', { low: 0x10f }, { logsDrops: false })).toEqual([
      ALERT.replace('INI_NO_SCALE', 'INVALID_SCALE').replace('scale 7', 'scale 15'),
    ]);
    expect(linesOf('drop-invalid-window-scale', { low: 0x10e }, { logsDrops: false })[0]).toContain('INI_NO_SCALE');
  });

  test('is one without log drop-pkt too, and none with alert-off', () => {
    expect(linesOf('drop-invalid-window-scale', scaled, { logsDrops: false })).toEqual([ALERT]);
    expect(linesOf('drop-invalid-window-scale', scaled, { logsDrops: false, alerts: false })).toEqual([]);
  });

  test('other drops of packets with a scale are none', () => {
    expect(linesOf('drop-stray', scaled, { logsDrops: false })).toEqual([]);
    expect(linesOf('drop-invalid-window-scale', {}, { logsDrops: false })).toEqual([]);
  });
});
