import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { refreshCopy } from './copy.ts';
import { type Guard, isNative, mutate } from './guard.ts';
import { GUARDS } from './list.ts';
import { type Places, type Trial, tryNative, tryTypeScript } from './trial.ts';

/**
 * Takes the guards out, one at a time, in a copy of the work tree under build/, and says which ones no test misses.
 * Exit code 1: a guard survived, or its removal could not be tried. 2: the tests fail without any removal.
 */
const ROOT = process.cwd();
const PLACES: Places = { copy: join(ROOT, 'build/mutants/tree'), build: join(ROOT, 'build/mutants/native') };

interface Result {
  readonly guard: Guard;
  readonly verdict: 'missed' | 'survived' | 'broken';
  readonly detail: string;
  readonly seconds: number;
}

function chosen(words: readonly string[]): readonly Guard[] {
  const names = words.filter((word, index) => !word.startsWith('--') && words[index - 1] !== '--commit');
  const unknown = names.filter((name) => GUARDS.every((guard) => guard.name !== name));
  if (unknown.length > 0) throw new Error(`there is no guard ${unknown.join(', ')}`);
  return GUARDS.filter((guard) => names.length === 0 || names.includes(guard.name))
    .filter((guard) => !words.includes('--native') || isNative(guard))
    .filter((guard) => !words.includes('--typescript') || !isNative(guard));
}

/** Test files one after the other up to a failure: the nearest stand first. Native tests are one program. */
async function attempt(tests: readonly string[], native: boolean): Promise<Trial> {
  if (native) return tryNative(PLACES, tests);
  let trial: Trial = { outcome: 'broken', detail: 'no tests' };
  for (const test of tests) {
    trial = await tryTypeScript(PLACES, [test]);
    if (trial.outcome !== 'passed') return trial;
  }
  return trial;
}

/** The tests pass as the code is, or none of them says anything. */
async function standsWithoutRemoval(guards: readonly Guard[]): Promise<boolean> {
  for (const native of [false, true]) {
    const own = guards.filter((guard) => isNative(guard) === native);
    if (own.length === 0) continue;
    const tests = [...new Set(own.flatMap((guard) => guard.tests))];
    const { outcome, detail } = native ? await tryNative(PLACES, tests) : await tryTypeScript(PLACES, tests);
    if (outcome === 'passed') continue;
    console.log(`nothing was taken out, and the ${native ? 'native tests' : 'tests'} have ${outcome}: ${detail}`);
    return false;
  }
  return true;
}

async function takeOut(guard: Guard): Promise<Result> {
  const path = join(PLACES.copy, guard.file);
  const original = readFileSync(path, 'utf8');
  const begin = Date.now();
  writeFileSync(path, mutate(guard, original));
  try {
    const { outcome, detail } = await attempt(guard.tests, isNative(guard));
    const verdict = ({ failed: 'missed', passed: 'survived', broken: 'broken' } as const)[outcome];
    return { guard, verdict, detail, seconds: Math.round((Date.now() - begin) / 100) / 10 };
  } finally {
    writeFileSync(path, original);
  }
}

async function main(words: readonly string[]): Promise<number> {
  const guards = chosen(words);
  const at = words.indexOf('--commit');
  if (!words.includes('--kept')) refreshCopy(ROOT, PLACES.copy, at < 0 ? undefined : words[at + 1]);
  // All texts first: a list that does not fit the code says so at once.
  for (const guard of guards) mutate(guard, readFileSync(join(PLACES.copy, guard.file), 'utf8'));
  if (!words.includes('--unchecked') && !(await standsWithoutRemoval(guards))) return 2;
  const results: Result[] = [];
  for (const guard of guards) {
    const result = await takeOut(guard);
    results.push(result);
    console.log(
      `${result.verdict.padEnd(8)} ${result.seconds.toFixed(1).padStart(6)} s  ${guard.name}: ${result.detail}`,
    );
  }
  const count = (verdict: Result['verdict']): number => results.filter((one) => one.verdict === verdict).length;
  const seconds = results.reduce((sum, one) => sum + one.seconds, 0);
  const [missed, survived, broken] = [count('missed'), count('survived'), count('broken')];
  console.log(
    `${results.length} guards taken out: ${missed} missed by a test, ${survived} survived, ${broken} broken; ${Math.round(seconds)} s`,
  );
  return survived + broken === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
