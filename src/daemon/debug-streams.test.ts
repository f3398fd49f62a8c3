import { expect, test } from 'vitest';
import { type DebugReader, DebugStreams } from './debug-streams.ts';

function reader(): DebugReader & { readonly lines: string[]; ended: boolean } {
  const lines: string[] = [];
  return {
    lines,
    ended: false,
    line: (text) => void lines.push(text),
    end() {
      this.ended = true;
    },
  };
}

function start() {
  const turns: boolean[] = [];
  return { turns, streams: new DebugStreams((on) => void turns.push(on)) };
}

const CREATE = 'CBAC OBJ_CREATE: create sis 00020007';
const DELETE = 'CBAC OBJ_DELETE: delete sis 00020007';

test('each reader has the lines it asked for, and the workers tell while there is one', () => {
  const { streams, turns } = start();
  const [one, other] = [reader(), reader()];
  const stop = streams.subscribe('debug ip inspect object-creation', one);
  const stopOther = streams.subscribe('debug ip inspect object-deletion', other);
  streams.publish(CREATE);
  streams.publish(DELETE);
  expect([one.lines, other.lines]).toEqual([[CREATE], [DELETE]]);
  if (typeof stop !== 'function' || typeof stopOther !== 'function') throw new Error('refused');
  stop();
  streams.publish(CREATE);
  expect(one.lines).toHaveLength(1);
  expect(turns).toEqual([true, true]);
  stopOther();
  stopOther();
  expect(turns).toEqual([true, true, false]);
  expect([one.ended, other.ended]).toEqual([false, false]);
});

test('undebug ends them all, once', () => {
  const { streams, turns } = start();
  const readers = [reader(), reader()];
  for (const one of readers) streams.subscribe('debug ip inspect detailed', one);
  expect(streams.endAll()).toBe(2);
  streams.publish(CREATE);
  expect(readers.map(({ lines, ended }) => [lines.length, ended])).toEqual([
    [0, true],
    [0, true],
  ]);
  expect(turns.at(-1)).toBe(false);
  expect(streams.endAll()).toBe(0);
});

test('what is no debug command is refused and turns nothing on', () => {
  const { streams, turns } = start();
  expect(streams.subscribe('debug ip inspect nonsense', reader())).toMatchObject({ error: expect.any(String) });
  expect(turns).toEqual([]);
});
