import { describe, expect, it } from 'vitest';
import type { Inspector } from '../../src/inspect/inspector.ts';
import { refuseTlsVersion } from '../../src/inspect/tls-start.ts';
import { imap } from '../../src/protocols/imap/machine.ts';
import { pop3 } from '../../src/protocols/pop3/machine.ts';
import { smtp } from '../../src/protocols/smtp/machine.ts';
import { defaultSmtpPolicy } from '../../src/protocols/smtp/policy.ts';
import { tls } from '../../src/protocols/tls/machine.ts';
import { FakeEngine } from './fake-engine.ts';
import type { Row } from './markdown.ts';
import { problemOfSplitting } from './runner.ts';
import { alertOf, helloOf } from './tls-octets.ts';

/** `tls minimum-version` behind STARTTLS and STLS, and the TLS ports, in every way of splitting. */

const C = (octets: string): Row => ({ from: 'initiator', octets });
const S = (octets: string): Row => ({ from: 'responder', octets });
const MAILBOX = { secureLogin: false, reset: false, hostname: 'fw.example' };

/** As the judge holds hellos of any dialogue to the version, and as the engine begins one that has a beginning. */
function withMinimum(inspector: Inspector<unknown, unknown>, minimum: number | undefined): Inspector<unknown, unknown> {
  return {
    ...inspector,
    step(state, frame, policy) {
      const actions = refuseTlsVersion(frame, minimum);
      return actions === undefined ? inspector.step(state, frame, policy) : { state, actions };
    },
  };
}

const DIALOGUES: readonly (readonly [string, unknown, object, readonly Row[]])[] = [
  ['smtp', smtp, defaultSmtpPolicy, [S('220 mx\r\n'), C('STARTTLS\r\n'), S('220 go\r\n')]],
  ['pop3', pop3, MAILBOX, [S('+OK hi\r\n'), C('STLS\r\n'), S('+OK go\r\n')]],
  ['imap', imap, MAILBOX, [S('* OK hi\r\n'), C('a STARTTLS\r\n'), S('a OK go\r\n')]],
  ['a TLS port', tls, {}, []],
];

const TLS_1_2 = 0x0303;
const TLS_1_3 = 0x0304;

describe.each(DIALOGUES)('%s', (_name, inspector, policy, opening) => {
  function play(minimum: number | undefined, rows: readonly Row[]): { refused: string | undefined; said: string } {
    const held = withMinimum(inspector as Inspector<unknown, unknown>, minimum);
    const all = [...opening, ...rows];
    const transcript = { title: '', rows: all, policy: {}, expected: [], never: [] };
    expect(problemOfSplitting({ inspector: held, policy }, transcript)).toBeUndefined();
    const engine = new FakeEngine(held, policy);
    for (const { from, octets } of all) engine.feed(from, octets);
    const refusal = engine.log.find(({ refused }) => refused)?.outcome;
    return { refused: /refuse ([\w-]+)/.exec(refusal ?? '')?.[1], said: engine.refusal?.words ?? '' };
  }

  const client = (version: string): Row => C(helloOf('initiator', version));
  const server = (version: string): Row => S(helloOf('responder', version));
  const passed = { refused: undefined, said: '' };
  const tooOld = { refused: 'tls-version', said: alertOf(2, 70) };

  it.each([
    ['1.3 offered and chosen', TLS_1_3, ['1.3', '1.3'], passed],
    ['1.2 offered', TLS_1_3, ['1.2'], tooOld],
    ['1.2 chosen', TLS_1_3, ['1.3', '1.2'], tooOld],
    ['1.1 offered', TLS_1_2, ['1.1'], tooOld],
    ['1.0 chosen', TLS_1_2, ['1.2', '1.0'], tooOld],
    ['1.2 where that is enough', TLS_1_2, ['1.3', '1.2'], passed],
    ['1.0 where nothing is asked for', undefined, ['1.0', '1.0'], passed],
  ] as const)('%s', (_case, minimum, [offered, chosen], expected) => {
    const rows = chosen === undefined ? [client(offered)] : [client(offered), server(chosen)];
    expect(play(minimum, [...rows, C('\x17\x03\x03\0\x01x')])).toEqual(expected);
  });

  it("lets a server's alert pass, whatever the minimum", () => {
    expect(play(TLS_1_3, [client('1.3'), S(alertOf(2, 70))])).toEqual(passed);
    expect(play(TLS_1_3, [client('1.3'), S(alertOf(1, 112)), server('1.2')])).toEqual(tooOld);
  });

  it('takes nothing in clear for TLS', () => {
    expect(play(undefined, [C('EHLO x\r\n')]).refused).toMatch(/^(?:tls-expected|plaintext-after-starttls)$/);
    expect(play(undefined, [client('1.3'), S('220 mx\r\n')])).toEqual({ refused: 'tls-expected', said: '' });
    expect(play(undefined, [client('1.3'), S(alertOf(2, 40)), S('220 mx\r\n')]).refused).toBe('tls-expected');
    expect(play(undefined, [C(alertOf(2, 40))]).refused).toMatch(/^(?:tls-expected|plaintext-after-starttls)$/);
  });
});
