import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, oneLine, run, type Trial } from './process.ts';

/** Far above what any of these files takes: a busy machine is no failed test. */
const VITEST_MS_MAX = 600_000;

/** Runs test files of vitest in the copy of the work tree, in one worker, up to the first failure. */
export async function tryTypeScript(copy: string, tests: readonly string[]): Promise<Trial> {
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
