import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IMAP_LITERALS_A_COMMAND_MAX, UNANSWERED_COMMANDS_MAX } from '../../src/limits.ts';
import { COMMANDS } from '../../src/protocols/imap/grammar.ts';
import { imap } from '../../src/protocols/imap/machine.ts';
import type { ImapPolicy, ImapState } from '../../src/protocols/imap/state.ts';
import { FakeEngine } from './fake-engine.ts';
import type { Row, TranscriptCase } from './markdown.ts';
import { problemOfSplitting } from './runner.ts';

const open: ImapPolicy = { secureLogin: false, reset: false, invalidCommand: 'refuse', hostname: 'fw.example' };
const secure: ImapPolicy = { ...open, secureLogin: true };

const C = (octets: string): Row => ({ from: 'initiator', octets });
const S = (octets: string): Row => ({ from: 'responder', octets });
const GREETING = S('* OK [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n');

function run(rows: readonly Row[], policy: ImapPolicy): FakeEngine<ImapState, ImapPolicy> {
  const engine = new FakeEngine(imap, policy);
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
const tag = fc.constantFrom('a', 'b', 'c', 'd');
const clientLine = fc.oneof(
  fc
    .tuple(
      tag,
      fc.constantFrom(
        ...['NOOP', 'CAPABILITY', 'LOGIN u p', 'LOGIN {1}', 'LOGIN {1+}', 'LOGIN "u" {2+}', 'ID NIL', 'ID ("a" {2+}'],
        ...['AUTHENTICATE PLAIN', 'AUTHENTICATE PLAIN YQ==', 'STARTTLS', 'LOGOUT', 'SELECT x', 'XYZZY', 'ID ("a" {0}'],
        ...['UNAUTHENTICATE', 'COMPRESS DEFLATE', 'APPEND x {4}', 'APPEND x {4+}', 'IDLE'],
      ),
    )
    .map((words) => words.join(' ')),
  fc.constantFrom('*', 'YQ==', '', 'x', 'xy)', 'u p', 'DONE', '+ x', '{1+}', 'a\0'),
);
const serverLine = fc.oneof(
  fc.tuple(tag, fc.constantFrom('OK', 'NO', 'BAD', 'OK [CAPABILITY X]')).map((words) => words.join(' ')),
  fc.constantFrom('+', '+ YQ==', '* OK', '* BYE', '* ID ({4}', '* OK [X {3}', 'xy)', '* CAPABILITY LITERAL+', 'hello'),
);
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

describe('IMAP, whatever is said', () => {
  it('comes to the same verdicts in every way of splitting', () => {
    fc.assert(
      fc.property(dialogue, fc.boolean(), fc.constantFrom('refuse', 'pass'), (rows, secureLogin, invalidCommand) => {
        const policy = { secureLogin, invalidCommand };
        const transcript: TranscriptCase = { title: '', rows, policy, expected: [], never: [] };
        expect(problemOfSplitting({ inspector: imap, policy: open }, transcript)).toBeUndefined();
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
        const state: ImapState = (engine as unknown as { state: ImapState }).state;
        if (state.at !== 'NOT_AUTHENTICATED') return;
        expect(state.unanswered.length).toBeLessThanOrEqual(UNANSWERED_COMMANDS_MAX);
        expect(new Set(state.unanswered.map((command) => command.tag)).size).toBe(state.unanswered.length);
        expect(state.unfinished?.literals ?? 0).toBeLessThanOrEqual(IMAP_LITERALS_A_COMMAND_MAX);
      }),
      { numRuns: 1000 },
    );
  });

  it('lets no client authenticate itself while the server is silent', () => {
    fc.assert(
      fc.property(fc.array(clientLine), lengths, (lines, cuts) => {
        const engine = run([GREETING, ...cut(lines.map((line) => `${line}\r\n`).join(''), cuts)], open);
        expect(engine.stage).toMatch(/^(not-authenticated|sasl)$/);
      }),
    );
  });

  it('lets no verb through that the table lacks', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{1,40}$/), lengths, (verb, cuts) => {
        fc.pre(!COMMANDS.has(verb.toUpperCase()));
        const engine = run([GREETING, ...cut(`a ${verb} 1\r\n`, cuts)], open);
        expect(engine.refusal).toBeDefined();
        const ahead = engine.receivedFrom('initiator').slice('a '.length);
        // At most the beginning of a known word went ahead, never what ends it.
        expect(verb.startsWith(ahead)).toBe(true);
        expect([...COMMANDS.keys()].some((known) => known.startsWith(ahead.toUpperCase()))).toBe(true);
      }),
    );
  });

  it('answers no literal head that it did not judge: octets behind an unjudged brace never pass', () => {
    const inside = fc.stringMatching(/^[!-~]{0,12}$/);
    fc.assert(
      fc.property(inside, lengths, (text, cuts) => {
        fc.pre(!/^\d{1,5}\+?$/.test(text));
        const engine = run([GREETING, ...cut(`a LOGIN u {${text}}\r\nb XYZZY\r\n`, cuts)], open);
        expect(engine.refusal).toBeDefined();
        expect(engine.receivedFrom('initiator')).not.toContain('\n');
      }),
    );
  });
});

describe('IMAP with secure-login', () => {
  const secret = fc.stringMatching(/^[a-zA-Z0-9]{1,30}$/);
  const login = fc.tuple(secret, fc.integer({ min: 0, max: 4 })).map(([word, which]) => {
    const base64 = Buffer.from(`\0u\0${word}`).toString('base64');
    const lines = [
      { verb: 'LOGIN', rest: ` u ${word}` },
      { verb: 'login', rest: ` "u" "${word}"` },
      { verb: 'LoGiN', rest: ` {1+}\r\nu {${word.length}+}\r\n${word}` },
      { verb: 'AUTHENTICATE PLAIN', rest: ` ${base64}` },
      { verb: 'Authenticate Login', rest: `\r\n${base64}` },
    ];
    return lines[which] ?? { verb: '', rest: '' };
  });

  it('forwards neither the verb nor anything behind it, however it is split', () => {
    fc.assert(
      fc.property(login, lengths, fc.constantFrom('refuse', 'pass'), ({ verb, rest }, cuts, invalidCommand) => {
        const before = 'a NOOP\r\nb ';
        const engine = run([GREETING, ...cut(`${before}${verb}${rest}\r\n`, cuts)], { ...secure, invalidCommand });
        const received = engine.receivedFrom('initiator');
        const ahead = received.slice(before.length);
        expect(verb.startsWith(ahead)).toBe(true);
        expect(ahead.length).toBeLessThan(verb.length);
        expect(engine.log.at(-1)?.outcome).toContain('IMAP_NON_SECURE_LOGIN');
        expect(engine.log.at(-1)?.outcome).toContain('refuse cleartext-login');
      }),
    );
  });
});
