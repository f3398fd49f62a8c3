import { applyLines, formatDiagnostic, parseConfiguration } from '../commands/parse-configuration.ts';
import type { Configuration } from '../policy/configuration.ts';
import type { ControlClient } from './control-client.ts';

/** A daemon for tests: it keeps a configuration as the real one does, and records what it was asked. */
export interface FakeClient extends ControlClient {
  readonly asked: string[];
  running(): Configuration;
}

export function createFakeClient(text: string): FakeClient {
  let running = parseConfiguration(text, 'start').configuration;
  const asked: string[] = [];
  return {
    asked,
    running: () => running,
    exec: async ({ command, json }) => {
      asked.push(command);
      if (json === true) return { output: JSON.stringify(running) };
      return command.startsWith('clear') ? { error: '% No session 12' } : { output: `answer to ${command}\n` };
    },
    configure: async ({ lines }) => {
      asked.push(`configure ${lines.length}`);
      const { configuration, errors } = applyLines(running, lines);
      if (errors.length > 0) return { error: errors.map((error) => formatDiagnostic(error, true)).join('\n') };
      running = configuration;
      return { output: '' };
    },
    debug: async (command, onText) => {
      asked.push(command);
      onText('one event\n');
      return {};
    },
  };
}
