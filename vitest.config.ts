import { defineConfig } from 'vitest/config';

// The lab needs root, namespaces and real servers: `scripts/test.sh` runs it apart (`vitest run --project lab`).
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/*.test.ts', 'test/transcripts/**/*.test.ts', 'test/sim/**/*.test.ts'],
          // Properties over every splitting take seconds on a machine that has other work.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          // Most of the lab's time is waiting: two files at a time, each in namespaces of its own, take little more than half.
          fileParallelism: true,
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
