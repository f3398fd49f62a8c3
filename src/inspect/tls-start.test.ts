import { expect, it } from 'vitest';
import { judgeTlsStart, refuseTlsVersion } from './tls-start.ts';

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

it("lets a server's alert pass, and still awaits its hello", () => {
  const alert = { ...hello('responder', false), alert: true };
  const awaiting = { kind: 'frameAs', from: 'responder', mode: { kind: 'tls', alerts: true } };
  expect(judgeTlsStart('responder', alert)).toEqual({
    kind: 'awaitsResponder',
    actions: [{ kind: 'forward' }, awaiting],
  });
  expect(refuseTlsVersion(alert, 0x0304)).toBeUndefined();
  expect(judgeTlsStart('initiator', { ...hello('initiator', false), alert: true }).kind).toBe('refused');
  expect(judgeTlsStart('initiator', alert).kind).toBe('refused');
});

const NOTHING = { alpn: [], ciphers: [], extensions: [], signatureAlgorithms: [] } as const;
const ofVersion = (from: 'initiator' | 'responder', version: number) =>
  ({ ...hello(from), hello: { ...NOTHING, type: from === 'initiator' ? 'client' : 'server', version } }) as const;

const refused = {
  kind: 'refuse',
  reason: 'tls-version',
  how: 'words',
  words: '\x15\x03\x01\0\x02\x02\x46',
};

it.each([0x0301, 0x0302, 0x0303, 0x0304])('holds the offer and the choice to a minimum version of %i', (minimum) => {
  for (const from of ['initiator', 'responder'] as const) {
    expect(refuseTlsVersion(ofVersion(from, minimum), minimum)).toBeUndefined();
    expect(refuseTlsVersion(ofVersion(from, minimum - 1), minimum)).toContainEqual(refused);
    expect(refuseTlsVersion(ofVersion(from, 0x0300), undefined)).toBeUndefined();
  }
});

it('names both versions', () => {
  expect(refuseTlsVersion(ofVersion('initiator', 0x0302), 0x0304)?.[0]).toEqual({
    kind: 'alert',
    alert: { id: 'TLS_VERSION', version: '1.1', minimum: '1.3' },
  });
});

it('takes an offer that is not known for one below any minimum', () => {
  expect(refuseTlsVersion(hello('initiator'), 0x0301)).toContainEqual(refused);
  expect(refuseTlsVersion(ofVersion('initiator', 0), 0x0301)).toContainEqual(refused);
});

it('leaves to the dialogue what is no hello', () => {
  expect(refuseTlsVersion(hello('initiator', false), 0x0304)).toBeUndefined();
  expect(refuseTlsVersion({ kind: 'line', from: 'initiator', text: 'NOOP', end: 'crlf' }, 0x0304)).toBeUndefined();
});
