import { describe, expect, it } from 'vitest';
import type { Action, Frame, Inspector } from '../../src/inspect/inspector.ts';
import { parseTranscripts, type TranscriptCase, unescapeOctets } from './markdown.ts';
import { problemOfSplitting } from './runner.ts';

const FORWARD: Action = { kind: 'forward' };

/** A toy protocol: GO passes, everything else is masked from its first wrong octet on. Tests bend one answer at a time. */
function toy(bend: (frame: Frame, answer: readonly Action[]) => readonly Action[]): Inspector<number, object> {
  return {
    name: 'toy',
    initial: 0,
    lineBytesMax: { initiator: 20, responder: 20 },
    step(state, frame) {
      const text = frame.kind === 'line' || frame.kind === 'partial' ? frame.text : '';
      // The CR at the end of a partial line may be its line end, which no mask may touch.
      const word = frame.kind === 'partial' ? text.replace(/\r$/, '') : text;
      const good = frame.kind === 'partial' ? 'GO'.startsWith(word) : word === 'GO';
      const mask: Action = { kind: 'mask', start: 0, length: word.length, fill: 'x', what: 'word' };
      const answer = frame.from === 'responder' || good ? [FORWARD] : [mask, FORWARD];
      return { state: frame.kind === 'line' ? state + 1 : state, actions: bend(frame, answer) };
    },
    stage: (state) => `line${state}`,
  };
}

const dialogue = parseTranscripts('# t\n```toy\nS: hi\nC: GO\nC: GOX 1\nS: ok\n```\n```postern\n```\n', 'toy')[0];
if (dialogue === undefined) throw new Error('the parser lost the case');

const problemWith = (bend: Parameters<typeof toy>[0], transcript: TranscriptCase = dialogue): string | undefined =>
  problemOfSplitting({ inspector: toy(bend), policy: {} }, transcript);

describe('total re-splitting', () => {
  it('finds nothing wrong with an inspector that keeps the rules', () => {
    expect(problemWith((_frame, answer) => answer)).toBeUndefined();
  });

  it('finds a partial line that is held', () => {
    expect(problemWith((frame, answer) => (frame.kind === 'partial' ? [] : answer))).toContain('stalls');
  });

  it('finds a mask that covers the line end of a line under way', () => {
    const problem = problemWith((frame, answer) => {
      if (frame.kind !== 'partial' || frame.text !== 'GOX 1\r') return answer;
      return [{ kind: 'mask', start: 0, length: 6, fill: 'x', what: 'word' }, FORWARD];
    });
    expect(problem).toContain('became x instead of \\r');
  });

  it('finds a partial mask that the whole line does not confirm', () => {
    const problem = problemWith((frame, answer) => (frame.kind === 'line' ? [FORWARD] : answer));
    expect(problem).toContain('became x instead of X');
  });

  it('finds an octet that passes behind a masked one', () => {
    const problem = problemWith((frame, answer) => {
      const slips = frame.kind === 'partial' && frame.text === 'GOX 1';
      return slips ? [FORWARD] : answer;
    });
    expect(problem).toContain('became 1 instead of x');
  });

  it('finds an alert that only a partial line raises', () => {
    const alert: Action = { kind: 'alert', alert: { id: 'PROTOCOL_VIOLATION', text: '' } };
    expect(problemWith((frame, answer) => (frame.kind === 'partial' ? [...answer, alert] : answer))).toContain(
      'its line will again',
    );
  });

  it('finds a verdict that depends on what a segment held', () => {
    const refuse: Action = { kind: 'refuse', reason: 'invalid-command', how: 'reset' };
    const problem = problemWith((frame, answer) => {
      if (frame.kind === 'partial' && frame.text.includes('X')) return [refuse];
      return answer;
    });
    expect(problem).toContain('other verdicts');
  });

  it('finds a secret that leaves in pieces', () => {
    const [withSecret] = parseTranscripts('# t\n```toy\nC: GO\n```\n```postern\n```\n```never\nS: GO\n```\n', 'toy');
    if (withSecret === undefined) throw new Error('the parser lost the case');
    expect(problemWith((_frame, answer) => answer, withSecret)).toContain('reached the responder');
  });
});

describe('transcript text', () => {
  it.each([
    ['a\\r\\n\\t\\0\\x7f\\\\', 'a\r\n\t\0\x7f\\'],
    ['{5}*ab', 'aaaaab'],
    ['\\{5}*a {5} x', '{5}*a {5} x'],
    ['é', '\xe9'],
  ])('%s', (text, octets) => expect(unescapeOctets(text)).toBe(octets));
});
