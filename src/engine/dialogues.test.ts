import { describe, expect, test } from 'vitest';
import type { Frame, Side } from '../inspect/inspector.ts';
import { EMPTY_CONFIGURATION, type ProtocolInspection } from '../policy/configuration.ts';
import { type EffectiveInspection, effectiveInspection } from '../policy/defaults.ts';
import { zoneInspection } from '../policy/zone-inspection.ts';
import { dialogueFor } from './dialogues.ts';
import { asInspection } from './zone-places.ts';

/** What a rule or a parameter-map says of lines, logins and TLS is what the machine of a session holds to. */

type Mail = 'smtp' | 'pop3' | 'imap';

const GREETINGS = { smtp: '220 mx', pop3: '+OK', imap: '* OK' } as const;
const LOGINS = { smtp: 'AUTH PLAIN', pop3: 'USER mrose', imap: 'a LOGIN u p' } as const;
const ENDS = { initiator: { address: '192.0.2.1', port: 40_000 }, responder: { address: '192.0.2.2', port: 25 } };

const line = (from: Side, text: string, end: 'crlf' | 'bareLf' = 'crlf'): Frame => ({
  kind: 'line',
  from,
  text,
  end,
});

/** Why the session is refused at one of these lines from the client, behind the greeting; undefined: it is not. */
function refusal(protocol: Mail, inspection: EffectiveInspection, ...lines: readonly Frame[]): string | undefined {
  const dialogue = dialogueFor(protocol, inspection, { hostname: 'gw', chunking: 'mask' })?.(ENDS);
  if (dialogue === undefined) throw new Error(`${protocol} is not read`);
  for (const frame of [line('responder', GREETINGS[protocol]), ...lines]) {
    for (const action of dialogue.step(frame)) if (action.kind === 'refuse') return action.reason;
  }
  return undefined;
}

const ruled = (protocol: Mail, entry: Partial<ProtocolInspection> = {}): EffectiveInspection =>
  effectiveInspection(EMPTY_CONFIGURATION, { protocol: protocol === 'smtp' ? 'esmtp' : protocol, ...entry });

const zoned = (protocol: Mail, ...lines: readonly string[]): EffectiveInspection =>
  asInspection(
    protocol,
    zoneInspection(
      {
        ...EMPTY_CONFIGURATION,
        parameterMaps: [{ name: 'P', kind: 'inspect', lines: lines.map((words) => words.split(' ')) }],
      },
      'P',
    ),
  );

describe.each(['smtp', 'pop3', 'imap'] as const)('%s', (protocol) => {
  const login = line('initiator', LOGINS[protocol]);
  const bareLf = line('initiator', 'NOOP', 'bareLf');

  test('require-tls refuses a login in clear, under a rule and under a class', () => {
    const requireTls = protocol === 'smtp' ? 'auth' : 'login';
    expect(refusal(protocol, ruled(protocol, { requireTls }), login)).toBe('tls-required');
    expect(refusal(protocol, zoned(protocol, `require-tls ${requireTls}`), login)).toBe('tls-required');
    expect(refusal(protocol, ruled(protocol), login)).toBeUndefined();
    expect(refusal(protocol, zoned(protocol), login)).toBeUndefined();
  });

  test("require-tls of the other kind of mail is not this one's", () => {
    const other = protocol === 'smtp' ? 'require-tls login' : 'require-tls mail';
    expect(refusal(protocol, zoned(protocol, other), login)).toBeUndefined();
  });

  test('line-endings strict refuses a bare LF, and nothing else does', () => {
    expect(refusal(protocol, ruled(protocol, { lineEndings: 'strict' }), bareLf)).toBe('bare-line-feed');
    expect(refusal(protocol, zoned(protocol, 'line-endings strict'), bareLf)).toBe('bare-line-feed');
    for (const inspection of [ruled(protocol), zoned(protocol), zoned(protocol, 'line-endings tolerant')]) {
      expect(refusal(protocol, inspection, bareLf)).not.toBe('bare-line-feed');
    }
  });
});

test('require-tls mail refuses MAIL as well, auth does not', () => {
  const mail = [line('initiator', 'HELO c'), line('responder', '250 mx'), line('initiator', 'MAIL FROM:<a@b.ex>')];
  expect(refusal('smtp', ruled('smtp', { requireTls: 'mail' }), ...mail)).toBe('tls-required');
  expect(refusal('smtp', zoned('smtp', 'require-tls mail'), ...mail)).toBe('tls-required');
  expect(refusal('smtp', zoned('smtp', 'require-tls auth'), ...mail)).toBeUndefined();
});

test.each(['pop3', 'imap'] as const)('secure-login of %s refuses a login in clear', (protocol) => {
  const login = line('initiator', LOGINS[protocol]);
  expect(refusal(protocol, ruled(protocol, { secureLogin: true }), login)).toBe('cleartext-login');
});

test('tls minimum-version of a parameter-map is the version of the wire', () => {
  expect(zoned('smtp', 'tls minimum-version 1.2').tlsMinimumVersion).toBe(0x0303);
  expect(ruled('smtp', { tlsMinimumVersion: '1.3' }).tlsMinimumVersion).toBe(0x0304);
  expect(zoned('smtp').tlsMinimumVersion).toBeUndefined();
});
