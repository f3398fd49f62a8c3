import { readFileSync } from 'node:fs';
import { hostname as hostName } from 'node:os';
import { formatDiagnostic, parseConfiguration } from '../commands/parse-configuration.ts';
import type { WorkerSettings } from '../engine/worker-protocol.ts';
import { MARKS } from '../netfilter/marks.ts';
import type { Configuration } from '../policy/configuration.ts';

export interface LoadedConfiguration {
  readonly configuration: Configuration;
  /** As the terminal shows them: `FILE:LINE:COLUMN: % message`, the line, a caret. */
  readonly notices: readonly string[];
}

/** A file that cannot be read, or has errors: all of them, as the terminal shows them. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly errors: readonly string[];

  constructor(errors: readonly string[]) {
    super(errors[0] ?? 'the configuration cannot be used');
    this.errors = errors;
  }
}

/** Throws ConfigurationError unless the whole file is good: nothing is half-loaded. */
export function loadConfiguration(file: string): LoadedConfiguration {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigurationError([`${file}:1:1: % ${error instanceof Error ? error.message : String(error)}`]);
  }
  const { configuration, errors, notices } = parseConfiguration(text, file);
  if (errors.length > 0) throw new ConfigurationError(errors.map((error) => formatDiagnostic(error, true)));
  return { configuration, notices: notices.map((notice) => formatDiagnostic(notice, false)) };
}

export function workerSettings(configuration: Configuration): WorkerSettings {
  return {
    configuration,
    hostname: configuration.postern.hostname ?? configuration.hostname ?? hostName(),
    marks: { offloadBoth: MARKS.offloadBoth, offloadResponder: MARKS.offloadResponder, clear: MARKS.clear },
  };
}
