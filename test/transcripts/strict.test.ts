import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Inspector } from '../../src/inspect/inspector.ts';
import { imap } from '../../src/protocols/imap/machine.ts';
import { pop3 } from '../../src/protocols/pop3/machine.ts';
import { smtp } from '../../src/protocols/smtp/machine.ts';
import { defaultSmtpPolicy } from '../../src/protocols/smtp/policy.ts';
import { FakeEngine } from './fake-engine.ts';
import { parseTranscripts, type TranscriptCase } from './markdown.ts';

/**
 * `line-endings strict` and `tolerant` change nothing for dialogues that are legal: every transcript of this folder whose
 * lines end in CRLF, and whose messages have no look-alike, comes to the same as by default.
 */

interface Suite {
  readonly inspector: Inspector<unknown, object>;
  readonly policy: object;
}

const asSuite = <State, Policy extends object>(inspector: Inspector<State, Policy>, policy: Policy): Suite => ({
  inspector: inspector as Inspector<unknown, object>,
  policy,
});

const SUITES: Readonly<Record<'smtp' | 'pop3' | 'imap', Suite>> = {
  smtp: asSuite(smtp, { ...defaultSmtpPolicy, hostname: 'gw.example' }),
  pop3: asSuite(pop3, { secureLogin: false, reset: false, hostname: 'fw.example' }),
  imap: asSuite(imap, { secureLogin: false, reset: false, hostname: 'fw.example' }),
};

/** JSON has no sets. */
function readPolicy(overrides: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(
    Object.entries(overrides).map(([name, value]) => [name, Array.isArray(value) ? new Set(value) : value]),
  );
}

function casesOf(language: keyof typeof SUITES): readonly TranscriptCase[] {
  const folder = new URL(`./${language}/`, import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md') && name !== 'line-endings.md')
    .flatMap((name) => parseTranscripts(readFileSync(new URL(name, folder), 'utf8'), language));
}

/** Whether every line of both sides ends in CRLF and holds neither CR nor NUL. */
function isLegal({ rows }: TranscriptCase): boolean {
  return ['initiator', 'responder'].every((side) => {
    const octets = rows.filter(({ from }) => from === side).map((row) => row.octets);
    return !/(?<!\r)\n|\r(?!\n|$)|\0/.test(octets.join(''));
  });
}

function outcome({ inspector, policy }: Suite, transcript: TranscriptCase, lineEndings: string): unknown {
  const engine = new FakeEngine(inspector, { ...policy, ...readPolicy(transcript.policy), lineEndings });
  for (const { from, octets } of transcript.rows) engine.feed(from, octets);
  const { initiator, responder } = engine.streams;
  // That the framing is a tolerant one shows, and nothing else.
  const log = engine.log.map(
    ({ what, outcome: came }) => `${what} => ${came.replace(/(mailData \d+) tolerant/, '$1')}`,
  );
  return { log, fates: [initiator.fates.join(''), responder.fates.join('')], refusal: engine.refusal };
}

describe.each(Object.keys(SUITES) as (keyof typeof SUITES)[])('%s', (language) => {
  const legal = casesOf(language).filter(isLegal);

  it('has dialogues with line ends as they should be', () => {
    expect(legal.length).toBeGreaterThan(30);
  });

  it.each(legal.map((transcript) => [transcript.title, transcript] as const))('%s', (_title, transcript) => {
    const suite = SUITES[language];
    const normal = outcome(suite, transcript, 'normalize');
    expect(outcome(suite, transcript, 'strict')).toEqual(normal);
    expect(outcome(suite, transcript, 'tolerant')).toEqual(normal);
  });
});
