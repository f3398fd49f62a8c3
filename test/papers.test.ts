import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** What the papers of the house say is held against what they speak of. */
const ROOT = normalize(join(dirname(fileURLToPath(import.meta.url)), '..'));
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

describe('docs/dependencies.md', () => {
  const page = read('docs/dependencies.md');
  const description = JSON.parse(read('package.json')) as Readonly<Record<string, Readonly<Record<string, string>>>>;
  const packages = Object.keys({ ...description.dependencies, ...description.devDependencies });
  // Helpers of other Debian packages named there.
  const Perl = /^lib.*-perl$/;
  const debian = [...read('scripts/setup.sh').matchAll(/_PACKAGES=\(([^)]*)\)/g)]
    .flatMap(([, list = '']) => list.split(/\s+/))
    .filter((name) => name !== '' && !name.startsWith('lib') && !Perl.test(name));

  test.each(packages)('has a line for %s', (name) => {
    expect(page).toContain(`\`${name}\``);
  });

  test.each(debian)('has a line for %s', (name) => {
    expect(page).toContain(`\`${name}\``);
  });
});

describe('links', () => {
  test.each([
    'README.md',
    ...[
      'architecture',
      'commands',
      'configuration',
      'dependencies',
      'lab',
      'limits',
      'logging',
      'metrics',
      'rules',
    ].map((name) => `docs/${name}.md`),
  ])('of %s lead somewhere', (file) => {
    const targets = [...read(file).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? '');
    expect(targets.filter((target) => !existsSync(join(ROOT, dirname(file), target)))).toEqual([]);
  });

  test('the architecture names files that are there', () => {
    const named = [...read('docs/architecture.md').matchAll(/`((?:src|native|test|docs|bench|scripts)\/[\w./-]+)`/g)];
    expect(named.length).toBeGreaterThan(15);
    expect(named.map((match) => match[1] ?? '').filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
