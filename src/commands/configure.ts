import type { ExecReply } from '../control/control-api.ts';
import type { Configuration } from '../policy/configuration.ts';
import { applyLines, formatDiagnostic } from './parse-configuration.ts';

export interface Configured {
  /** The configuration to put in force; absent when a line was refused. */
  readonly configuration?: Configuration;
  readonly reply: ExecReply;
}

/** Lines of the configuration mode against the running configuration: all take effect or none. */
export function configure(running: Configuration, lines: readonly string[]): Configured {
  const { configuration, errors, notices } = applyLines(running, lines);
  if (errors.length > 0) return { reply: { error: errors.map((error) => formatDiagnostic(error, true)).join('\n') } };
  const output = notices.map((notice) => `${notice.message}\n`).join('');
  return { configuration, reply: { output } };
}
