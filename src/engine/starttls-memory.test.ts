import { describe, expect, it } from 'vitest';
import { STARTTLS_OFFER_DAYS_MAX, STARTTLS_SERVERS_MAX } from '../limits.ts';
import { StarttlsMemory, serverKey } from './starttls-memory.ts';

const HOUR_MS = 3_600_000;

function memoryAt(start = 0): { readonly memory: StarttlsMemory; wait(ms: number): void } {
  let nowMs = start;
  return {
    memory: new StarttlsMemory(() => nowMs),
    wait(ms) {
      nowMs += ms;
    },
  };
}

describe('StarttlsMemory', () => {
  it('tells once a server and hour of one that stopped', () => {
    const { memory, wait } = memoryAt();
    memory.note('a 25', 'offered');
    expect(memory.note('a 25', 'missing')).toBe(true);
    expect(memory.note('a 25', 'overwritten')).toBe(false);
    wait(HOUR_MS - 1);
    expect(memory.note('a 25', 'missing')).toBe(false);
    wait(1);
    expect(memory.note('a 25', 'missing')).toBe(true);
  });

  it('tells nothing of servers that never offered it, nor of other ports', () => {
    const { memory } = memoryAt();
    expect(memory.note('a 25', 'missing')).toBe(false);
    memory.note('a 587', 'offered');
    expect(memory.note('a 25', 'overwritten')).toBe(false);
    expect(memory.offered('a 25')).toBe(false);
    expect(serverKey({ address: '192.0.2.1', port: 25 })).toBe('192.0.2.1 25');
  });

  it('an offer in between does not shorten the hour', () => {
    const { memory } = memoryAt();
    memory.note('a 25', 'offered');
    expect(memory.note('a 25', 'missing')).toBe(true);
    memory.note('a 25', 'offered');
    expect(memory.note('a 25', 'missing')).toBe(false);
  });

  it('forgets what was not offered for days', () => {
    const { memory, wait } = memoryAt();
    memory.note('a 25', 'offered');
    wait(STARTTLS_OFFER_DAYS_MAX * 24 * HOUR_MS);
    expect(memory.offered('a 25')).toBe(false);
    expect(memory.note('a 25', 'missing')).toBe(false);
  });

  it('has room for so many, and the one heard of longest ago goes', () => {
    const { memory } = memoryAt();
    for (let i = 0; i <= STARTTLS_SERVERS_MAX; i += 1) {
      memory.note(`s${i} 25`, 'offered');
      memory.note('s0 25', 'offered');
    }
    expect(memory.size).toBe(STARTTLS_SERVERS_MAX);
    expect([memory.offered('s0 25'), memory.offered('s1 25'), memory.offered('s2 25')]).toEqual([true, false, true]);
  });
});
