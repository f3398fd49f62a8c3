import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LEARNED_UNWRITTEN_MAX } from '../limits.ts';
import type { Logger, LogMessage } from '../log/log-message.ts';
import { LearnedStore } from './learned-store.ts';

const MINUTE = 60_000;
let folder = '';
let told: LogMessage[] = [];
const logger: Logger = { log: (message) => told.push(message), tick: () => {}, close: () => {} };
const senders = (store: LearnedStore): readonly string[] => store.entries().map(({ sender }) => sender);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-learned-'));
  told = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function inStore<Result>(use: (store: LearnedStore) => Result | Promise<Result>, nowMs?: () => number) {
  const store = await LearnedStore.open(folder, logger, nowMs);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

describe('what was learned', () => {
  it('is there again after a restart', async () => {
    await inStore(
      async (store) => {
        await store.record('Eve@Example.org', '192.0.2.1');
        await store.record('eve@example.org', '192.0.2.1', 5);
        await store.record('', '192.0.2.2', 5);
      },
      () => 7,
    );
    const entries = await inStore(
      (store) => store.entries(),
      () => 8,
    );
    expect(entries).toEqual([
      { sender: '', domain: '', client: '192.0.2.2', firstSeenAtMs: 7, lastSeenAtMs: 7, hits: 1, expiresAtMs: 300_007 },
      {
        sender: 'eve@example.org',
        domain: 'example.org',
        client: '192.0.2.1',
        firstSeenAtMs: 7,
        lastSeenAtMs: 7,
        hits: 2,
      },
    ]);
    expect(told).toEqual([]);
  });

  it('is gone for good once it was cleared or has expired', async () => {
    await inStore(
      async (store) => {
        await store.record('a@x', 'c');
        await store.record('b@x', 'c', 1);
        await store.record('c@x', 'c');
        expect(store.clear('a@x')).toBe(1);
        expect(store.clear('a@x')).toBe(0);
      },
      () => 0,
    );
    expect(await inStore(senders, () => MINUTE)).toEqual(['c@x']);
    // Even to a clock that was set back.
    expect(await inStore(senders, () => 0)).toEqual(['c@x']);
  });

  it('is told to workers from any revision on', async () => {
    await inStore(async (store) => {
      await store.record('a@x', 'c');
      const { revision } = store;
      expect(store.changesSince(revision)).toBeUndefined();
      await store.record('b@x', 'c');
      expect(store.changesSince(revision)).toMatchObject({ whole: false, put: [{ sender: 'b@x' }], removed: [] });
    });
  });

  it('may have any octets in its sender', async () => {
    const octets = fc.uint8Array({ maxLength: 320 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(octets, { minLength: 50, maxLength: 200 }), async (texts) => {
        const known = await inStore(async (store) => {
          store.clear('all');
          for (const text of texts) void store.record(text, '192.0.2.1');
          return senders(store);
        });
        expect(await inStore(senders)).toEqual(expect.arrayContaining([...known]));
        expect(await inStore((store) => store.entries().length)).toBe(known.length);
      }),
      { numRuns: 3 },
    );
    expect(told).toEqual([]);
  }, 60_000);

  it('is written once for many records that came meanwhile', async () => {
    await inStore(async (store) => {
      const records = Array.from({ length: 2_000 }, (_none, i) => store.record(`${i % 100}@x`, 'c'));
      await Promise.all(records);
      expect(store.entries()).toHaveLength(100);
    });
    expect(await inStore((store) => store.entries().map(({ hits }) => hits))).toEqual(Array(100).fill(20));
  });
});

/** The store as JavaScript, for a process of its own to import. Types are checked elsewhere. */
function compileStore(outDir: string): void {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const project = join(outDir, 'tsconfig.json');
  const compilerOptions = { outDir, rootDir: join(root, 'src'), noCheck: true, types: [] };
  const files = [join(root, 'src/daemon/learned-store.ts')];
  writeFileSync(project, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] }));
  writeFileSync(join(outDir, 'package.json'), '{ "type": "module" }');
  symlinkSync(join(root, 'node_modules'), join(outDir, 'node_modules'));
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project]);
}

/** Opens the store in a process of its own, which says `stored N` for each record that it was told is on the disk. */
const WRITER = `
const { LearnedStore } = await import(process.argv[3]);
const store = await LearnedStore.open(process.argv[2], { log: (message) => console.log(JSON.stringify(message)) });
for (let n = 0; ; n += 1) {
  await store.record(n + '@example.org', '192.0.2.1');
  console.log('stored ' + n);
}
`;

describe('a process that is killed', () => {
  it('has stored what it was told is stored', async () => {
    const script = join(folder, 'writer.mjs');
    compileStore(folder);
    writeFileSync(script, WRITER);
    const store = join(folder, 'daemon', 'learned-store.js');
    const writer: ChildProcess = spawn(process.execPath, [script, folder, store], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (writer.stdout === null) throw new Error('the writer has no output');
    let last = -1;
    for await (const line of createInterface({ input: writer.stdout })) {
      const [, number] = /^stored (\d+)$/.exec(line) ?? [];
      if (number === undefined) throw new Error(line);
      last = Number(number);
      if (last >= 20) break;
    }
    const ended = once(writer, 'exit');
    writer.kill('SIGKILL');
    expect((await ended)[1]).toBe('SIGKILL');
    const known = new Set(await inStore(senders));
    for (let n = 0; n <= last; n += 1) expect(known.has(`${n}@example.org`)).toBe(true);
    expect(told).toEqual([]);
  }, 30_000);
});

describe('a store that cannot be used', () => {
  const data = (): string => join(folder, 'learned', 'data.mdb');

  async function filled(count: number): Promise<void> {
    await inStore((store) =>
      Promise.all(Array.from({ length: count }, (_none, i) => store.record(`${i}@example.org`, '192.0.2.1'))),
    );
  }

  async function expectMemoryOnly(): Promise<void> {
    await inStore(async (store) => {
      expect(store.isDurable).toBe(false);
      await store.record('a@x', 'c');
      expect(senders(store)).toEqual(['a@x']);
      expect(store.changesSince(0)?.put).toHaveLength(1);
      expect(store.clear('all')).toBe(1);
    });
    expect(told).toHaveLength(1);
    expect(JSON.stringify(told)).toContain('the store of learned senders cannot be used');
    expect(JSON.stringify(told)).toContain(join(folder, 'learned'));
  }

  it('because its file holds something else', async () => {
    await filled(1);
    writeFileSync(data(), 'this is no database\n'.repeat(1_000));
    await expectMemoryOnly();
  });

  it('because its file was cut short', async () => {
    await filled(3_000);
    truncateSync(data(), 16_384);
    await expectMemoryOnly();
  });

  it('because its pages were overwritten', async () => {
    await filled(3_000);
    const octets = readFileSync(data());
    octets.fill(0xa5, 8_192);
    writeFileSync(data(), octets);
    await expectMemoryOnly();
  });

  it('because a file stands where its folder should be', async () => {
    writeFileSync(join(folder, 'learned'), '');
    await expectMemoryOnly();
  });

  it('because it may not be written', async () => {
    if (process.getuid?.() === 0) {
      // Root may write anywhere but under a path that is no folder.
      writeFileSync(join(folder, 'file'), '');
      folder = join(folder, 'file');
    } else {
      mkdirSync(join(folder, 'learned'));
      chmodSync(join(folder, 'learned'), 0o500);
    }
    await expectMemoryOnly();
    folder = folder.replace(/\/file$/, '');
  });

  it('because the disk does not keep up is left, and what is learned counts on', async () => {
    await inStore(async (store) => {
      const [first] = Array.from({ length: LEARNED_UNWRITTEN_MAX + 1 }, (_none, i) => store.record(`${i}@x`, 'c'));
      expect(store.isDurable).toBe(false);
      expect(store.entries().at(0)?.sender).toBe(`${LEARNED_UNWRITTEN_MAX}@x`);
      await first;
      await store.record('a@x', 'c');
    });
    expect(told.map(({ fields }) => JSON.stringify(fields))).toEqual([
      expect.stringContaining('can no longer be written, senders are learned in memory only'),
    ]);
  });

  it('leaves its files to be looked at', async () => {
    await filled(1);
    writeFileSync(data(), 'x'.repeat(10_000));
    await expectMemoryOnly();
    expect(readFileSync(data(), 'latin1').startsWith('xxx')).toBe(true);
    expect(readdirSync(join(folder, 'learned'))).toContain('data.mdb');
  });
});
