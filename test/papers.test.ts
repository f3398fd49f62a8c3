import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { helpFor } from '../src/daemon/help.ts';

/** What the papers of the house say is held against what they speak of. */
const ROOT = normalize(join(dirname(fileURLToPath(import.meta.url)), '..'));
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

describe('docs/dependencies.md', () => {
  const page = read('docs/dependencies.md');
  const description = JSON.parse(read('package.json')) as Readonly<Record<string, Readonly<Record<string, string>>>>;
  const packages = Object.keys({ ...description.dependencies, ...description.devDependencies });
  // Libraries stand there under the names they have at run time; Perl's are swaks' own.
  const debian = [...read('scripts/setup.sh').matchAll(/_PACKAGES=\(([^)]*)\)/g)]
    .flatMap(([, list = '']) => list.split(/\s+/))
    .filter((name) => name !== '' && !name.startsWith('lib'));

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
      'promises',
      'rules',
      'shows',
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

describe('the manual', () => {
  const manual = `${read('man/postern.1')}${read('man/postern-run.8')}`.replaceAll('\\-', '-');
  const options = [...read('src/daemon/options.ts').matchAll(/^ +'?([a-z-]+)'?: \{ type: '/gm)].map(
    (match) => match[1] ?? '',
  );

  test('explains every option, and so does --help', () => {
    const help = ['run', 'rules', 'replay', 'show', 'doctor'].map((command) => helpFor(command)).join('');
    expect(new Set(options).size).toBeGreaterThan(6);
    for (const option of [...options, 'json', 'control']) {
      expect(manual).toMatch(new RegExp(`^\\.(?:TP\\n\\.)?B[IR]? "?--${option}\\b`, 'm'));
      expect(help).toContain(`--${option}`);
    }
  });

  test('names no option that is not there', () => {
    const known = new Set([...options, 'json', 'control', 'help', 'version', 'unix-socket', 'jitless']);
    const named = [...manual.matchAll(/--([a-z][a-z-]+)/g)].map((match) => match[1] ?? '');
    expect(named.filter((option) => !known.has(option))).toEqual([]);
  });

  test('and --help know every command', () => {
    const cli = read('src/daemon/cli.ts');
    const table = /const SUBCOMMANDS[^{]*\{([^}]*)\}/.exec(cli)?.[1] ?? '';
    const exec = /const EXEC_WORDS.*= \[(.*)\]/.exec(cli)?.[1] ?? '';
    const commands = [
      ...[...table.matchAll(/^ +(\w+):/gm)].map((match) => match[1] ?? ''),
      ...[...exec.matchAll(/'(\w+)'/g)].map((match) => match[1] ?? ''),
    ];
    expect(commands.length).toBeGreaterThan(9);
    for (const command of commands) {
      expect(manual).toContain(`.B postern ${command}`);
      expect(helpFor(undefined)).toMatch(new RegExp(`^  ${command} `, 'm'));
      expect(helpFor(command)).toBeDefined();
    }
  });
});
