import { describe, expect, test } from 'vitest';
import type { ContentFact } from '../inspect/facts.ts';
import { readContentFacts } from './content-facts.ts';
import { contentRecords } from './fake-batch.ts';

describe('readContentFacts', () => {
  test('reads each kind, in their order', () => {
    const facts: readonly ContentFact[] = [
      { kind: 'header', map: 3, field: 'Subject' },
      { kind: 'body', map: 0, decoded: false },
      { kind: 'body', map: 70_000, decoded: true },
      { kind: 'contentType', map: 1, type: 'image/jpeg' },
      { kind: 'encoding', token: 'x-\xe9' },
      { kind: 'headerLength', over: 16_000 },
      { kind: 'dataLength', over: 5_000_000_000 },
      { kind: 'limit', name: 'parts' },
    ];
    expect(readContentFacts(contentRecords(facts))).toEqual(facts);
  });

  test('reads octets as the packet loop writes them', () => {
    const octets = Buffer.from([1, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9, 0x54, 0x6f]);
    expect(readContentFacts(octets)).toEqual([{ kind: 'header', map: 2 ** 32 + 9, field: 'To' }]);
    expect(readContentFacts(Buffer.alloc(0))).toEqual([]);
  });

  test.each([
    ['no head', Buffer.alloc(11, 1)],
    ['less text than is said', Buffer.from([5, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0x61, 0x62])],
    ['another kind', Buffer.alloc(12)],
    ['a limit without words', Buffer.from([8, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x61, 0x62])],
  ])('throws at %s', (_what, octets) => {
    expect(() => readContentFacts(octets)).toThrow(/content record/);
  });
});
