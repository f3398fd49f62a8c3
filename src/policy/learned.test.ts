import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEARNED_CHANGES_MAX, LEARNED_MAX, LEARNED_SENDER_BYTES_MAX } from '../limits.ts';
import { type LearnedEntry, LearnedIndex, LearnedTable, type Learning, learn, learnedKey } from './learned.ts';

const MINUTE = 60_000;
const from = (sender: string, client = '192.0.2.1', minutes?: number): Learning => ({
  sender,
  client,
  ...(minutes === undefined ? {} : { minutes }),
});

describe('an entry', () => {
  it('is lower-case, in ASCII only, and has the domain of its sender', () => {
    expect(learn(undefined, from('"A@B"@Example.ORG'), 5)).toEqual({
      sender: '"a@b"@example.org',
      domain: 'example.org',
      client: '192.0.2.1',
      firstSeenAtMs: 5,
      lastSeenAtMs: 5,
      hits: 1,
    });
    expect(learn(undefined, from('\xc3\x9f@x'), 5)?.sender).toBe('\xc3\x9f@x');
  });

  it('is counted again and keeps when it was first seen', () => {
    const first = learn(undefined, from('a@b'), 5);
    expect(learn(first, from('A@b'), 9)).toMatchObject({ firstSeenAtMs: 5, lastSeenAtMs: 9, hits: 2 });
  });

  it('holds for as long as the longest rule asked', () => {
    const hour = learn(undefined, from('a@b', 'c', 60), 0);
    expect(hour?.expiresAtMs).toBe(60 * MINUTE);
    expect(learn(hour, from('a@b', 'c', 1), 1)?.expiresAtMs).toBe(60 * MINUTE);
    expect(learn(hour, from('a@b', 'c', 60), MINUTE)?.expiresAtMs).toBe(61 * MINUTE);
    expect(learn(hour, from('a@b', 'c'), 1)?.expiresAtMs).toBeUndefined();
    expect(learn(learn(undefined, from('a@b', 'c'), 0), from('a@b', 'c', 1), 1)?.expiresAtMs).toBeUndefined();
  });

  it('begins anew once it has expired', () => {
    const old = learn(undefined, from('a@b', 'c', 1), 0);
    expect(learn(old, from('a@b', 'c', 1), MINUTE)).toMatchObject({ firstSeenAtMs: MINUTE, hits: 1 });
  });

  it('is not made of a sender that no path can hold', () => {
    expect(learn(undefined, from('a'.repeat(LEARNED_SENDER_BYTES_MAX)), 0)).toBeDefined();
    expect(learn(undefined, from('a'.repeat(LEARNED_SENDER_BYTES_MAX + 1)), 0)).toBeUndefined();
  });
});

describe('the table', () => {
  it('holds so many and lets the one go that was not seen for longest', () => {
    const table = new LearnedTable();
    for (let i = 0; i < LEARNED_MAX; i += 1) table.record(from(`${i}@x`), i);
    table.record(from('0@x'), LEARNED_MAX);
    expect(table.record(from('new@x'), LEARNED_MAX + 1)).toEqual([learnedKey(from('new@x')), learnedKey(from('1@x'))]);
    expect(table.size).toBe(LEARNED_MAX);
    expect(table.get(learnedKey(from('0@x')))).toBeDefined();
    expect(table.get(learnedKey(from('1@x')))).toBeUndefined();
  });

  it('begins with no more than it may hold, and nothing that expired', () => {
    const kept = Array.from({ length: LEARNED_MAX + 5 }, (_none, i): LearnedEntry => {
      const entry = { sender: `${i}@x`, domain: 'x', client: 'c', firstSeenAtMs: i, lastSeenAtMs: i, hits: 1 };
      return i === LEARNED_MAX ? { ...entry, expiresAtMs: 7 } : entry;
    });
    const table = new LearnedTable(kept.reverse(), 7);
    expect(table.size).toBe(LEARNED_MAX);
    expect(table.entries(7).at(0)?.sender).toBe(`${LEARNED_MAX + 4}@x`);
    expect(table.entries(7).at(-1)?.sender).toBe('4@x');
  });

  it('shows no entry that expired, and drops it', () => {
    const table = new LearnedTable();
    table.record(from('a@x', 'c', 1), 0);
    table.record(from('b@x', 'c'), 0);
    expect(table.entries(MINUTE - 1)).toHaveLength(2);
    expect(table.entries(MINUTE).map(({ sender }) => sender)).toEqual(['b@x']);
    expect(table.expire(MINUTE - 1)).toEqual([]);
    expect(table.expire(MINUTE)).toEqual([learnedKey(from('a@x', 'c'))]);
    expect(table.size).toBe(1);
  });

  it.each([
    ['all', 5],
    ['A@x', 2],
    ['@X', 3],
    ['192.0.2.2', 2],
    ['x', 0],
    ['@', 0],
    ['', 0],
  ])('forgets %j', (which, count) => {
    const table = new LearnedTable();
    for (const learning of [
      from('a@x', '192.0.2.1'),
      from('a@x', '192.0.2.2'),
      from('b@x', '192.0.2.1'),
      from('a@y', '192.0.2.2'),
      from('', '192.0.2.3'),
    ]) {
      table.record(learning, 0);
    }
    expect(table.clear(which)).toHaveLength(count);
    expect(table.size).toBe(5 - count);
  });
});

describe('the index of a worker', () => {
  const indexOf = (table: LearnedTable, nowMs = () => 0): LearnedIndex => {
    const index = new LearnedIndex(nowMs);
    const changes = table.changesSince(-1);
    if (changes !== undefined) index.apply(changes);
    return index;
  };

  it('knows senders, domains and clients in any case of letters', () => {
    const table = new LearnedTable();
    table.record(from('Eve@Example.org', '2001:DB8::1'), 0);
    const index = indexOf(table);
    expect(index.sender('eve@EXAMPLE.org')).toBe(true);
    expect(index.domain('example.ORG')).toBe(true);
    expect(index.client('2001:db8::1')).toBe(true);
    expect(index.sender('mallory@example.org')).toBe(false);
    expect(index.domain('org')).toBe(false);
    expect(index.client('192.0.2.1')).toBe(false);
  });

  it('learns no null path, only who sent it', () => {
    const index = new LearnedIndex(() => 0);
    index.learn(from('', '192.0.2.1'));
    expect([index.sender(''), index.domain(''), index.client('192.0.2.1')]).toEqual([false, false, true]);
  });

  it('knows at once what its worker learned, and keeps it when the store says so too', () => {
    const table = new LearnedTable();
    const index = new LearnedIndex(() => 0);
    index.learn(from('a@x'));
    expect(index.sender('a@x')).toBe(true);
    table.record(from('a@x'), 0);
    index.apply(table.changesSince(0) ?? { revision: 0, whole: true, put: [], removed: [] });
    table.clear('a@x');
    index.apply(table.changesSince(1) ?? { revision: 0, whole: false, put: [], removed: [] });
    expect(index.sender('a@x')).toBe(false);
  });

  it('forgets by the clock, before anybody says so', () => {
    let nowMs = 0;
    const index = new LearnedIndex(() => nowMs);
    index.learn(from('a@x', 'c', 1));
    nowMs = MINUTE - 1;
    expect(index.sender('a@x')).toBe(true);
    nowMs = MINUTE;
    expect([index.sender('a@x'), index.domain('x'), index.client('c')]).toEqual([false, false, false]);
  });

  it('takes no more of its own than there may be', () => {
    const index = new LearnedIndex(() => 0);
    for (let i = 0; i <= LEARNED_MAX; i += 1) index.learn(from(`${i}@x`));
    expect(index.sender(`${LEARNED_MAX - 1}@x`)).toBe(true);
    expect(index.sender(`${LEARNED_MAX}@x`)).toBe(false);
  });

  it('follows the table by its changes, whatever happens and however late it asks', () => {
    const senders = ['a@x', 'B@x', 'c@y', '', 'd\0@\xff', 'plain'];
    const clients = ['192.0.2.1', '2001:db8::1'];
    const happening = fc.oneof(
      fc.record({
        sender: fc.constantFrom(...senders),
        client: fc.constantFrom(...clients),
        minutes: fc.constantFrom(undefined, 1, 5),
      }),
      fc.constantFrom('clear a@x', 'clear all', 'clear @y', 'ask', 'ask', 'wait'),
    );
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        let nowMs = 0;
        let revision = 0;
        const table = new LearnedTable();
        const index = new LearnedIndex(() => nowMs);
        for (const what of [...happenings, 'ask']) {
          if (typeof what !== 'string') table.record(from(what.sender, what.client, what.minutes), nowMs);
          else if (what.startsWith('clear ')) table.clear(what.slice('clear '.length));
          else if (what === 'wait') nowMs += 2 * MINUTE;
          if (what !== 'ask') continue;
          table.expire(nowMs);
          const changes = table.changesSince(revision);
          if (changes !== undefined) {
            index.apply(changes);
            revision = changes.revision;
          }
        }
        const held = table.entries(nowMs);
        for (const sender of senders) {
          const known = sender !== '' && held.some((entry) => entry.sender === sender.toLowerCase());
          expect(index.sender(sender)).toBe(known);
        }
        for (const client of clients) expect(index.client(client)).toBe(held.some((entry) => entry.client === client));
        for (const domain of ['x', 'y', '\xff']) {
          expect(index.domain(domain)).toBe(held.some((entry) => entry.domain === domain));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('is told everything when it missed too much', () => {
    const table = new LearnedTable();
    for (let i = 0; i <= LEARNED_CHANGES_MAX; i += 1) table.record(from(`${i}@x`), i);
    expect(table.changesSince(1)).toMatchObject({ whole: false });
    expect(table.changesSince(0)).toMatchObject({ whole: true });
    expect(table.changesSince(0)?.put).toHaveLength(LEARNED_CHANGES_MAX + 1);
    expect(table.changesSince(table.revision)).toBeUndefined();
  });
});
