import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLIENT_OPENINGS, readOpening } from '../../src/inspect/foreign.ts';
import { UNANSWERED_COMMANDS_MAX } from '../../src/limits.ts';
import { COMMANDS } from '../../src/protocols/pop3/grammar.ts';
import { pop3 } from '../../src/protocols/pop3/machine.ts';
import type { Pop3Policy, Pop3State } from '../../src/protocols/pop3/state.ts';
import { FakeEngine } from './fake-engine.ts';
import type { Row, TranscriptCase } from './markdown.ts';
import { problemOfSplitting } from './runner.ts';

const open: Pop3Policy = { secureLogin: false, reset: false, invalidCommand: 'refuse', hostname: 'fw.example' };
const secure: Pop3Policy = { ...open, secureLogin: true };

const C = (octets: string): Row => ({ from: 'initiator', octets });
const S = (octets: string): Row => ({ from: 'responder', octets });
const GREETING = S('+OK ready\r\n');

function run(rows: readonly Row[], policy: Pop3Policy): FakeEngine<Pop3State, Pop3Policy> {
  const engine = new FakeEngine(pop3, policy);
  for (const { from, octets } of rows) engine.feed(from, octets);
  return engine;
}

/** The same octets in segments of the given lengths, over and over. */
function cut(octets: string, lengths: readonly number[]): readonly Row[] {
  const rows: Row[] = [];
  for (let at = 0, i = 0; at < octets.length; i += 1) {
    const length = lengths[i % lengths.length] ?? 1;
    rows.push(C(octets.slice(at, at + length)));
    at += length;
  }
  return rows;
}

const lengths = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 });
const anyCase = (word: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: word.length, maxLength: word.length })
    .map((upper) => Array.from(word, (letter, i) => (upper[i] === true ? letter : letter.toLowerCase())).join(''));

const clientLine = fc.constantFrom(
  ...['USER u', 'PASS p w', 'AUTH', 'AUTH PLAIN', 'AUTH CRAM-MD5', 'AUTH PLAIN AHUxAHBhc3M=', 'CAPA', 'STLS', 'QUIT'],
  ...['NOOP', 'RETR 1', 'XYZZY', '*', 'YQ==', '', `APOP u ${'0'.repeat(32)}`, 'LANG', 'LANG en', 'UTF8', 'A\0B'],
);
const serverLine = fc.constantFrom('+OK', '+OK x', '-ERR', '-ERR x', '+ ', '+ YQ==', '.', '..', 'X', '+OKAY', '250 ok');
const dialogue = fc
  .array(
    fc.oneof(
      clientLine.map((line) => C(`${line}\r\n`)),
      serverLine.map((line) => S(`${line}\r\n`)),
    ),
    {
      maxLength: 14,
    },
  )
  .map((rows) => [GREETING, ...rows]);

describe('POP3, whatever is said', () => {
  it('comes to the same verdicts in every way of splitting', () => {
    fc.assert(
      fc.property(dialogue, fc.boolean(), fc.constantFrom('refuse', 'pass'), (rows, secureLogin, invalidCommand) => {
        const policy = { secureLogin, invalidCommand };
        const transcript: TranscriptCase = { title: '', rows, policy, expected: [], never: [] };
        expect(problemOfSplitting({ inspector: pop3, policy: open }, transcript)).toBeUndefined();
      }),
      { numRuns: 600 },
    );
  });

  it('keeps the contract of an inspector and its bounds on any octets', () => {
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => String.fromCharCode(...bytes)),
      clientLine.map((line) => `${line}\r\n`),
      serverLine.map((line) => `${line}\n`),
    );
    const rows = fc.array(fc.record({ from: fc.constantFrom('initiator' as const, 'responder' as const), octets }));
    fc.assert(
      fc.property(rows, fc.constantFrom(open, secure), (said, policy) => {
        const engine = run([GREETING, ...said], policy);
        const state: Pop3State = (engine as unknown as { state: Pop3State }).state;
        if (state.at === 'AUTHORIZATION') {
          expect(state.unanswered.length).toBeLessThanOrEqual(UNANSWERED_COMMANDS_MAX);
          const pausing = state.unanswered.slice(0, -1).filter((command) => command.onOk !== 'nothing');
          expect(pausing).toEqual([]);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('lets no client authenticate itself while the server is silent', () => {
    fc.assert(
      fc.property(fc.array(clientLine), lengths, (lines, cuts) => {
        const engine = run([GREETING, ...cut(lines.map((line) => `${line}\r\n`).join(''), cuts)], open);
        expect(engine.stage).toMatch(/^(authorization|sasl)$/);
      }),
    );
  });

  it('lets no verb through that the table lacks', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{1,40}$/), lengths, (verb, cuts) => {
        fc.pre(!COMMANDS.has(verb.toUpperCase()));
        const engine = run([GREETING, ...cut(`${verb} 1\r\n`, cuts)], open);
        expect(engine.refusal).toBeDefined();
        const ahead = engine.receivedFrom('initiator');
        // At most the beginning of a known word went ahead, never what ends it; or that of another protocol's opener.
        expect(verb.startsWith(ahead)).toBe(true);
        const known = [...COMMANDS.keys()].some((word) => word.startsWith(ahead.toUpperCase()));
        expect(known || readOpening(ahead, CLIENT_OPENINGS).kind === 'undecided').toBe(true);
      }),
    );
  });
});

describe('POP3 with secure-login', () => {
  const secret = fc.stringMatching(/^[!-~]{1,30}$/);
  const login = fc
    .tuple(anyCase('PASS'), anyCase('USER'), anyCase('AUTH'), anyCase('PLAIN'), secret, fc.integer({ min: 0, max: 3 }))
    .map(([pass, user, auth, plain, word, which]) => {
      const base64 = Buffer.from(`\0u\0${word}`).toString('base64');
      const verbs = [pass, user, `${auth} ${plain}`, `${auth} ${plain}`];
      const rest = [` ${word}`, ` ${word}`, ` ${base64}`, `\r\n${base64}`];
      return { verb: verbs[which] ?? '', rest: rest[which] ?? '' };
    });

  it('forwards neither the verb nor anything behind it, however it is split', () => {
    fc.assert(
      fc.property(login, lengths, fc.constantFrom('refuse', 'pass'), ({ verb, rest }, cuts, invalidCommand) => {
        const engine = run([GREETING, ...cut(`CAPA\r\n${verb}${rest}\r\n`, cuts)], { ...secure, invalidCommand });
        const received = engine.receivedFrom('initiator');
        expect(received.startsWith('CAPA\r\n')).toBe(true);
        const ahead = received.slice('CAPA\r\n'.length);
        expect(verb.startsWith(ahead)).toBe(true);
        expect(ahead.length).toBeLessThan(verb.length);
        expect(engine.log.at(-1)?.outcome).toContain('POP3_NON_SECURE_LOGIN');
        expect(engine.log.at(-1)?.outcome).toContain('refuse cleartext-login');
      }),
    );
  });
});
