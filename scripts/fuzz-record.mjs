// What fuzzing came to, and which of its inputs are kept; scripts/fuzz.sh calls it.
//   --table, --keep                            the figures (native/fuzz/record.jsonl, docs/testing.md)
//   --choose CONTROL KEPT FILES_MAX BYTES_MAX  puts the inputs that reach most into the folder KEPT
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';

const ROUNDS = 'build/fuzz/record.jsonl';
const KEPT = 'native/fuzz/record.jsonl';
const PAGE = 'docs/testing.md';
const BEGIN = '<!-- fuzz: written by npm run fuzz -- --keep -->';
const END = '<!-- end of fuzz -->';

/** A line of JSON each; no file, no lines. */
function readLines(path) {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

const tenths = (number) => Math.round(number * 10) / 10;

/** One entry a target: sums of what was spent, the most that was reached, the latest corpus. */
function summed(entries) {
  const targets = new Map();
  const nothing = { clock_s: 0, cpu_s: 0, executions: 0, cov: 0, features: 0, findings: 0 };
  // The first rounds kept no clock; it ran at least as long as the processor.
  for (const { target, cpu_s, clock_s = cpu_s, executions, cov, features, corpus, findings } of entries) {
    const sum = targets.get(target) ?? nothing;
    targets.set(target, {
      target,
      clock_s: tenths(sum.clock_s + clock_s),
      cpu_s: tenths(sum.cpu_s + cpu_s),
      executions: sum.executions + executions,
      cov: Math.max(sum.cov, cov),
      features: Math.max(sum.features, features),
      corpus,
      findings: sum.findings + findings,
    });
  }
  return [...targets.values()].sort((a, b) => (a.target < b.target ? -1 : 1));
}

function keptFiles(target) {
  const folder = join('native/fuzz/corpus', target);
  return existsSync(folder) ? readdirSync(folder).length : 0;
}

function tableOf(entries) {
  const count = (number) => number.toLocaleString('en-US');
  return [
    '| target | clock, s | processor, s | executions | edges | features | inputs found | of them in git | findings |',
    '|---|---|---|---|---|---|---|---|---|',
    ...entries.map(
      (e) =>
        `| \`${e.target}\` | ${count(Math.round(e.clock_s))} | ${count(Math.round(e.cpu_s))} | ` +
        `${count(e.executions)} | ${count(e.cov)} | ${count(e.features)} | ${count(e.corpus)} | ${keptFiles(e.target)} | ${e.findings} |`,
    ),
  ].join('\n');
}

function keep() {
  const entries = summed([...readLines(KEPT), ...readLines(ROUNDS)]);
  writeFileSync(KEPT, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  writeFileSync(ROUNDS, '');
  const page = readFileSync(PAGE, 'utf8');
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has no place for the table`);
  writeFileSync(PAGE, `${page.slice(0, begin)}${BEGIN}\n${tableOf(entries)}\n${page.slice(end)}`);
}

/** Files and the features each reaches, from what libFuzzer's merge leaves behind. */
function featuresOf(control) {
  const lines = readFileSync(control, 'utf8').split('\n');
  const paths = lines.slice(2, 2 + Number(lines[0]));
  const features = new Map();
  for (const line of lines.slice(2 + paths.length)) {
    const [kind, index, ...numbers] = line.split(' ');
    if (kind === 'FT') features.set(paths[Number(index)], new Set(numbers.filter((number) => number !== '')));
  }
  return features;
}

/** Those with a name that somebody gave them stay; then whoever reaches most that nobody before did. */
function choose(control, folder, filesMax, bytesMax) {
  mkdirSync(folder, { recursive: true });
  const named = readdirSync(folder).filter((file) => !/^[0-9a-f]{40}$/.test(file));
  const left = new Map();
  const reached = new Set();
  for (const [path, features] of featuresOf(control)) {
    if (named.includes(basename(path))) for (const feature of features) reached.add(feature);
    else if (statSync(path).size < bytesMax) left.set(path, features);
  }
  const chosen = [];
  while (named.length + chosen.length < filesMax) {
    let best;
    for (const [path, features] of left) {
      // Features only get fewer, so what is taken off here stays off.
      for (const feature of features) if (reached.has(feature)) features.delete(feature);
      if (features.size === 0) left.delete(path);
      else if (best === undefined || features.size > left.get(best).size) best = path;
    }
    if (best === undefined) break;
    for (const feature of left.get(best)) reached.add(feature);
    chosen.push(best);
  }
  const names = new Set([...named, ...chosen.map((path) => basename(path))]);
  for (const path of chosen)
    if (!existsSync(join(folder, basename(path)))) copyFileSync(path, join(folder, basename(path)));
  for (const file of readdirSync(folder)) if (!names.has(file)) rmSync(join(folder, file));
  console.log(`${folder}: ${names.size} files, ${reached.size} features`);
}

const [what, ...rest] = process.argv.slice(2);
if (what === '--keep') keep();
else if (what === '--choose') choose(rest[0], rest[1], Number(rest[2]), Number(rest[3]));
else console.log(tableOf(summed([...readLines(KEPT), ...readLines(ROUNDS)])));
