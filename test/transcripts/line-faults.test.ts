import { describe, expect, it } from 'vitest';
import { imap } from '../../src/protocols/imap/machine.ts';
import { pop3 } from '../../src/protocols/pop3/machine.ts';
import { smtp } from '../../src/protocols/smtp/machine.ts';
import { defaultSmtpPolicy } from '../../src/protocols/smtp/policy.ts';
import { FakeEngine } from './fake-engine.ts';

/**
 * What comes of a bare CR, a bare LF and a NUL, in what client and server say, under each `line-endings`: the whole
 * table, each cell in every way of cutting. A dialogue is opened first, so that only the fault decides.
 */

const box = { secureLogin: false, reset: false, hostname: 'fw.example' } as const;
const ENGINES = {
  smtp: (lineEndings: LineEndings) =>
    new FakeEngine(smtp, { ...defaultSmtpPolicy, hostname: 'gw.example', lineEndings }),
  pop3: (lineEndings: LineEndings) => new FakeEngine(pop3, { ...box, lineEndings }),
  imap: (lineEndings: LineEndings) => new FakeEngine(imap, { ...box, lineEndings }),
} as const;

type Protocol = keyof typeof ENGINES;
type LineEndings = 'strict' | 'normalize' | 'tolerant';

const OPENED: Readonly<Record<Protocol, readonly (readonly ['initiator' | 'responder', string])[]>> = {
  smtp: [
    ['responder', '220 mx.example ESMTP\r\n'],
    ['initiator', 'EHLO client.example\r\n'],
    ['responder', '250 mx.example\r\n'],
  ],
  pop3: [['responder', '+OK ready\r\n']],
  imap: [['responder', '* OK ready\r\n']],
};

/** A command, and its answer, with the octets of the fault where `~` stands. */
const SAID: Readonly<Record<Protocol, { readonly command: string; readonly answer: string }>> = {
  smtp: { command: 'NOOP x~', answer: '250 fine~' },
  pop3: { command: 'USER x~', answer: '+OK fine~' },
  imap: { command: 'a ID ("n" "x~', answer: '* OK fine~' },
};

const FAULTS = { 'bare CR': '\ry', 'bare LF': '\n', NUL: '\0y' } as const;
type Fault = keyof typeof FAULTS;

/** `passes`: it goes on as it came. Otherwise the reason for which it is refused. */
type Part = 'command' | 'answer';
type Outcomes = Readonly<Record<Part, Readonly<Record<Fault, string>>>>;

const REFUSED_BY_GRAMMAR: Outcomes = {
  command: { 'bare CR': 'control-character', 'bare LF': 'passes', NUL: 'control-character' },
  answer: { 'bare CR': 'invalid-reply', 'bare LF': 'passes', NUL: 'invalid-reply' },
};
const EXPECTED: Readonly<Record<LineEndings, Outcomes>> = {
  strict: {
    command: { 'bare CR': 'bare-carriage-return', 'bare LF': 'bare-line-feed', NUL: 'nul' },
    answer: { 'bare CR': 'bare-carriage-return', 'bare LF': 'bare-line-feed', NUL: 'nul' },
  },
  normalize: REFUSED_BY_GRAMMAR,
  tolerant: REFUSED_BY_GRAMMAR,
};

interface Cell {
  readonly protocol: Protocol;
  readonly part: Part;
  readonly fault: Fault;
  readonly lineEndings: LineEndings;
  readonly comesTo: string;
}

const PARTS: readonly Part[] = ['command', 'answer'];
const CELLS: readonly Cell[] = (Object.keys(OPENED) as Protocol[]).flatMap((protocol) =>
  PARTS.flatMap((part) =>
    (Object.keys(FAULTS) as Fault[]).flatMap((fault) =>
      (Object.keys(EXPECTED) as LineEndings[]).map((lineEndings) => {
        const comesTo = EXPECTED[lineEndings][part][fault];
        return { protocol, part, fault, lineEndings, comesTo };
      }),
    ),
  ),
);

/** The fault as the wire has it; a bare LF ends its line, so nothing of that line may stand behind it. */
function octetsOf({ protocol, part, fault }: Cell): string {
  const said = SAID[protocol][part];
  if (fault !== 'bare LF') return `${said.replace('~', FAULTS[fault])}\r\n`;
  return `${said.replace('~', protocol === 'imap' && part === 'command' ? '")' : '')}${FAULTS[fault]}`;
}

/** What comes of the cell when the faulty line is cut into pieces of this length. */
function outcome(cell: Cell, length: number): { readonly refused: string; readonly got: string } {
  const engine = ENGINES[cell.protocol](cell.lineEndings);
  for (const [from, octets] of OPENED[cell.protocol]) engine.feed(from, octets);
  const from = cell.part === 'command' ? 'initiator' : 'responder';
  if (from === 'responder')
    engine.feed('initiator', `${SAID[cell.protocol].command.replace('~', cell.protocol === 'imap' ? '")' : '')}\r\n`);
  const before = engine.receivedFrom(from).length;
  const octets = octetsOf(cell);
  for (let at = 0; at < octets.length; at += length) engine.feed(from, octets.slice(at, at + length));
  const refused =
    engine.log.flatMap(({ outcome: came }) => /refuse ([a-z-]+)/.exec(came)?.[1] ?? []).at(-1) ?? 'passes';
  return { refused, got: engine.streams[from].fates.join('').slice(before) };
}

describe.each(CELLS)('$protocol, $lineEndings: a $fault in a $part', (cell) => {
  it(`comes to ${cell.comesTo}, however it is cut`, () => {
    const octets = octetsOf(cell);
    for (let length = 1; length <= octets.length; length += 1) {
      const { refused, got } = outcome(cell, length);
      expect(refused).toBe(cell.comesTo);
      if (cell.comesTo === 'passes') expect(got).toBe(octets);
      // Whatever a peer may take for the end of the line is held with all that stands behind it.
      else expect(got).not.toMatch(cell.fault === 'bare LF' ? /\n/ : /[\r\0]y/);
    }
  });
});
