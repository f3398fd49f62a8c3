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

const NOTHING = { alpn: [], ciphers: [], extensions: [], signatureAlgorithms: [] } as const;
const ofVersion = (from: 'initiator' | 'responder', version: number) =>
  ({ ...hello(from), hello: { ...NOTHING, type: from === 'initiator' ? 'client' : 'server', version } }) as const;

it.each([0x0301, 0x0302, 0x0303, 0x0304])(
  'a minimum version of %i holds for the offer and for the choice',
  (minimum) => {
    const policy = { tlsMinimumVersion: minimum };
    for (const from of ['initiator', 'responder'] as const) {
      expect(judgeTlsStart(from, ofVersion(from, minimum), policy).kind).not.toBe('refused');
      expect(judgeTlsStart(from, ofVersion(from, minimum - 1), policy)).toEqual({
        kind: 'refused',
        reason: 'tls-version',
      });
      expect(judgeTlsStart(from, ofVersion(from, 0x0300), {}).kind).not.toBe('refused');
    }
  },
);

it('with a minimum version an offer that is not known is below it', () => {
  expect(judgeTlsStart('initiator', hello('initiator'), { tlsMinimumVersion: 0x0301 }).kind).toBe('refused');
  expect(judgeTlsStart('initiator', ofVersion('initiator', 0), { tlsMinimumVersion: 0x0301 }).kind).toBe('refused');
});
