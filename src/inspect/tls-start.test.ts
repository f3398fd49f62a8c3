import { expect, it } from 'vitest';
import { judgeTlsStart } from './tls-start.ts';

const hello = (from: 'initiator' | 'responder', wellFormed = true) => ({ kind: 'tlsStart', from, wellFormed }) as const;

it('wants the client first, then the server, and then nothing more', () => {
  expect(judgeTlsStart('initiator', hello('initiator')).kind).toBe('awaitsResponder');
  expect(judgeTlsStart('responder', hello('responder')).kind).toBe('encrypted');
});

it('opens the gate for nobody else', () => {
  expect(judgeTlsStart('initiator', hello('initiator', false))).toEqual({
    kind: 'refused',
    reason: 'plaintext-after-starttls',
  });
  expect(judgeTlsStart('responder', hello('responder', false))).toEqual({ kind: 'refused', reason: 'tls-expected' });
  expect(judgeTlsStart('initiator', hello('responder'))).toEqual({ kind: 'refused', reason: 'unexpected-frame' });
});
