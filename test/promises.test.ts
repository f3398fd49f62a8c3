import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** docs/promises.md names tests: they have to be there, under these names. */
const ROOT = normalize(join(dirname(fileURLToPath(import.meta.url)), '..'));
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

interface Promised {
  readonly phrase: string;
  readonly tests: readonly { readonly file: string; readonly titles: readonly string[] }[];
}

function promised(): readonly Promised[] {
  const rows = read('docs/promises.md').matchAll(/^\| (?!promised )([^|]+) \| [^|]+ \| ([^|]+) \|$/gm);
  return [...rows].map(([, phrase = '', cell = '']) => ({
    phrase,
    tests: cell.split('<br>').map((group) => {
      const [, file = '', titles = ''] = /^`([^`]+)`: (.+)$/.exec(group) ?? [];
      return { file, titles: titles.split(' · ') };
    }),
  }));
}

const FOLDERS = ['test/transcripts', 'test', ''];
const pathOf = (file: string): string | undefined =>
  FOLDERS.map((folder) => join(folder, file)).find((path) => existsSync(join(ROOT, path)));

/** A transcript's title is a heading, another test's a string. */
function isThere(path: string, title: string): boolean {
  const text = read(path);
  if (path.endsWith('.md')) return text.split('\n').includes(`## ${title}`);
  return ["'", '"', '`'].some((quote) => text.includes(`${quote}${title}${quote}`));
}

describe('docs/promises.md', () => {
  const rows = promised();

  test('was read', () => {
    expect(rows.length).toBeGreaterThan(25);
    expect(read('docs/promises.md').match(/^\| (?!promised )[^-]/gm)).toHaveLength(rows.length);
  });

  test('tells a title that is not there', () => {
    expect(isThere('test/transcripts/imap/literals.md', 'Synchronising')).toBe(true);
    expect(isThere('test/transcripts/imap/literals.md', 'Synchronis')).toBe(false);
    expect(isThere('test/promises.test.ts', 'was read')).toBe(true);
    expect(isThere('test/promises.test.ts', ['was', 'rea'].join(' '))).toBe(false);
  });

  test.each(rows)('$phrase', ({ tests }) => {
    const missing = tests.flatMap(({ file, titles }) => {
      const path = pathOf(file);
      return path === undefined ? [file] : titles.filter((title) => !isThere(path, title));
    });
    expect(tests.length).toBeGreaterThan(0);
    expect(missing).toEqual([]);
  });
});
