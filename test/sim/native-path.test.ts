import { describe, expect, it } from 'vitest';
import { cases, problemOf } from './simulate.ts';

/** `SIM_SEED=n` plays that one run; `SIM_RUNS=n` plays so many, from `SIM_FIRST` on. */
const FIRST_SEED = Number(process.env.SIM_SEED ?? process.env.SIM_FIRST ?? 0);
const RUNS = process.env.SIM_SEED === undefined ? Number(process.env.SIM_RUNS ?? 600) : 1;
const BLOCK = 100;
const BLOCK_MS_MAX = 60_000;

describe('transcripts through the native path, split, reordered, repeated and altered', () => {
  it('has cases of every protocol', () => {
    expect(new Set(cases.map(({ port }) => port))).toEqual(new Set([25, 110, 143]));
  });

  const blocks = Array.from({ length: Math.ceil(RUNS / BLOCK) }, (_, block) => FIRST_SEED + block * BLOCK);
  it.each(blocks)(
    'comes to the same end from seed %i on',
    (first) => {
      const last = Math.min(first + BLOCK, FIRST_SEED + RUNS);
      for (let seed = first; seed < last; seed += 1) {
        const problem = problemOf(seed);
        if (problem !== undefined) expect.fail(`SIM_SEED=${seed} ${problem}`);
      }
    },
    BLOCK_MS_MAX,
  );
});
