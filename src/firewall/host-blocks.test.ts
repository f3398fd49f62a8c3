import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BLOCKED_HOSTS_MAX, HOST_EPISODES_MAX } from '../limits.ts';
import { type HostDecision, type HostLimit, NO_HOSTS, stepHosts, unblockHosts } from './host-blocks.ts';

const [ONE, OTHER] = ['192.0.2.25', '2001:db8::25'];
const MINUTE = 60_000;

function watch(limit: HostLimit) {
  let state = NO_HOSTS;
  const watcher = {
    limit,
    blocked: () => [...state.blocks.keys()],
    known: () => state.episodes.size,
    at(nowMs: number, ...reports: readonly string[]): readonly HostDecision[] {
      const step = stepHosts(state, watcher.limit, reports, nowMs);
      state = step.state;
      return step.decisions;
    },
    unblock(...hosts: readonly string[]): readonly HostDecision[] {
      const step = unblockHosts(state, hosts);
      state = step.state;
      return step.decisions;
    },
  };
  return watcher;
}

describe('block-time 0', () => {
  test('tells once an episode and blocks nobody', () => {
    const watcher = watch({ halfOpenMax: 50, blockMinutes: 0 });
    expect(watcher.at(0)).toEqual([]);
    expect(watcher.at(50, ONE)).toEqual([{ kind: 'alert', host: ONE, limit: 50 }]);
    expect(watcher.at(100, ONE)).toEqual([]);
    expect(watcher.blocked()).toEqual([]);
  });

  test('an episode is over when a whole minute brought no report', () => {
    const watcher = watch({ halfOpenMax: 50, blockMinutes: 0 });
    watcher.at(0, ONE);
    expect(watcher.at(MINUTE - 1, ONE)).toEqual([]);
    expect(watcher.at(2 * MINUTE - 2, ONE)).toEqual([]);
    expect(watcher.at(3 * MINUTE - 2, ONE)).toEqual([{ kind: 'alert', host: ONE, limit: 50 }]);
  });

  test('each host has its own', () => {
    const watcher = watch({ halfOpenMax: 5, blockMinutes: 0 });
    expect(watcher.at(0, ONE, OTHER)).toEqual([
      { kind: 'alert', host: ONE, limit: 5 },
      { kind: 'alert', host: OTHER, limit: 5 },
    ]);
  });
});

describe('block-time 5', () => {
  test('tells, blocks, and unblocks to the millisecond', () => {
    const watcher = watch({ halfOpenMax: 50, blockMinutes: 5 });
    expect(watcher.at(1_000, ONE)).toEqual([
      { kind: 'alert', host: ONE, limit: 50 },
      { kind: 'block', host: ONE, limit: 50, minutes: 5 },
    ]);
    expect(watcher.at(5 * MINUTE + 999)).toEqual([]);
    expect(watcher.blocked()).toEqual([ONE]);
    expect(watcher.at(5 * MINUTE + 1_000)).toEqual([{ kind: 'unblock', host: ONE }]);
    expect(watcher.blocked()).toEqual([]);
    expect(watcher.at(6 * MINUTE)).toEqual([]);
  });

  test('a blocked host is not blocked again, nor its time made longer', () => {
    const watcher = watch({ halfOpenMax: 50, blockMinutes: 5 });
    watcher.at(0, ONE);
    expect(watcher.at(4 * MINUTE, ONE)).toEqual([{ kind: 'alert', host: ONE, limit: 50 }]);
    expect(watcher.at(5 * MINUTE)).toEqual([{ kind: 'unblock', host: ONE }]);
  });

  test('the flood goes on: blocked again as soon as it is reported again', () => {
    const watcher = watch({ halfOpenMax: 50, blockMinutes: 1 });
    watcher.at(0, ONE);
    expect(watcher.at(MINUTE, ONE).map(({ kind }) => kind)).toEqual(['unblock', 'alert', 'block']);
  });

  test('another block-time leaves the running timer alone and holds for the next (D-23)', () => {
    const watcher = watch({ halfOpenMax: 50, blockMinutes: 5 });
    watcher.at(0, ONE);
    watcher.limit = { halfOpenMax: 9, blockMinutes: 1 };
    expect(watcher.at(4 * MINUTE)).toEqual([]);
    expect(watcher.at(5 * MINUTE)).toEqual([{ kind: 'unblock', host: ONE }]);
    expect(watcher.at(6 * MINUTE, ONE).at(-1)).toEqual({ kind: 'block', host: ONE, limit: 9, minutes: 1 });
    watcher.limit = { halfOpenMax: 9, blockMinutes: 0 };
    expect(watcher.at(7 * MINUTE - 1)).toEqual([]);
    expect(watcher.at(7 * MINUTE)).toEqual([{ kind: 'unblock', host: ONE }]);
  });

  test('a block-time set in the middle of an episode blocks without telling again', () => {
    const watcher = watch({ halfOpenMax: 50, blockMinutes: 0 });
    watcher.at(0, ONE);
    watcher.limit = { halfOpenMax: 50, blockMinutes: 2 };
    expect(watcher.at(100, ONE)).toEqual([{ kind: 'block', host: ONE, limit: 50, minutes: 2 }]);
  });
});

describe('unblocking by hand', () => {
  test('ends the named blocks and no other', () => {
    const watcher = watch({ halfOpenMax: 5, blockMinutes: 5 });
    watcher.at(0, ONE, OTHER);
    expect(watcher.unblock(OTHER, '192.0.2.99')).toEqual([{ kind: 'unblock', host: OTHER }]);
    expect(watcher.blocked()).toEqual([ONE]);
    expect(watcher.at(5 * MINUTE)).toEqual([{ kind: 'unblock', host: ONE }]);
  });
});

describe('bounds', () => {
  const hosts = Array.from({ length: BLOCKED_HOSTS_MAX + 7 }, (_, index) => `198.51.${index >> 8}.${index & 255}`);

  test('so many blocks and no more; each that ends makes room', () => {
    const watcher = watch({ halfOpenMax: 5, blockMinutes: 1 });
    watcher.at(0, ...hosts);
    expect(watcher.blocked()).toHaveLength(BLOCKED_HOSTS_MAX);
    expect(watcher.known()).toBe(HOST_EPISODES_MAX);
    const late = hosts.at(-1) ?? '';
    expect(watcher.at(1, late).filter(({ kind }) => kind === 'block')).toEqual([]);
    expect(watcher.at(MINUTE, late).filter(({ kind }) => kind === 'block')).toHaveLength(1);
    expect(watcher.blocked()).toEqual([late]);
  });

  test('nothing is left of a quiet network', () => {
    const watcher = watch({ halfOpenMax: 5, blockMinutes: 1 });
    watcher.at(0, ...hosts);
    watcher.at(MINUTE);
    expect([watcher.known(), watcher.blocked()]).toEqual([0, []]);
  });
});

test('blocks and unblocks of a host take turns, and a block lasts as long as was said', () => {
  const events = fc.array(
    fc.record({ afterMs: fc.nat(2 * MINUTE), hosts: fc.subarray(['a', 'b', 'c']), minutes: fc.nat(3) }),
    { maxLength: 100 },
  );
  fc.assert(
    fc.property(events, (given) => {
      const watcher = watch({ halfOpenMax: 5, blockMinutes: 0 });
      const until = new Map<string, number>();
      let nowMs = 0;
      for (const { afterMs, hosts, minutes } of given) {
        nowMs += afterMs;
        watcher.limit = { halfOpenMax: 5, blockMinutes: minutes };
        for (const decision of watcher.at(nowMs, ...hosts)) {
          if (decision.kind === 'block') {
            expect(until.has(decision.host)).toBe(false);
            until.set(decision.host, nowMs + decision.minutes * MINUTE);
          } else if (decision.kind === 'unblock') {
            expect(nowMs).toBeGreaterThanOrEqual(until.get(decision.host) ?? Number.POSITIVE_INFINITY);
            until.delete(decision.host);
          }
        }
        for (const ends of until.values()) expect(ends).toBeGreaterThan(nowMs);
        expect(new Set(watcher.blocked())).toEqual(new Set(until.keys()));
      }
    }),
  );
});
