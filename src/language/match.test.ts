import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { completionsFor, formatHelp, helpFor } from './complete.ts';
import { caretLines, lineError } from './error-text.ts';
import { parseGrammar } from './grammar.ts';
import { buildGraph } from './graph.ts';
import { matchLine } from './match.ts';
import { nearestWord } from './nearest.ts';

const HELP = { show: 'Show what is', count: 'How many', NAME: 'A name' };
const graph = buildGraph(
  [
    'show sessions [detail]',
    'show session-count',
    'show statistics',
    'set rule NAME <smtp|pop3>$protocol [{alert <on|off>$state|reset|timeout (5-43200)$seconds}]',
    'set limit (1-10)$count',
    'set host A.B.C.D$address',
    'class class-default',
    'class NAME',
    'remark LINE',
    'size <1024|2048>$octets',
    'verb <"EHLO"|"ETRN"|VERB>$word',
  ].map((grammar) => ({ grammar, command: grammar.split(' ')[1] ?? '', help: HELP })),
);

function match(line: string) {
  return matchLine(graph, line);
}

function args(line: string) {
  const found = match(line);
  if (found.kind !== 'ok') throw new Error(`${line}: ${found.kind}`);
  return found.args;
}

describe('matching', () => {
  test('keywords may be cut while they are unique, in any case', () => {
    expect(args('sh STAT').words).toEqual(['show', 'statistics']);
    expect(match('sh s').kind).toBe('ambiguous');
    expect(match('s stat')).toMatchObject({ kind: 'ok', command: 'statistics' });
  });

  test('a keyword written out is not ambiguous with a longer one', () => {
    expect(args('show sessions').words).toEqual(['show', 'sessions']);
    expect(match('show session')).toMatchObject({ kind: 'ambiguous', column: 6 });
    expect(match('show session-')).toMatchObject({ kind: 'ok' });
  });

  test('names keep their case and win where no keyword fits', () => {
    expect(args('set rule Mail-Guard pop3').text('NAME')).toBe('Mail-Guard');
    expect(args('class class-default').has('NAME')).toBe(false);
    expect(args('class other').text('NAME')).toBe('other');
  });

  test('options come in any order, each once', () => {
    const found = args('set rule X smtp timeout 60 reset alert off');
    expect([found.number('seconds'), found.has('reset'), found.text('state')]).toEqual([60, true, 'off']);
    expect(match('set rule X smtp reset reset')).toMatchObject({ kind: 'invalid', column: 23 });
  });

  test('ranges and addresses are checked', () => {
    expect(args('set limit 10').number('count')).toBe(10);
    for (const bad of ['0', '11', '-1', '1.5', '0x1', '99999999999']) {
      expect(match(`set limit ${bad}`)).toMatchObject({ kind: 'invalid', column: 11 });
    }
    expect(args('set host 192.0.2.1').text('address')).toBe('192.0.2.1');
    expect(match('set host 192.0.2.256').kind).toBe('invalid');
    expect(match('set host 192.0.2').kind).toBe('invalid');
  });

  test('numbers as keywords are not cut', () => {
    expect(args('size 1024').text('octets')).toBe('1024');
    expect(match('size 1').kind).toBe('invalid');
  });

  test('LINE takes the rest as typed', () => {
    const found = args('remark   two  words   ');
    expect([found.text('LINE'), found.column('LINE')]).toEqual(['two  words', 10]);
  });

  test('what is missing, wrong or doubtful is told apart', () => {
    expect(match('set rule X')).toEqual({ kind: 'incomplete', column: 11, words: 3 });
    expect(match('set rule X imap')).toMatchObject({ kind: 'invalid', column: 12, expected: ['smtp', 'pop3'] });
    expect(match('')).toMatchObject({ kind: 'incomplete' });
    expect(match('nothing')).toMatchObject({ kind: 'invalid', column: 1 });
  });

  test('no line makes it throw, and columns stay inside the line', () => {
    const word = fc.constantFrom(
      's',
      'set',
      'rule',
      'alert',
      'on',
      'o',
      '5',
      'reset',
      'timeout',
      '1.2.3.4',
      'show',
      '\t',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word, { maxLength: 30 }).map((words) => words.join(' ')),
        ),
        (line) => {
          const found = match(line);
          if (found.kind === 'ok') return;
          expect(found.column).toBeGreaterThanOrEqual(1);
          expect(found.column).toBeLessThanOrEqual(line.length + 1);
        },
      ),
    );
  });
});

describe('a keyword that is never cut', () => {
  test('stands beside free words that begin like it', () => {
    expect(args('verb ehlo').text('word')).toBe('EHLO');
    expect(args('verb EH').text('word')).toBe('EH');
    expect(args('verb e').words).toEqual(['verb', 'e']);
    expect(args('verb XEXCH50').text('word')).toBe('XEXCH50');
  });

  test('is listed and completed like any other', () => {
    expect(helpFor(graph, 'verb ').map((entry) => entry.label)).toEqual(['EHLO', 'ETRN', 'VERB']);
    expect(helpFor(graph, 'verb et').map((entry) => entry.label)).toEqual(['ETRN', 'VERB']);
    expect(completionsFor(graph, 'verb et')).toEqual(['ETRN']);
  });
});

test('numbers are read without the zeros in front of them', () => {
  expect(args('set limit 007').words).toEqual(['set', 'limit', '7']);
});

describe('help and completion', () => {
  test('? lists what may come, with its sentence, and <cr> when the line is complete', () => {
    expect(helpFor(graph, 'set ').map((entry) => entry.label)).toEqual(['host', 'limit', 'rule']);
    expect(helpFor(graph, 'set limit ')).toEqual([{ label: '<1-10>', help: 'How many' }]);
    expect(helpFor(graph, 'show sessions ').map((entry) => entry.label)).toEqual(['detail', '<cr>']);
    expect(helpFor(graph, 'sh').map((entry) => entry.label)).toEqual(['show']);
    expect(helpFor(graph, 'nothing ')).toEqual([]);
  });

  test('used options are not offered again', () => {
    expect(helpFor(graph, 'set rule X smtp reset ').map((entry) => entry.label)).toEqual(['alert', 'timeout', '<cr>']);
  });

  test('Tab completes keywords only', () => {
    expect(completionsFor(graph, 'show se')).toEqual(['session-count', 'sessions']);
    expect(completionsFor(graph, 'show st')).toEqual(['statistics']);
    expect(completionsFor(graph, 'class o')).toEqual([]);
  });

  test('help is laid out in columns', () => {
    expect(
      formatHelp([
        { label: 'a', help: 'one' },
        { label: 'long', help: '' },
      ]),
    ).toBe('  a     one\n  long');
  });
});

describe('error texts', () => {
  test('are those of IOS', () => {
    const text = (line: string) => {
      const found = match(line);
      return found.kind === 'ok' ? undefined : lineError(found, line);
    };
    expect(text('set rule X')?.message).toBe('% Incomplete command.');
    expect(text('sh s')?.message).toBe('% Ambiguous command:  "sh s"');
    expect(text('set rule X smtq')).toEqual({
      column: 12,
      message: "% Invalid input detected at '^' marker.",
      hint: 'did you mean smtp?',
    });
    expect(text('set rule X completely')?.hint).toBeUndefined();
  });

  test('the caret stands under the word, and nothing reaches the terminal as a control', () => {
    expect(caretLines('\tset \u001b[2Jx', 6)).toBe(' set ?[2Jx\n     ^');
  });

  test('the nearest word is at most a slip away', () => {
    expect(nearestWord('inpsect', ['inspect', 'interface'])).toBe('inspect');
    expect(nearestWord('pop', ['pop3'])).toBe('pop3');
    expect(nearestWord('abc', ['xyz'])).toBeUndefined();
    expect(nearestWord('inspect', ['inspect'])).toBeUndefined();
  });
});

test('a mistake in a grammar is found when it is compiled', () => {
  for (const bad of ['show <a|b', 'show a]', 'show {', 'a $', '%']) expect(() => parseGrammar(bad)).toThrow('grammar');
});
