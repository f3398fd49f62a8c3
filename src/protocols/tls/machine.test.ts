import { describe, expect, test } from 'vitest';
import type { Frame, Side } from '../../inspect/inspector.ts';
import { tls } from './machine.ts';

const hello = (from: Side, wellFormed = true): Frame => ({ kind: 'tlsStart', from, wellFormed });
const refused = (reason: string) => [{ kind: 'refuse', reason, how: 'reset' }];
const AWAIT_SERVER = { kind: 'frameAs', from: 'responder', mode: { kind: 'tls', alerts: true } };
const play = (...frames: Frame[]) => {
  let step = tls.step(tls.initial, frames[0] ?? hello('initiator'), undefined);
  for (const frame of frames.slice(1)) step = tls.step(step.state, frame, undefined);
  return step;
};

describe('a TLS port', () => {
  test("awaits the client's hello and holds the server until then", () => {
    expect(tls.begin).toEqual([
      { kind: 'pause', side: 'responder' },
      { kind: 'frameAs', from: 'initiator', mode: { kind: 'tls' } },
      { kind: 'resume', side: 'initiator' },
    ]);
    expect(tls.stage(tls.initial)).toBe('client-hello');
  });

  test('lets both hellos pass and reads no more', () => {
    const first = play(hello('initiator'));
    expect(first.actions).toContainEqual(AWAIT_SERVER);
    expect(tls.stage(first.state)).toBe('server-hello');
    const second = play(hello('initiator'), hello('responder'));
    expect(second.actions).toEqual([{ kind: 'forward' }, { kind: 'stopInspecting', because: 'tls' }]);
    expect(tls.stage(second.state)).toBe('encrypted');
  });

  test("lets the server's alert pass and still awaits TLS of it", () => {
    const alert: Frame = { ...hello('responder', false), alert: true } as Frame;
    const step = play(hello('initiator'), alert);
    expect(step.actions).toEqual([{ kind: 'forward' }, AWAIT_SERVER]);
    expect(tls.stage(step.state)).toBe('server-hello');
    expect(play(hello('initiator'), alert, hello('responder', false)).actions).toEqual(refused('tls-expected'));
  });

  test('resets plain text of either side', () => {
    expect(play(hello('initiator', false)).actions).toEqual(refused('tls-expected'));
    expect(play(hello('initiator'), hello('responder', false)).actions).toEqual(refused('tls-expected'));
  });

  test('resets what nobody asked for', () => {
    expect(play(hello('responder')).actions).toEqual(refused('unexpected-frame'));
    expect(play({ kind: 'line', from: 'initiator', text: 'NOOP', end: 'crlf' }).actions).toEqual(
      refused('unexpected-frame'),
    );
    expect(play(hello('initiator'), hello('responder'), hello('initiator')).actions).toEqual(
      refused('unexpected-frame'),
    );
  });
});
