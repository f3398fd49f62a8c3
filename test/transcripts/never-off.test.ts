import { describe, expect, it } from 'vitest';
import { imap } from '../../src/protocols/imap/machine.ts';
import { pop3 } from '../../src/protocols/pop3/machine.ts';
import { FakeEngine } from './fake-engine.ts';

/**
 * Never an off switch: however much a mailbox session has said before, the next line is judged as the first was
 * (`test/lab/never-off.test.ts` does it for SMTP on a wire).
 */

const TIMES = 1_000;
const policy = { secureLogin: true, reset: false, hostname: 'fw.example' } as const;

interface Course {
  readonly name: string;
  /** The n-th turn: what the client says, and what the server answers. */
  readonly turn: (n: number) => readonly [client: string, server: string];
}

const IMAP: readonly Course[] = [
  { name: 'commands', turn: (n) => [`t${n} NOOP\r\n`, `t${n} OK\r\n`] },
  { name: 'commands that are refused', turn: (n) => [`t${n} CAPABILITY\r\n`, `t${n} BAD no\r\n`] },
  {
    name: 'logins that fail',
    turn: (n) => [`t${n} AUTHENTICATE CRAM-MD5 YQ==\r\n`, `t${n} NO no\r\n`],
  },
  {
    name: 'literals',
    turn: (n) => [`t${n} ID ("n" {90+}\r\n${'a LOGIN u p\r\n'.repeat(7).slice(0, 90)})\r\n`, `t${n} OK\r\n`],
  },
  { name: "literals of the server's", turn: (n) => [`t${n} ID NIL\r\n`, `* ID ({9}\r\na LOGIN\r\n)\r\nt${n} OK\r\n`] },
];

const POP3: readonly Course[] = [
  { name: 'commands', turn: () => ['NOOP\r\n', '+OK\r\n'] },
  { name: 'commands that are refused', turn: () => ['NOOP\r\n', '-ERR no\r\n'] },
  { name: 'logins that fail', turn: () => ['AUTH CRAM-MD5 YQ==\r\n', '-ERR no\r\n'] },
  {
    name: 'lines of listings',
    turn: () => ['CAPA\r\n', `+OK\r\n${'..\r\n+OK\r\n'.repeat(3)}.\r\n`],
  },
];

/** The greeting, and a login in clear, which `secure-login` forbids. */
interface Ends {
  readonly greeting: string;
  readonly login: string;
}

function outcomeAfter<S, P>(engine: FakeEngine<S, P>, course: Course, { greeting, login }: Ends): string {
  engine.feed('responder', greeting);
  for (let n = 0; n < TIMES; n += 1) {
    const [client, server] = course.turn(n);
    engine.feed('initiator', client);
    engine.feed('responder', server);
    if (engine.refusal !== undefined) return `refused in turn ${n}`;
  }
  const before = engine.receivedFrom('initiator').length;
  engine.feed('initiator', login);
  return `${engine.log.at(-1)?.outcome} ${engine.receivedFrom('initiator').slice(before)}`;
}

const REFUSED_WHOLE = /refuse cleartext-login words "[^"]*" $/;

describe.each(IMAP)('IMAP, after very many $name', (course) => {
  it('a login in clear is refused before any of its octets goes', () => {
    const ends = { greeting: '* OK [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n', login: 'x LOGIN u pass\r\n' };
    expect(outcomeAfter(new FakeEngine(imap, policy), course, ends)).toMatch(REFUSED_WHOLE);
  });
});

describe.each(POP3)('POP3, after very many $name', (course) => {
  it('a login in clear is refused before any of its octets goes', () => {
    const ends = { greeting: '+OK ready\r\n', login: 'USER u\r\n' };
    expect(outcomeAfter(new FakeEngine(pop3, policy), course, ends)).toMatch(REFUSED_WHOLE);
  });
});
