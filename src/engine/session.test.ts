import { describe, expect, test } from 'vitest';
import type { Frame, Inspector } from '../inspect/inspector.ts';
import { halfOpenEntry, halfOpenId, isSessionId, sessionContext, sessionId, startDialogue } from './session.ts';

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
    const dialogue = startDialogue({ inspector: counting, policy: { name: 'x' } });
    expect(dialogue.stage()).toBe('step 0');
    expect(dialogue.step({ kind: 'partial', from: 'initiator', text: 'NO' })).toEqual([{ kind: 'forward' }]);
    expect(dialogue.stage()).toBe('step 0');
    dialogue.step(line('NOOP'));
    expect(dialogue.stage()).toBe('step 1');
    expect(dialogue.lineBytesMax).toEqual({ initiator: 7, responder: 9 });
  });

  test('two sessions share nothing', () => {
    const [one, other] = [
      startDialogue({ inspector: counting, policy: { name: 'x' } }),
      startDialogue({ inspector: counting, policy: { name: 'x' } }),
    ];
    one.step(line('NOOP'));
    expect([one.stage(), other.stage()]).toEqual(['step 1', 'step 0']);
  });

  test('an inspector sees the policy it was started with', () => {
    const seen: string[] = [];
    const inspector: typeof counting = {
      ...counting,
      step: (state, _frame, policy) => {
        seen.push(policy.name);
        return { state, actions: [] };
      },
    };
    const dialogue = startDialogue({ inspector, policy: { name: 'mine' } });
    dialogue.step(line('NOOP'));
    expect(seen).toEqual(['mine']);
  });
});

describe('sessionId', () => {
  test('eight upper-case hex digits, whatever the numbers', () => {
    for (const [worker, flow, generation] of [
      [0, 0, 0],
      [3, 262_143, 4_294_967_295],
      [1, 77, 123_456],
    ] as const) {
      expect(sessionId(worker, flow, generation)).toMatch(/^[0-7][0-9A-F]{7}$/);
    }
  });

  test('workers, flows and the generations of a flow differ', () => {
    const ids = [0, 1, 2, 3].flatMap((worker) =>
      // Datagram sessions begin at 2^17.
      [0, 1, 131_071, 131_072, 262_143].flatMap((flow) =>
        [0, 1, 2, 2_046].map((generation) => sessionId(worker, flow, generation)),
      ),
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

describe('halfOpenId', () => {
  test('never the id of a flow, and its entry can be told from it', () => {
    for (const entry of [0, 1, 4_711, 1_048_575]) {
      for (const generation of [0, 1, 2_047, 4_294_967_295]) {
        const id = halfOpenId(entry, generation);
        expect(id).toMatch(/^[89A-F][0-9A-F]{7}$/);
        expect(halfOpenEntry(id)).toBe(entry);
        expect(halfOpenEntry(id.toLowerCase())).toBe(entry);
      }
    }
    expect(halfOpenId(5, 1)).not.toBe(halfOpenId(5, 2));
  });

  test('what is no such id names no entry', () => {
    for (const id of ['', '7FFFFFFF', '0', 'all', '8000000', '800000000', '8000000G', sessionId(3, 262_143, 9)]) {
      expect(halfOpenEntry(id)).toBeUndefined();
    }
  });
});

test('a log message names the session and nothing of its dialogue', () => {
  const session = {
    ...{ id: '00020001', flow: 1, generation: 0, protocol: 'smtp' as const, rule: 'MAIL' },
    initiator: { address: '192.0.2.1', port: 1 },
    responder: { address: '192.0.2.2', port: 25 },
    ...{
      alert: true,
      auditTrail: false,
      idleSeconds: 3_600,
      dialogue: startDialogue({ inspector: counting, policy: { name: 'x' } }),
    },
  };
  expect(sessionContext(session)).toEqual({
    ...{ protocol: 'smtp', rule: 'MAIL', session: '00020001' },
    ...{ initiator: session.initiator, responder: session.responder },
  });
});
