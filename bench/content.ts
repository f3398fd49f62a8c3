import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { inRepository } from '../test/lab/repository.ts';
import { machineLine, row, withTable } from './report.ts';

/** What it costs to hold the bodies of messages against patterns, beside a bare loop of the pattern engine. */

const DOCUMENT = inRepository('docs', 'performance.md');
const PROGRAM = inRepository('build', 'bench', 'content-scan');

const MEBIBYTES = Number(process.env.CONTENT_MEBIBYTES ?? 8);
const ROUNDS = Number(process.env.CONTENT_ROUNDS ?? 15);
const RATIO_MAX = 1.3;
/** The program's word for a bar that was missed. */
const MISSED = 1;

const TITLES = ['patterns', 'messages', 'MB/s', 'CPU s / GB', 'bare, MB/s', 'CPU s / GB', 'ratio', 'at most 1.3'];
const CASE = / {2}(.+?) +(\d+) MB\/s +([\d.]+) s\/GB +bare +(\d+) MB\/s +([\d.]+) s\/GB +ratio ([\d.]+)/;

/** What the program printed, once it ended well or with a missed bar. */
function measured(): string {
  try {
    return execFileSync(PROGRAM, [String(MEBIBYTES), String(ROUNDS)], { encoding: 'utf8' });
  } catch (fault) {
    const { status, stdout } = fault as { status?: number; stdout?: string };
    if (status !== MISSED || stdout === undefined) throw fault;
    return stdout;
  }
}

/** A row a case; the line before a group of cases says which patterns they are held against. */
function rowsOf(output: string): readonly (readonly string[])[] {
  let patterns = '';
  const rows: string[][] = [];
  for (const line of output.split('\n')) {
    const found = CASE.exec(line);
    if (found === null) patterns = line;
    else rows.push([patterns, ...found.slice(1), Number(found[6]) <= RATIO_MAX ? 'kept' : 'missed']);
  }
  if (rows.length === 0) throw new Error(`content-scan printed no case: ${output}`);
  return rows;
}

function main(): void {
  const output = measured();
  process.stdout.write(output);
  const rows = rowsOf(output);
  const text = [
    `${machineLine()}  \n${ROUNDS} interleaved rounds of ${MEBIBYTES} MiB a case, in segments of 1,448 octets; medians.`,
    '',
    row(TITLES),
    row(TITLES.map(() => '---')),
    ...rows.map(row),
  ].join('\n');
  if (process.env.BENCH_WRITE !== 'no') {
    writeFileSync(DOCUMENT, withTable(readFileSync(DOCUMENT, 'utf8'), text, 'content'));
  }
  if (process.env.BENCH_STRICT === '1' && rows.some((cells) => cells.includes('missed'))) process.exitCode = 1;
}

main();
