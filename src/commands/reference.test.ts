import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { COMMON_HELP } from './config-command.ts';
import { CONFIG_COMMANDS } from './config-graphs.ts';
import { commandReference } from './reference.ts';

const FILE = new URL('../../docs/commands.md', import.meta.url);

test('docs/commands.md is what the command tables say', () => {
  const reference = commandReference();
  if (process.env.UPDATE_DOCS === '1') writeFileSync(FILE, reference);
  expect(readFileSync(FILE, 'utf8')).toBe(reference);
});

test('every configuration command says what it is for', () => {
  for (const command of CONFIG_COMMANDS) {
    const help = { ...COMMON_HELP, ...command.help };
    for (const grammar of command.grammar) {
      const words = grammar.match(/[a-z][a-z0-9-]*/g) ?? [];
      expect(
        words.some((word) => help[word] !== undefined),
        grammar,
      ).toBe(true);
    }
  }
});
