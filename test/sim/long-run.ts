import { loadAddon, loadPatterns } from '../../src/native/addon.ts';
import { problemsOf } from './hostile/checks.ts';
import { settingsOf } from './hostile/policies.ts';
import { playWorld } from './hostile/world.ts';

/** One block of the long run (long-run.mjs): `--seeds N --from SEED [--print]`; 1 where a seed failed. */
const wordBehind = (name: string): string | undefined => process.argv[process.argv.indexOf(`--${name}`) + 1];
const numberOf = (name: string, otherwise: number): number =>
  process.argv.includes(`--${name}`) ? Number(wordBehind(name)) : otherwise;

const FAILURES_MAX = 20;
const seeds = numberOf('seeds', 250);
const from = numberOf('from', 0);
const startedAt = Date.now();
const tools = { addon: loadAddon(), patterns: loadPatterns(), settings: await settingsOf(loadPatterns()) };
const tell = (line: string): void => void process.stdout.write(`${line}\n`);
const kinds = new Map<string, number>();
const happened = new Map<string, number>();
const failed: number[] = [];
let played = 0;
let flows = 0;

for (let seed = from; seed < from + seeds && failed.length < FAILURES_MAX; seed += 1) {
  const problems: string[] = [];
  try {
    const run = playWorld(tools, seed);
    problems.push(...problemsOf(run));
    flows += run.flows.length * 2;
    for (const [what, times] of run.happened) happened.set(what, (happened.get(what) ?? 0) + times);
    for (const [{ judged, options }] of run.flows) {
      const kind = `${options.script.protocol} ${judged?.refused?.reason ?? 'passed'}`;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    if (process.argv.includes('--print')) tell([JSON.stringify(run.weather), ...run.log].join('\n'));
  } catch (error) {
    problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  played += 1;
  if (problems.length > 0) {
    failed.push(seed);
    tell([`seed ${seed} failed:`, ...problems].join('\n  '));
  }
}
for (const [kind, count] of [...kinds].sort((left, right) => right[1] - left[1])) tell(`${count} ${kind}`);
for (const [what, times] of [...happened].sort()) tell(`${times} times ${what}`);
const seconds = Math.round((Date.now() - startedAt) / 1_000);
tell(`${played} seeds from ${from}, ${flows} connections, ${seconds} s, ${failed.length} failed ${failed.join(' ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;
