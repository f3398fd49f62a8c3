import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What became of a run of tests: `broken` when none ran, because nothing loaded or compiled. */
export interface Trial {
  readonly outcome: 'failed' | 'passed' | 'broken';
  /** The test that failed first, or why nothing ran. */
  readonly detail: string;
}

export interface Places {
  /** The copy of the work tree. */
  readonly copy: string;
  /** Where its native tests are built. */
  readonly build: string;
}

const VITEST_MS_MAX = 180_000;
const BUILD_MS_MAX = 600_000;
const NATIVE_MS_MAX = 120_000;
const BUILD_JOBS = 2;
const DETAIL_CHARACTERS_MAX = 100;

/** Runs test files of vitest in the copy, in one worker, up to the first failure. */
export async function tryTypeScript({ copy }: Places, tests: readonly string[]): Promise<Trial> {
  const report = join(copy, 'build', 'vitest.json');
  rmSync(report, { force: true });
  const words = ['run', '--project', 'unit', '--maxWorkers=1', '--bail=1', '--reporter=json', `--outputFile=${report}`];
  const program = join('node_modules', 'vitest', 'vitest.mjs');
  const ended = await run(process.execPath, [program, ...words, ...tests], copy, VITEST_MS_MAX);
  if (ended.timedOut) return { outcome: 'failed', detail: `no end within ${VITEST_MS_MAX / 1_000} s` };
  return readVitest(report, ended);
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function readVitest(path: string, ended: Ended): Trial {
  let report: VitestReport;
  try {
    report = JSON.parse(readFileSync(path, 'utf8')) as VitestReport;
  } catch {
    return { outcome: 'broken', detail: `vitest wrote no report: ${ended.tail}` };
  }
  const failed = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed');
  if (failed !== undefined) return { outcome: 'failed', detail: oneLine(failed.fullName) };
  if (ended.code === 0 && report.numPassedTests > 0) return { outcome: 'passed', detail: '' };
  const message = report.testResults.map((result) => result.message).find((text) => text !== '') ?? ended.tail;
  return { outcome: 'broken', detail: oneLine(message) };
}

/** Builds the native tests, incrementally and without sanitizers, and runs those of some files. */
export async function tryNative({ copy, build }: Places, tests: readonly string[]): Promise<Trial> {
  const built = await buildNative({ copy, build });
  if (built !== undefined) return { outcome: 'broken', detail: built };
  const filter = `-sf=${tests.map((file) => `*/${file}`).join(',')}`;
  const folder = join(build, 'native', 'test');
  const ended = await run(join(folder, 'postern_native_test'), [filter, '--abort-after=1'], folder, NATIVE_MS_MAX);
  if (ended.timedOut) return { outcome: 'failed', detail: `no end within ${NATIVE_MS_MAX / 1_000} s` };
  const cases = Number(/test cases: *(\d+)/.exec(ended.output)?.[1] ?? -1);
  if (cases === 0) return { outcome: 'broken', detail: `no test case in ${tests.join(', ')}` };
  if (ended.code === 0) return { outcome: 'passed', detail: '' };
  const name = /^TEST CASE: +(.*)$/m.exec(ended.output)?.[1] ?? `ended with ${ended.code ?? 'a signal'}`;
  return { outcome: 'failed', detail: oneLine(name) };
}

/** Why the native tests cannot be built, or undefined. Warnings are off: a rule that is gone leaves words unused. */
async function buildNative({ copy, build }: Places): Promise<string | undefined> {
  const flags = ['-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Mutants', '-DCMAKE_CXX_FLAGS=-O1 -w'];
  const steps = [
    ['-S', copy, '-B', build, ...flags],
    ['--build', build, '-j', String(BUILD_JOBS)],
  ];
  for (const words of steps) {
    const ended = await run('cmake', words, copy, BUILD_MS_MAX);
    if (ended.timedOut) return `no end of cmake within ${BUILD_MS_MAX / 1_000} s`;
    if (ended.code !== 0) return oneLine(/error: .*/.exec(ended.output)?.[0] ?? ended.tail);
  }
  return undefined;
}

interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly timedOut: boolean;
  readonly output: string;
  readonly tail: string;
}

/** A process of ours and all that it starts: they are a group, and end together when their time is up. */
async function run(program: string, words: readonly string[], cwd: string, timeoutMs: number): Promise<Ended> {
  const child = spawn(program, words, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    endGroup(child);
  }, timeoutMs);
  const stop = (): void => {
    endGroup(child);
    process.exit(130);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const output = Buffer.concat(chunks).toString('utf8');
    return { code, timedOut, output, tail: oneLine(output.trimEnd().split('\n').at(-1) ?? '') };
  } finally {
    clearTimeout(timer);
    process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop);
  }
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, DETAIL_CHARACTERS_MAX);
}
