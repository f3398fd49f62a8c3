import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { CONFIG_COMMANDS } from './config-graphs.ts';
import type { ModeKind } from './draft.ts';
import { applyLines, parseConfiguration } from './parse-configuration.ts';
import { printConfiguration } from './print-configuration.ts';
import { findReferenceErrors } from './validate.ts';

/** Names that are keywords elsewhere, look like abbreviations or numbers: the hard ones. */
const NAME = fc.constantFrom(
  'a',
  'in',
  'Mail-Guard',
  'name',
  'n',
  's',
  'eth0',
  'class',
  'TCP',
  'X_1',
  '1',
  '110',
  'no-way',
);
const NUMBER = fc.constantFrom('1', '5', '60', '400', '401', '500', '599', '8000', '65535', '2147483647');
const REST = fc.constantFrom('some words', 'a  b', '"*deals\\.com"', '"^x"', '"lo*se"', 'x', '"*"', '! not a comment');

/** A line of each command: words of its grammar, with values filled in at random, options sometimes left out. */
function lineOf(grammar: string): fc.Arbitrary<string> {
  const literal = grammar.replace(/\$[a-zA-Z]+/g, '').replace(/['"]/g, '');
  return fc.infiniteStream(fc.tuple(fc.nat(), NAME, NUMBER, REST)).map((stream) => expand(literal, stream));
}

function expand(grammar: string, stream: Stream): string {
  let text = grammar;
  for (let group = innermost(text); group !== undefined; group = innermost(text)) {
    const [pick] = next(stream);
    const branches = group.inner.split('|');
    const chosen = group.open === '[' && pick % 3 === 0 ? '' : (branches[pick % branches.length] ?? '');
    text = `${text.slice(0, group.start)} ${chosen} ${text.slice(group.end + 1)}`;
  }
  return text
    .split(/ +/)
    .map((word) => {
      const [pick, name, number, rest] = next(stream);
      const range = /^\((\d+)-(\d+)\)$/.exec(word);
      if (range !== null)
        return pick % 4 === 0 ? number : String(Math.min(Number(range[2]), Number(range[1]) + (pick % 700)));
      if (word === 'A.B.C.D') return pick % 2 === 0 ? '192.0.2.129' : '0.0.0.255';
      if (word === 'LINE') return rest;
      return /^[A-Z][A-Z-]*$/.test(word) ? name : word;
    })
    .join(' ')
    .trim();
}

type Stream = Iterator<[number, string, string, string]>;

function next(stream: Stream): [number, string, string, string] {
  const result = stream.next();
  if (result.done === true) throw new Error('the stream never ends');
  return result.value;
}

function innermost(text: string) {
  const end = text.search(/[>\]}]/);
  if (end < 0) return undefined;
  const start = Math.max(...['<', '[', '{'].map((open) => text.lastIndexOf(open, end)));
  return { start, end, open: text[start], inner: text.slice(start + 1, end) };
}

function lineIn(mode: ModeKind): fc.Arbitrary<string> {
  const commands = CONFIG_COMMANDS.filter(
    (command) => command.modes.includes(mode) && !command.modes.includes('global'),
  );
  return fc.oneof(...commands.flatMap((command) => command.grammar).map(lineOf));
}

const LINE = fc.oneof(
  ...CONFIG_COMMANDS.filter((command) => command.modes.includes('global'))
    .flatMap((command) => command.grammar)
    .map(lineOf),
);

/** Whole sections: a header and lines of its mode. */
const SECTION = fc.oneof(
  LINE.map((line) => [line]),
  section('interface eth0', 'interface'),
  section('zone security a', 'zone'),
  section('zone-pair security n source a destination self', 'zone-pair'),
  section('zone-pair security s source in destination a', 'zone-pair'),
  section('ip access-list extended a', 'extended-access-list'),
  section('ip access-list standard 1', 'standard-access-list'),
  section('class-map type inspect match-any class', 'class-map'),
  section('class-map type inspect smtp s', 'smtp-class-map'),
  section('class-map type inspect imap match-any n', 'imap-class-map'),
  section('policy-map type inspect name', 'policy-map'),
  section('policy-map type inspect name\nclass type inspect class', 'policy-class'),
  section('policy-map type inspect smtp a\nclass type inspect smtp s', 'application-policy-class'),
  section('parameter-map type regex a', 'regex-parameter-map'),
  section('parameter-map type inspect a', 'inspect-parameter-map'),
);

function section(header: string, mode: ModeKind): fc.Arbitrary<string[]> {
  return fc.array(lineIn(mode), { maxLength: 8, size: 'max' }).map((lines) => [...header.split('\n'), ...lines]);
}

const LINES = fc.array(SECTION, { minLength: 1, maxLength: 12, size: 'max' }).map((sections) => sections.flat());

test('what is printed reads as what was printed, whatever was typed', () => {
  let accepted = 0;
  fc.assert(
    fc.property(LINES, (lines) => {
      // Refused lines leave the configuration alone; references that stay open are refused at the end of a file.
      const { configuration, errors } = applyLines(EMPTY_CONFIGURATION, lines);
      const printed = printConfiguration(configuration);
      const again = parseConfiguration(printed, 'printed');
      const open = findReferenceErrors(configuration).map((error) => error.message);
      expect(again.errors.map((error) => error.message).sort()).toEqual([...open].sort());
      expect(again.configuration).toEqual(configuration);
      expect(printConfiguration(again.configuration)).toBe(printed);
      accepted += lines.length - errors.length;
    }),
    { numRuns: 400 },
  );
  expect(accepted).toBeGreaterThan(2_000);
}, 60_000);

/** Text of no grammar: control characters, other line ends, halves of words, and lines that are nearly ones. */
const TEXT = fc
  .array(
    fc.oneof(
      LINE,
      lineIn('policy-map'),
      fc.string({ maxLength: 80, unit: 'binary' }),
      fc
        .tuple(LINE, fc.nat(60), fc.constantFrom('\0', '\t', '\r', '?', '!', '"', '\u00e9', '\u2028', ' no ', ''))
        .map(([line, at, spoil]) => line.slice(0, at) + spoil + line.slice(at + 1)),
      fc.constantFrom('banner x', 'end', 'exit', '!', '', 'no', '   ', '%'),
    ),
    { maxLength: 30 },
  )
  .chain((lines) => fc.constantFrom('\n', '\r\n', '\n\n').map((end) => lines.join(end)));

test('any text is read, or what is wrong with it has a place; what was read of it is printed and read again', () => {
  fc.assert(
    fc.property(TEXT, (text) => {
      const { configuration, errors, notices } = parseConfiguration(text, 'file');
      for (const { file, line, column, message } of [...errors, ...notices]) {
        expect(file).toBe('file');
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(text.split(/\r\n?|\n/).length);
        expect(column).toBeGreaterThanOrEqual(1);
        expect(message).not.toBe('');
      }
      const printed = printConfiguration(configuration);
      const again = parseConfiguration(printed, 'printed');
      const open = findReferenceErrors(configuration).map((error) => error.message);
      expect(again.errors.map((error) => error.message).sort()).toEqual([...open].sort());
      expect(again.configuration).toEqual(configuration);
    }),
    { numRuns: 400 },
  );
}, 60_000);
