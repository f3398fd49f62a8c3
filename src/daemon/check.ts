import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { formatDiagnostic, parseConfiguration } from '../commands/parse-configuration.ts';

export const CONFIGURATION_FILE_DEFAULT = '/etc/postern/postern.conf';
/** A larger file is no configuration. */
const CONFIGURATION_BYTES_MAX = 32 * 1024 * 1024;

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
  const text = await readText(file);
  if (text === undefined) return 1;
  const { errors, notices } = parseConfiguration(text, file);
  const messages = [
    ...errors.map((diagnostic) => ({ diagnostic, error: true })),
    ...notices.map((diagnostic) => ({ diagnostic, error: false })),
  ].sort((left, right) => left.diagnostic.line - right.diagnostic.line);
  for (const { diagnostic, error } of messages) process.stderr.write(`${formatDiagnostic(diagnostic, error)}\n`);
  return errors.length === 0 ? 0 : 1;
}

async function readText(file: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(file);
    if (bytes.length <= CONFIGURATION_BYTES_MAX) return bytes.toString('utf8');
    process.stderr.write(`${file}: larger than ${CONFIGURATION_BYTES_MAX} bytes, this is no configuration\n`);
  } catch (error) {
    process.stderr.write(`${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}\n`);
  }
  return undefined;
}
