import { describe, expect, test } from 'vitest';
import type { Frame, Inspector } from '../inspect/inspector.ts';
import { isSessionId, sessionContext, sessionId, startDialogue } from './session.ts';

const line = (text: string): Frame => ({ kind: 'line', from: 'initiator', text, end: 'crlf' });

/** Counts the frames it was stepped with; a machine that wrongly moves on a partial frame would count it too. */
const counting: Inspector<number, { readonly name: string }> = {
  name: 'counting',
  initial: 0,
  lineBytesMax: { initiator: 7, responder: 9 },
  step: (state) => ({ state: state + 1, actions: [{ kind: 'forward' }] }),
  stage: (state) => `step ${state}`,
};

describe('startDialogue', () => {
  test('moves the state on whole frames, not on partial ones', () => {
    const dialogue = startDialogue(counting, { name: 'x' });
    expect(dialogue.stage()).toBe('step 0');
    expect(dialogue.step({ kind: 'partial', from: 'initiator', text: 'NO' })).toEqual([{ kind: 'forward' }]);
    expect(dialogue.stage()).toBe('step 0');
    dialogue.step(line('NOOP'));
    expect(dialogue.stage()).toBe('step 1');
    expect(dialogue.lineBytesMax).toEqual({ initiator: 7, responder: 9 });
  });

  test('two sessions share nothing', () => {
    const [one, other] = [startDialogue(counting, { name: 'x' }), startDialogue(counting, { name: 'x' })];
    one.step(line('NOOP'));
    expect([one.stage(), other.stage()]).toEqual(['step 1', 'step 0']);
  });

  test('an inspector sees the policy it was started with', () => {
    const seen: string[] = [];
    const dialogue = startDialogue(
      {
        ...counting,
        step: (state, _frame, policy) => {
          seen.push(policy.name);
          return { state, actions: [] };
        },
      },
      { name: 'mine' },
    );
    dialogue.step(line('NOOP'));
    expect(seen).toEqual(['mine']);
  });
});

describe('sessionId', () => {
  test('eight upper-case hex digits, whatever the numbers', () => {
    for (const [worker, flow, generation] of [
      [0, 0, 0],
      [3, 131_071, 4_294_967_295],
      [1, 77, 123_456],
    ] as const) {
      expect(sessionId(worker, flow, generation)).toMatch(/^[0-9A-F]{8}$/);
    }
  });

  test('workers, flows and the generations of a flow differ', () => {
    const ids = [0, 1, 2, 3].flatMap((worker) =>
      [0, 1, 131_071].flatMap((flow) => [0, 1, 2, 8_190].map((generation) => sessionId(worker, flow, generation))),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('is recognised in any case and without its leading zeros', () => {
    const id = sessionId(0, 171, 0);
    expect(isSessionId(id.toLowerCase(), 0, 171, 0)).toBe(true);
    expect(isSessionId(id.replace(/^0+/, ''), 0, 171, 0)).toBe(true);
    expect(isSessionId(id, 1, 171, 0)).toBe(false);
    expect(isSessionId(id, 0, 171, 1)).toBe(false);
    expect(isSessionId('', 0, 171, 0)).toBe(false);
  });
});

test('a log message names the session and nothing of its dialogue', () => {
  const session = {
    ...{ id: '00020001', flow: 1, generation: 0, protocol: 'smtp' as const, rule: 'MAIL' },
    initiator: { address: '192.0.2.1', port: 1 },
    responder: { address: '192.0.2.2', port: 25 },
    ...{ alert: true, auditTrail: false, dialogue: startDialogue(counting, { name: 'x' }) },
  };
  expect(sessionContext(session)).toEqual({
    ...{ protocol: 'smtp', rule: 'MAIL', session: '00020001' },
    ...{ initiator: session.initiator, responder: session.responder },
  });
});
