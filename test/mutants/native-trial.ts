import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { oneLine, run, type Trial } from './process.ts';

/**
 * The native tests as a program: built once as the code is, and then linked anew for each rule with one object file of
 * its own, compiled from the text without the rule, in the place of the one in the library. Nothing in the build
 * changes for that, so a rule costs one compilation, one link and the tests of its row.
 */
export interface NativeBuild {
  /** The folder of the build: commands run there. */
  readonly folder: string;
  /** The folder of the sources. */
  readonly sources: string;
  /** How each source file is compiled, by its path below the sources. */
  readonly compile: ReadonlyMap<string, string>;
  /** How the program is linked. */
  readonly link: string;
}

const BUILD_MS_MAX = 1_800_000;
const COMPILE_MS_MAX = 300_000;
const NATIVE_MS_MAX = 300_000;
const BUILD_JOBS = 2;
/** Tests that measure time or memory: on a busy machine they fail for no rule. */
const MEASURED = '*time linear*,*cost a worker less*,*compile in time*';
const PROGRAM = 'native/test/postern_native_test';
const OBJECT = 'mutant.o';
const MUTANT_PROGRAM = 'mutant_test';
/** Neither optimised nor watched by sanitizers: what counts is which test fails. Words may be left unused. */
const FLAGS = '-O0 -w';

/** Builds the native tests of the copy. Throws, with what the build says, when that fails. */
export async function buildNative(copy: string, folder: string): Promise<NativeBuild> {
  const configure = [
    '-S',
    copy,
    '-B',
    folder,
    '-G',
    'Ninja',
    '-DCMAKE_BUILD_TYPE=Mutants',
    `-DCMAKE_CXX_FLAGS=${FLAGS}`,
  ];
  for (const words of [configure, ['--build', folder, '-j', String(BUILD_JOBS)]]) {
    const ended = await run('cmake', words, copy, BUILD_MS_MAX);
    if (ended.timedOut) throw new Error(`no end of cmake within ${BUILD_MS_MAX / 1_000} s`);
    if (ended.code !== 0) throw new Error(oneLine(/error: .*/.exec(ended.output)?.[0] ?? ended.tail));
  }
  const listed = JSON.parse(readFileSync(join(folder, 'compile_commands.json'), 'utf8')) as readonly Command[];
  const compile = new Map(listed.map(({ file, command }) => [file.slice(copy.length + 1), command]));
  const commands = await run('ninja', ['-t', 'commands', PROGRAM], folder, COMPILE_MS_MAX);
  const link = commands.output.trimEnd().split('\n').at(-1) ?? '';
  return { folder, sources: copy, compile, link };
}

interface Command {
  readonly file: string;
  readonly command: string;
}

/** Runs the tests of some files as the code is. */
export async function runNative({ folder }: NativeBuild, tests: readonly string[]): Promise<Trial> {
  return runProgram(folder, PROGRAM, tests);
}

/** Runs the tests of some files with `text` in the place of the source file `file`. */
export async function tryNative(
  build: NativeBuild,
  file: string,
  text: string,
  tests: readonly string[],
): Promise<Trial> {
  const folder = join(build.folder, 'mutant');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const source = join(folder, basename(file));
  writeFileSync(source, text);
  const compile = replaced(build.compile.get(file) ?? '', / -o \S+ -c \S+/, ` -o mutant/${OBJECT} -c ${source}`);
  const program = `mutant/${MUTANT_PROGRAM}`;
  // What a command names before the libraries comes first: their own object of that file is not taken.
  const link = replaced(build.link, ` -o ${PROGRAM} `, ` mutant/${OBJECT} -o ${program} `);
  for (const command of [compile, link]) {
    const ended = await run('/bin/sh', ['-c', command], build.folder, COMPILE_MS_MAX);
    if (ended.timedOut) return { outcome: 'broken', detail: `no end of a build within ${COMPILE_MS_MAX / 1_000} s` };
    if (ended.code !== 0) {
      return {
        outcome: 'broken',
        detail: oneLine(/error: .*|multiple definition.*/.exec(ended.output)?.[0] ?? ended.tail),
      };
    }
  }
  return runProgram(build.folder, program, tests);
}

function replaced(command: string, from: string | RegExp, to: string): string {
  const result = command.replace(from, () => to);
  if (result === command) throw new Error(`not a command of this build: ${oneLine(command)}`);
  return result;
}

/** Test files one after the other up to a failure: the nearest stand first. */
async function runProgram(folder: string, program: string, tests: readonly string[]): Promise<Trial> {
  let trial: Trial = { outcome: 'broken', detail: 'no tests' };
  for (const test of tests) {
    trial = await runFile(folder, program, test);
    if (trial.outcome !== 'passed') return trial;
  }
  return trial;
}

async function runFile(folder: string, program: string, test: string): Promise<Trial> {
  const words = [`-sf=*/${test}`, `-tce=${MEASURED}`, '--abort-after=1'];
  const ended = await run(join(folder, program), words, folder, NATIVE_MS_MAX);
  if (ended.timedOut) return { outcome: 'failed', detail: `no end within ${NATIVE_MS_MAX / 1_000} s` };
  const cases = Number(/test cases: *(\d+)/.exec(ended.output)?.[1] ?? -1);
  if (cases === 0) return { outcome: 'broken', detail: `no test case in ${test}` };
  if (ended.code === 0) return { outcome: 'passed', detail: '' };
  return { outcome: 'failed', detail: oneLine(failedCase(ended.output) ?? `ended with ${ended.code ?? 'a signal'}`) };
}

/** The test that failed first. What tests only say of themselves stands between the same lines. */
function failedCase(output: string): string | undefined {
  const failed = output.split(/^={20,}$/m).find((block) => /: (?:FATAL )?ERROR: /.test(block));
  return failed && /^TEST CASE: +(.*)$/m.exec(failed)?.[1];
}
