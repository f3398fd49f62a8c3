import { basename } from 'node:path';
import { type Guard, isNative } from './guard.ts';

const BEGIN = '<!-- guards: written by UPDATE_DOCS=1 npx vitest run test/mutants.test.ts -->';
const END = '<!-- end of guards -->';

/** The guards as a table for docs/testing.md: name, rule, where it stands, and the tests that miss it. */
export function guardTable(guards: readonly Guard[]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = guards.map((guard) => {
    const tests = guard.tests.map((test) => (isNative(guard) ? test : basename(test)));
    return `| ${guard.name} | ${cell(guard.rule)} | \`${guard.file.replace(/^src\//, '')}\` | ${tests.join(', ')} |`;
  });
  return ['| guard | rule | where | missed by one of |', '|---|---|---|---|', ...rows].join('\n');
}

/** The page with this table in the place of its last one. Throws where the page has no place for it. */
export function withGuardTable(page: string, table: string): string {
  const [before, rest = ''] = page.split(BEGIN);
  const [, after] = rest.split(END);
  if (before === undefined || after === undefined) throw new Error('docs/testing.md has no place for the guards');
  return `${before}${BEGIN}\n${table}\n${END}${after}`;
}
