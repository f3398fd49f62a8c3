import type { Configuration } from '../policy/configuration.ts';
import { CONFIG_COMMANDS } from './config-graphs.ts';

/** The configuration as `show running-config` prints it: what is read back gives the same configuration. */
export function printConfiguration(configuration: Configuration): string {
  const lines: string[] = ['!'];
  for (const command of CONFIG_COMMANDS) {
    const printed = command.print?.(configuration) ?? [];
    lines.push(...printed);
  }
  lines.push('end');
  return `${lines.join('\n')}\n`;
}
