import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseConfiguration } from './parse-configuration.ts';
import { printConfiguration } from './print-configuration.ts';

/** The examples of docs/configuration.md load as they stand there, each by itself, and everything in them is used. */
const PAGE = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
const EXAMPLES = [...PAGE.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);

describe('docs/configuration.md', () => {
  test('has its examples', () => expect(EXAMPLES.length).toBeGreaterThanOrEqual(3));

  test.each(EXAMPLES.map((text, index) => [index + 1, text] as const))('example %i', (_, text) => {
    const { configuration, errors, notices } = parseConfiguration(text, 'example');
    expect(errors).toEqual([]);
    expect(notices.filter(({ message }) => !message.includes('read as glob'))).toEqual([]);
    expect(parseConfiguration(printConfiguration(configuration), 'printed').configuration).toEqual(configuration);
  });

  test('tells no line of ours that is not there', () => {
    const ours = [...PAGE.matchAll(/^\| `(postern [a-z -]+)(?= [{N])/gm)].map(([, words = '']) => words);
    expect(ours.length).toBeGreaterThan(6);
    const commands = readFileSync(new URL('../../docs/commands.md', import.meta.url), 'utf8');
    for (const words of ours) expect(commands).toContain(`\`${words} `);
  });
});
