import { describe, expect, it } from 'vitest';
import type { ContentFact } from '../../src/inspect/facts.ts';
import type { Action, Frame, Inspector } from '../../src/inspect/inspector.ts';
import { FakeEngine } from './fake-engine.ts';
import { type ContentScript, findsTexts } from './fake-walk.ts';

const FORWARD: Action = { kind: 'forward' };
const BAD: ContentFact = { kind: 'body', map: 1, decoded: false };
const LAST: ContentFact = { kind: 'encoding', token: '8bit' };

/** Lines, then `GO`: mail data, walked; `TAKE n`: a chunk, the last where n is odd. Told facts that are BAD are refused. */
function toy(refuses: boolean): Inspector<string, object> {
  const answers = (state: string, frame: Frame): readonly [string, readonly Action[]] => {
    switch (frame.kind) {
      case 'line': {
        const bytes = Number(/^TAKE (\d+)/.exec(frame.text)?.[1] ?? 0);
        if (bytes > 0) {
          const begin: readonly Action[] = state === '' ? [{ kind: 'content', what: 'beginChunks' }] : [];
          return [bytes % 2 === 1 ? 'last' : 'chunks', [FORWARD, ...begin, counted(bytes)]];
        }
        return frame.text === 'GO'
          ? ['data', [FORWARD, mailData, { kind: 'content', what: 'beginData' }]]
          : ['', [FORWARD]];
      }
      case 'countedEnd':
        return [state, state === 'last' ? [{ kind: 'content', what: 'finish' }] : [FORWARD]];
      case 'dataEnd':
        return [state, [{ kind: 'content', what: 'finish' }]];
      case 'content': {
        const refused = refuses && frame.facts.includes(BAD);
        const refuse: Action = { kind: 'refuse', reason: 'invalid-command', how: 'words', words: 'no\r\n' };
        return [frame.finished ? '' : state, [refused ? refuse : FORWARD]];
      }
      default:
        return [state, [FORWARD]];
    }
  };
  return {
    name: 'toy',
    initial: '',
    lineBytesMax: { initiator: 20, responder: 20 },
    step(state, frame) {
      const [after, actions] = answers(state, frame);
      return { state: frame.kind === 'partial' ? state : after, actions };
    },
    stage: (state) => state,
  };
}

const mailData: Action = { kind: 'frameAs', from: 'initiator', mode: { kind: 'mailData', budgetBytes: 1_000 } };
const counted = (bytes: number): Action => ({ kind: 'frameAs', from: 'initiator', mode: { kind: 'counted', bytes } });

const marks = findsTexts([['bad', BAD]]);
const script: ContentScript = (octets, finished) => [...marks(octets, finished), ...(finished ? [LAST] : [])];

const DATA = 'GO\r\nab bad c\r\n.\r\nQUIT\r\n';
const CHUNKS = 'TAKE 4\r\na baTAKE 3\r\nd bQUIT\r\n';

function run(octets: string, refuses: boolean, length: number) {
  const engine = new FakeEngine(toy(refuses), {}, script);
  for (let at = 0; at < octets.length; at += length) engine.feed('initiator', octets.slice(at, at + length));
  return engine;
}

describe.each([
  ['mail data', DATA, 'GO\r\nab ba'],
  ['chunks', CHUNKS, 'TAKE 4\r\na baTAKE 3\r\n'],
])('a walk over %s', (_form, octets, before) => {
  const lengths = Array.from(octets, (_octet, index) => index + 1);

  it.each(lengths)('is judged where it finds something, and at the end, in pieces of %i', (length) => {
    const engine = run(octets, false, length);
    expect(engine.receivedFrom('initiator')).toBe(octets);
    const content = engine.log.filter(({ what }) => what.includes('(content'));
    expect(content.map(({ what }) => what)).toEqual(['C: (content body)', 'C: (content finished encoding)']);
    expect(engine.log.at(-1)?.what).toBe('C: QUIT');
  });

  it.each(lengths)('lets nothing go from what is refused on, in pieces of %i', (length) => {
    const engine = run(octets, true, length);
    expect(engine.receivedFrom('initiator')).toBe(before);
    expect(engine.receivedFrom('responder')).toBe('no\r\n');
  });
});

describe('a frame that is put aside', () => {
  it('is not answered at once', () => {
    const inner = toy(false);
    const both: Inspector<string, object> = {
      ...inner,
      step: (state, frame, policy) => {
        const step = inner.step(state, frame, policy);
        return frame.kind === 'dataEnd' ? { ...step, actions: [...step.actions, FORWARD] } : step;
      },
    };
    const engine = new FakeEngine(both, {}, script);
    expect(() => engine.feed('initiator', DATA)).toThrow('put aside and answered at once');
  });
});
