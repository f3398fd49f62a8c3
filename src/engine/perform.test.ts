import { describe, expect, test } from 'vitest';
import type { Action, Frame } from '../inspect/inspector.ts';
import type { LogMessage } from '../log/log-message.ts';
import { allocateBuffers, FRAMING, OrderWriter } from '../native/event-batch.ts';
import { readOrders } from '../native/fake-batch.ts';
import { perform, refuseBroken } from './perform.ts';
import type { Session } from './session.ts';

const LINE: Frame = { kind: 'line', from: 'initiator', text: 'EXPN list', end: 'crlf' };
const PARTIAL: Frame = { kind: 'partial', from: 'initiator', text: 'EXP' };

function stage(changes: Partial<Session> = {}) {
  const buffers = allocateBuffers();
  const orders = new OrderWriter(buffers);
  const messages: LogMessage[] = [];
  const masks: string[] = [];
  const session: Session = {
    ...{ id: '00020005', flow: 5, generation: 1, protocol: 'smtp', rule: 'MAIL', alert: true, auditTrail: false },
    initiator: { address: '192.0.2.1', port: 40_000 },
    responder: { address: '192.0.2.2', port: 25 },
    idleSeconds: 3_600,
    dialogue: { lineBytesMax: { initiator: 512, responder: 600 }, step: () => [], stage: () => 'x' },
    ...changes,
  };
  const context = {
    orders,
    log: (message: LogMessage) => void messages.push(message),
    countMask: (what: string) => void masks.push(what),
    matched: () => undefined,
    learn: () => undefined,
  };
  const written = () =>
    readOrders(new Uint32Array(buffers.orders, 0, orders.length)).map((order) => [
      ...[order.op, order.side, order.flags, order.flow],
      ...order.arguments,
    ]);
  return {
    written,
    masks,
    ids: () => messages.map((message) => message.id),
    messages,
    act: (actions: readonly Action[], frame: Frame = LINE) => perform(context, session, frame, actions),
    broken: (error: unknown) => refuseBroken(context, session, error),
    said: (start = 0, length = 0) => Buffer.from(buffers.orderArena, start, length).toString('latin1'),
  };
}

const MASK: Action = { kind: 'mask', start: 0, length: 4, fill: 'X', what: 'EXPN' };

describe('verdicts', () => {
  test('forward', () => {
    const { act, written } = stage();
    expect(act([{ kind: 'forward' }], { ...LINE, from: 'responder' })).toEqual({ verdict: 'forward' });
    expect(written()).toEqual([['forward', 'responder', 0, 5]]);
  });

  test('a mask is counted with its line and its octet goes along', () => {
    const { act, written, masks } = stage();
    expect(act([MASK, { kind: 'forward' }])).toEqual({ verdict: 'mask' });
    expect(written()).toEqual([
      ['mask', 'initiator', 0x58, 5, 0, 4],
      ['forward', 'initiator', 0, 5],
    ]);
    expect(masks).toEqual(['EXPN']);
  });

  test('a mask of a prefix is not counted: the line it grows into will be', () => {
    const { act, masks } = stage();
    expect(act([MASK, { kind: 'forward' }], PARTIAL)).toEqual({ verdict: 'mask' });
    expect(masks).toEqual([]);
  });

  test('no action holds', () => {
    const { act, written } = stage();
    expect(act([])).toEqual({ verdict: 'hold' });
    expect(written()).toEqual([]);
  });
});

describe('refusals', () => {
  const words = '554 5.7.1 No\r\n';

  test('with words', () => {
    const { act, written, said, ids, messages } = stage();
    const outcome = act([{ kind: 'refuse', reason: 'invalid-command', how: 'words', words }]);
    expect(outcome).toEqual({ verdict: 'refuse', reason: 'invalid-command' });
    expect(written()).toEqual([['refuse', 'initiator', 0, 5, 0, words.length]]);
    expect(said(0, words.length)).toBe(words);
    expect(ids()).toEqual(['SESSION_REFUSED']);
    expect(messages[0]?.fields).toMatchObject({ session: '00020005', rule: 'MAIL', reason: 'invalid-command' });
  });

  test('with RST', () => {
    const { act, written } = stage();
    act([{ kind: 'refuse', reason: 'early-talk', how: 'reset' }]);
    expect(written()).toEqual([['refuse', 'initiator', 1, 5, 0, 0]]);
  });

  test('alert off: refused all the same, and nothing is said', () => {
    const { act, written, ids } = stage({ alert: false });
    act([
      { kind: 'alert', alert: { id: 'POP3_INVALID_COMMAND', text: 'XTND' } },
      { kind: 'refuse', reason: 'invalid-command', how: 'reset' },
    ]);
    expect(written()).toHaveLength(1);
    expect(ids()).toEqual([]);
  });

  test('a general alert beside a refusal would say the same twice', () => {
    const refusal: Action = { kind: 'refuse', reason: 'invalid-reply', how: 'reset' };
    const general: Action = { kind: 'alert', alert: { id: 'PROTOCOL_VIOLATION', text: 'reply 999' } };
    const own: Action = { kind: 'alert', alert: { id: 'POP3_INVALID_COMMAND', text: 'XTND' } };
    const one = stage();
    one.act([general, refusal]);
    expect(one.ids()).toEqual(['SESSION_REFUSED']);
    const two = stage();
    two.act([own, refusal]);
    expect(two.ids()).toEqual(['POP3_INVALID_COMMAND', 'SESSION_REFUSED']);
    const three = stage();
    three.act([general, { kind: 'forward' }]);
    expect(three.ids()).toEqual(['PROTOCOL_VIOLATION']);
  });

  test('an inspector that throws ends its session, and its error says nothing of the stream', () => {
    const { broken, written, messages } = stage();
    expect(broken(new TypeError('PASS hunter2'))).toEqual({ verdict: 'refuse', reason: 'engine-error' });
    expect(written()).toEqual([['refuse', 'initiator', 1, 5, 0, 0]]);
    expect(messages[0]?.id).toBe('ERROR');
    expect(JSON.stringify(messages)).toContain('TypeError');
    expect(JSON.stringify(messages)).toContain('perform.test.ts');
    expect(JSON.stringify(messages)).not.toContain('hunter2');
  });

  test('not even when the error has lines, or no stack of its own', () => {
    const { broken, messages } = stage();
    broken(new Error('PASS\nhunter2\n at hunter2'));
    const renamed = new Error('PASS\nhunter2');
    renamed.name = 'Renamed';
    broken(renamed);
    broken('hunter2');
    expect(messages).toHaveLength(3);
    expect(JSON.stringify(messages)).not.toContain('hunter2');
  });
});

describe('steering', () => {
  test.each<readonly [Action, readonly (readonly (string | number)[])[]]>([
    [{ kind: 'pause', side: 'initiator' }, [['pause', 'initiator', 0, 5]]],
    [{ kind: 'resume', side: 'responder' }, [['resume', 'responder', 0, 5]]],
    [{ kind: 'stopInspecting', because: 'tls' }, [['stop', 'initiator', 1, 5]]],
    [{ kind: 'stopInspecting', because: 'authenticated' }, [['stop', 'initiator', 2, 5]]],
    [
      { kind: 'inspectAgain' },
      [
        ['again', 'initiator', 0, 5],
        ['frame', 'initiator', FRAMING.lines, 5, 512, 0],
        ['frame', 'responder', FRAMING.lines, 5, 600, 0],
      ],
    ],
  ])('%j', (action, expected) => {
    const { act, written } = stage();
    act([action]);
    expect(written()).toEqual(expected);
  });

  test.each([
    ['beginData', 1],
    ['beginChunks', 2],
    ['finish', 3],
    ['drop', 4],
  ] as const)('content %s, with the plan of the session', (what, flags) => {
    const { act, written } = stage({ contentPlan: 12 });
    expect(act([{ kind: 'content', what }])).toEqual({ verdict: 'hold' });
    expect(written()).toEqual([['content', 'initiator', flags, 5, 12]]);
  });

  test('content without a plan names none that there is', () => {
    const { act, written } = stage();
    act([{ kind: 'content', what: 'beginData' }]);
    expect(written()).toEqual([['content', 'initiator', 1, 5, 0]]);
  });

  test.each([
    [{ kind: 'lines', budgetBytes: 255 } as const, FRAMING.lines, 255, 0],
    [{ kind: 'lines', budgetBytes: 512, tolerant: true } as const, FRAMING.lines | 0x10, 512, 0],
    [{ kind: 'counted', bytes: 2 ** 32 + 1 } as const, FRAMING.counted, 1, 1],
    [{ kind: 'mailData', budgetBytes: 20_971_520 } as const, FRAMING.mailData, 20_971_520, 0],
    [{ kind: 'tls' } as const, FRAMING.tls, 0, 0],
    [{ kind: 'tls', alerts: true } as const, FRAMING.tls | 0x10, 0, 0],
    [{ kind: 'opaque' } as const, FRAMING.opaque, 0, 0],
  ])('%j', (mode, flags, low, high) => {
    const { act, written } = stage();
    act([{ kind: 'frameAs', from: 'responder', mode }]);
    expect(written()).toEqual([['frame', 'responder', flags, 5, low, high]]);
  });
});
