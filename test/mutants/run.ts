import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { refreshCopy } from './copy.ts';
import { type Guard, isNative, mutate } from './guard.ts';
import { GUARDS } from './list.ts';
import { buildNative, type NativeBuild, runNative, tryNative } from './native-trial.ts';
import type { Trial } from './process.ts';
import { tryTypeScript } from './trial.ts';

/**
 * Takes the guards out, one at a time, in copies of the work tree under build/, and says which ones no test misses.
 * Exit code 1: a guard survived, or its removal could not be tried. 2: the tests fail without any removal.
 */
const ROOT = process.cwd();
const PLACE = join(ROOT, 'build/mutants');
/** A copy for each language: a run of the one does not disturb a run of the other. */
const COPY = join(PLACE, 'tree');
const NATIVE_COPY = join(PLACE, 'native-tree');

interface Result {
  readonly guard: Guard;
  readonly verdict: 'missed' | 'survived' | 'broken';
  readonly detail: string;
  readonly seconds: number;
}

/** How the tests of one language are run: as the code is, and without a guard. */
interface Bench {
  stand(tests: readonly string[]): Promise<Trial>;
  without(guard: Guard): Promise<Trial>;
}

const OPTIONS = ['--native', '--typescript', '--commit', '--kept', '--unchecked'];

/**
 * A copy serves one run: another would put back what this one has taken out. Throws while there is one; what a run that
 * was ended has left is taken over.
 */
function claim(copy: string): () => void {
  const lock = `${copy}.lock`;
  mkdirSync(dirname(lock), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return () => rmSync(lock, { force: true });
    } catch {
      const holder = Number(readFileSync(lock, 'utf8'));
      if (isAlive(holder)) throw new Error(`process ${holder} has taken guards out in ${copy}: wait for it`);
      rmSync(lock, { force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function chosen(words: readonly string[]): readonly Guard[] {
  const option = words.find((word) => word.startsWith('--') && !OPTIONS.includes(word));
  if (option !== undefined) throw new Error(`there is no option ${option}`);
  const names = words.filter((word, index) => !word.startsWith('--') && words[index - 1] !== '--commit');
  const unknown = names.filter((name) => GUARDS.every((guard) => guard.name !== name));
  if (unknown.length > 0) throw new Error(`there is no guard ${unknown.join(', ')}`);
  return GUARDS.filter((guard) => names.length === 0 || names.includes(guard.name))
    .filter((guard) => !words.includes('--native') || isNative(guard))
    .filter((guard) => !words.includes('--typescript') || !isNative(guard));
}

/** Test files one after the other up to a failure: the nearest stand first. */
async function oneByOne(tests: readonly string[]): Promise<Trial> {
  let trial: Trial = { outcome: 'broken', detail: 'no tests' };
  for (const test of tests) {
    trial = await tryTypeScript(COPY, [test]);
    if (trial.outcome !== 'passed') return trial;
  }
  return trial;
}

const TYPESCRIPT: Bench = {
  stand: (tests) => tryTypeScript(COPY, tests),
  async without(guard) {
    const path = join(COPY, guard.file);
    const original = readFileSync(path, 'utf8');
    writeFileSync(path, mutate(guard, original));
    try {
      return await oneByOne(guard.tests);
    } finally {
      writeFileSync(path, original);
    }
  },
};

function nativeBench(build: NativeBuild): Bench {
  return {
    stand: (tests) => runNative(build, tests),
    without: (guard) =>
      tryNative(build, guard.file, mutate(guard, readFileSync(join(build.sources, guard.file), 'utf8')), guard.tests),
  };
}

async function takeOut(bench: Bench, guard: Guard): Promise<Result> {
  const begin = Date.now();
  const { outcome, detail } = await bench.without(guard);
  const verdict = ({ failed: 'missed', passed: 'survived', broken: 'broken' } as const)[outcome];
  return { guard, verdict, detail, seconds: Math.round((Date.now() - begin) / 100) / 10 };
}

/** Takes out the guards of one language, or says why their tests say nothing: they fail as the code is. */
async function takeOutAll(bench: Bench, guards: readonly Guard[], unchecked: boolean): Promise<readonly Result[]> {
  if (!unchecked) {
    const { outcome, detail } = await bench.stand([...new Set(guards.flatMap(({ tests }) => tests))]);
    if (outcome !== 'passed') throw new Error(`nothing was taken out, and the tests have ${outcome}: ${detail}`);
  }
  const results: Result[] = [];
  for (const guard of guards) {
    const result = await takeOut(bench, guard);
    const seconds = result.seconds.toFixed(1).padStart(6);
    console.log(`${result.verdict.padEnd(8)} ${seconds} s  ${guard.name}: ${result.detail}`);
    results.push(result);
  }
  return results;
}

async function main(words: readonly string[]): Promise<number> {
  const guards = chosen(words);
  const at = words.indexOf('--commit');
  const commit = at < 0 ? undefined : words[at + 1];
  const results: Result[] = [];
  for (const native of [false, true]) {
    const own = guards.filter((guard) => isNative(guard) === native);
    if (own.length === 0) continue;
    const copy = native ? NATIVE_COPY : COPY;
    const release = claim(copy);
    try {
      if (!words.includes('--kept')) refreshCopy(ROOT, copy, commit);
      // All texts first: a list that does not fit the code says so at once.
      for (const guard of own) mutate(guard, readFileSync(join(copy, guard.file), 'utf8'));
      const bench = native ? nativeBench(await buildNative(copy, join(PLACE, 'native'))) : TYPESCRIPT;
      results.push(...(await takeOutAll(bench, own, words.includes('--unchecked'))));
    } finally {
      release();
    }
  }
  const count = (verdict: Result['verdict']): number => results.filter((one) => one.verdict === verdict).length;
  const seconds = results.reduce((sum, one) => sum + one.seconds, 0);
  const [missed, survived, broken] = [count('missed'), count('survived'), count('broken')];
  console.log(
    `${results.length} guards taken out: ${missed} missed by a test, ${survived} survived, ${broken} broken; ${Math.round(seconds)} s`,
  );
  return survived + broken === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.log(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
