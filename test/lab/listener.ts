import type { Namespace } from './namespaces.ts';
import { inRepository } from './repository.ts';

/** A server that says what the script says, and keeps its connections open whatever the client does. */
export interface ListenerScript {
  readonly host: string;
  readonly port: number;
  readonly greeting: string;
  readonly greetingDelayMs?: number;
  /** Answers the client's FIN with its own. */
  readonly finishes?: boolean;
  /** Regular expressions tried on each line, with the bytes to answer; a line that matches none gets no answer. */
  readonly replies: readonly (readonly [pattern: string, reply: string])[];
}

export interface Listener {
  /** The lines that reached the server, over all connections. */
  lines(): string[];
  /** How connections ended, in that order: `fin`, `reset`, or the system's error name. */
  ends(): string[];
  waitForEnd(timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startListener(space: Namespace, script: ListenerScript): Promise<Listener> {
  const program = [process.execPath, inRepository('test', 'lab', 'listener.mjs')];
  const server = space.start(program, { input: JSON.stringify(script) });
  await server.waitFor(/listening/);
  const events = () =>
    server
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { line?: string; end?: string });
  return {
    lines: () => events().flatMap(({ line }) => (line === undefined ? [] : [line])),
    ends: () => events().flatMap(({ end }) => (end === undefined ? [] : [end])),
    async waitForEnd(timeoutMs) {
      await server.waitFor(/"end"/, timeoutMs);
    },
    async stop() {
      await server.stop();
    },
  };
}
