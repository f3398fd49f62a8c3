import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PERMISSIVE } from '../postern.ts';
import type { Case, CaseSegment } from './cases.ts';
import { type Sunk, sinkCases } from './sink.ts';
import { openStage, type Stage } from './stage.ts';

/**
 * What Postern keeps and sends on late must pass the receiver's test for old segments (RFC 7323 5), though newer ones
 * of the same sender went ahead. The raw client sends nothing twice: what a real stack drops here is lost for good.
 */

const NEWER = 30_000;

function story(id: string, segments: readonly CaseSegment[]): Case {
  return { id, name: id, protocol: 'tcp', expect: 'P', segments };
}

const EARLY_SEGMENT = story('a segment that came early, behind the repetition that closed its gap', [
  { off: 6, bytes: 'RSET\r\n' },
  { off: 0, bytes: 'NOOP\r\n', ts: NEWER },
]);
const EARLY_TAIL = story('several of them, of which one is new enough', [
  { off: 12, bytes: 'HELP\r\n', ts: 2 * NEWER },
  { off: 6, bytes: 'RSET\r\n', ts: 1 },
  { off: 18, bytes: 'NOOP\r\n', ts: 2 },
  { off: 0, bytes: 'NOOP\r\n', ts: NEWER },
]);
const IN_ORDER = story('segments in order, stamps rising', [
  { off: 0, bytes: 'NOOP\r\n' },
  { off: 6, bytes: 'RSET\r\n', ts: NEWER },
]);

describe('segments released late', () => {
  const cases = [EARLY_SEGMENT, EARLY_TAIL, IN_ORDER];
  let stage: Stage;
  let sunk: Sunk[] = [];
  beforeAll(async () => {
    stage = await openStage(PERMISSIVE);
    sunk = await sinkCases(stage, cases);
  });
  afterAll(async () => {
    await stage?.close();
  });

  it.each([
    [EARLY_SEGMENT, 'NOOP\r\nRSET\r\n'],
    [EARLY_TAIL, 'NOOP\r\nRSET\r\nHELP\r\nNOOP\r\n'],
    [IN_ORDER, 'NOOP\r\nRSET\r\n'],
  ])('$name', (of, heard) => {
    const mine = sunk.find((one) => one.of.id === of.id);
    expect(mine?.heard).toBe(heard);
    expect(mine?.end).toBe('open');
  });
});
