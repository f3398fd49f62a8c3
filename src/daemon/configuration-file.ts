import { readFileSync, statSync } from 'node:fs';
import { hostname as hostName } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { formatDiagnostic, parseConfiguration } from '../commands/parse-configuration.ts';
import type { WorkerSettings } from '../engine/worker-protocol.ts';
import { CONFIGURATION_BYTES_MAX } from '../limits.ts';
import { MARKS } from '../netfilter/marks.ts';
import type { PatternSets } from '../policy/application/pattern-sets.ts';
import { patternPlanOf } from '../policy/application/patterns.ts';
import type { Configuration } from '../policy/configuration.ts';
import { type PatternCompiler, PatternsRefused } from './pattern-compiler.ts';
import { type ConfigurationSource, patternErrors } from './pattern-errors.ts';

export const CONFIGURATION_FILE_DEFAULT = '/etc/postern/postern.conf';

export interface LoadedConfiguration {
  readonly configuration: Configuration;
  /** What it was read from: errors that show later name its lines. */
  readonly source: ConfigurationSource;
  /** As the terminal shows them: `FILE:LINE:COLUMN: % message`, the line, a caret. */
  readonly notices: readonly string[];
}

/** Errors, and notices, of a file that go to the log. */
const LOGGED_MESSAGES_MAX = 20;
const TOO_LARGE = `larger than ${CONFIGURATION_BYTES_MAX} bytes: this is no configuration`;

/** A file that cannot be read, or has errors: all of them, as the terminal shows them. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly errors: readonly string[];

  constructor(errors: readonly string[]) {
    super(errors[0] ?? 'the configuration cannot be used');
    this.errors = errors;
  }
}

/** The whole text. Throws ConfigurationError when there is none to be had, or too much of it. */
export function readConfigurationText(file: string): string {
  let bytes: Buffer;
  try {
    if (statSync(file).size > CONFIGURATION_BYTES_MAX) throw new Error(TOO_LARGE);
    bytes = readFileSync(file);
    // Devices and pipes have no size before they are read.
    if (bytes.length > CONFIGURATION_BYTES_MAX) throw new Error(TOO_LARGE);
  } catch (error) {
    throw new ConfigurationError([`${file}:1:1: % Cannot be read: ${plainReason(error)}`]);
  }
  return bytes.toString('utf8');
}

/** The system's words without the call that was made: `no such file or directory`. */
function plainReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { errno } = error as NodeJS.ErrnoException;
  return (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? error.message;
}

/** Throws ConfigurationError unless the whole file is good: nothing is half-loaded. */
export function loadConfiguration(file: string): LoadedConfiguration {
  const text = readConfigurationText(file);
  const { configuration, errors, notices } = parseConfiguration(text, file);
  if (errors.length > 0) throw new ConfigurationError(errors.map((error) => formatDiagnostic(error, true)));
  const source = sourceOf(file, text);
  return { configuration, source, notices: notices.map((notice) => formatDiagnostic(notice, false)) };
}

/** A text and its name, for errors that show after it was read. */
export function sourceOf(file: string, text: string): ConfigurationSource {
  return { file, lines: text.split(/\r\n|\n|\r/) };
}

/**
 * Compiles the patterns of a configuration. Throws ConfigurationError when the engine does not take one of them: then
 * the configuration may not be used.
 */
export async function compilePatterns(
  compiler: PatternCompiler,
  { configuration, source }: Pick<LoadedConfiguration, 'configuration' | 'source'>,
): Promise<PatternSets> {
  try {
    return await compiler.compile(patternPlanOf(configuration));
  } catch (error) {
    if (!(error instanceof PatternsRefused)) throw error;
    throw new ConfigurationError(patternErrors(configuration, error.refused, source));
  }
}

/**
 * The log's lines for a rejected file: one an error, its place first, the marked line left out (the log is no place for
 * a line that may hold anything).
 */
export function rejectionLines(errors: readonly string[]): readonly string[] {
  return firstLines(errors, 'error(s)');
}

/** The log's lines for the notices of a file: thousands of patterns may be read as globs. */
export function noticeLines(notices: readonly string[]): readonly string[] {
  return firstLines(notices, 'notice(s)');
}

function firstLines(messages: readonly string[], what: string): readonly string[] {
  const lines = messages.slice(0, LOGGED_MESSAGES_MAX).map((message) => message.split('\n', 1)[0] ?? '');
  const left = messages.length - lines.length;
  return left > 0 ? [...lines, `${left} more ${what}: postern check prints them all`] : lines;
}

/** What the workers need of a configuration; the machine's name where it gives none. */
export function workerSettings(configuration: Configuration, patterns: PatternSets): WorkerSettings {
  return {
    configuration,
    patterns,
    hostname: configuration.postern.hostname ?? configuration.hostname ?? hostName(),
    marks: MARKS,
  };
}
