import { parseArgs } from 'node:util';
import { formatDiagnostic, parseConfiguration } from '../commands/parse-configuration.ts';
import { loadPatterns } from '../native/addon.ts';
import { patternPlanOf } from '../policy/application/patterns.ts';
import type { Configuration } from '../policy/configuration.ts';
import {
  CONFIGURATION_FILE_DEFAULT,
  ConfigurationError,
  compilePatterns,
  readConfigurationText,
  sourceOf,
} from './configuration-file.ts';
import { PatternCompiler } from './pattern-compiler.ts';

/**
 * `postern check [FILE]`: every error and notice at once on stderr; 0 when the file may be used, 1 when not, 2 on
 * wrong usage.
 */
export async function runCheck(argv: readonly string[]): Promise<number> {
  let words: string[];
  try {
    words = parseArgs({ args: [...argv], options: {}, allowPositionals: true }).positionals;
  } catch (error) {
    process.stderr.write(`postern: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  if (words.length > 1) {
    process.stderr.write('postern: check takes one file\n');
    return 2;
  }
  const file = words[0] ?? CONFIGURATION_FILE_DEFAULT;
  const text = readText(file);
  if (text === undefined) return 1;
  const { configuration, errors, notices } = parseConfiguration(text, file);
  const messages = [
    ...errors.map((diagnostic) => ({ diagnostic, error: true })),
    ...notices.map((diagnostic) => ({ diagnostic, error: false })),
  ].sort((left, right) => left.diagnostic.line - right.diagnostic.line);
  for (const { diagnostic, error } of messages) process.stderr.write(`${formatDiagnostic(diagnostic, error)}\n`);
  // Patterns are compiled only when the rest is right: what they are for may be what is wrong.
  return errors.length === 0 && (await patternsCompile(configuration, file, text)) ? 0 : 1;
}

/** A configuration without patterns is checked without the native addon. */
async function patternsCompile(configuration: Configuration, file: string, text: string): Promise<boolean> {
  if (patternPlanOf(configuration).maps.length === 0) return true;
  try {
    await compilePatterns(new PatternCompiler(loadPatterns()), { configuration, source: sourceOf(file, text) });
    return true;
  } catch (error) {
    const errors =
      error instanceof ConfigurationError ? error.errors : [`% Patterns cannot be checked: ${said(error)}`];
    process.stderr.write(`${errors.join('\n')}\n`);
    return false;
  }
}

function said(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}

function readText(file: string): string | undefined {
  try {
    return readConfigurationText(file);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${error.errors.join('\n')}\n`);
    return undefined;
  }
}
