import type { Configuration } from '../policy/configuration.ts';
import type { ControlClient } from './control-client.ts';
import {
  beginEditing,
  createSession,
  type Effect,
  endEditing,
  interpretLine,
  promptOf,
  type ShellSession,
} from './session.ts';

/** Where a shell reads and writes; the terminal and the plain stream each bring one. */
export interface ShellOutput {
  write(text: string): void;
  /** Fires when the person interrupts what is running. */
  interrupted(): AbortSignal;
}

export interface ShellDriver {
  readonly session: () => ShellSession;
  prompt(): string;
  /** Runs one line to its end; answers whether the shell goes on. */
  run(line: string): Promise<boolean>;
  /** Leaves the configuration mode as `end` does, if it is open. */
  end(): Promise<void>;
  /** Whether a line was refused so far. */
  failed(): boolean;
}

/** Connects what is typed with the daemon. Answers the error when the daemon cannot be asked. */
export async function startDriver(
  client: ControlClient,
  output: ShellOutput,
): Promise<ShellDriver | { readonly error: string }> {
  const running = await fetchRunning(client);
  if ('error' in running) return running;
  let session = createSession(running.configuration.hostname);
  let failed = false;

  const fail = (message: string): void => {
    failed = true;
    output.write(message.endsWith('\n') ? message : `${message}\n`);
  };
  const apply = async (lines: readonly string[]): Promise<void> => {
    if (lines.length > 0) {
      const reply = await client.configure({ lines });
      if (reply.error !== undefined) {
        fail(`${reply.error}\n% Nothing was put in force. Mend it and type end again, or leave with abort.`);
        return;
      }
    }
    session = endEditing(session);
  };
  const perform = async (effect: Effect): Promise<boolean> => {
    switch (effect.kind) {
      case 'print':
        if (effect.failed) fail(effect.text);
        else output.write(effect.text);
        return true;
      case 'exec': {
        const reply = await client.exec({ command: effect.command });
        if (reply.output !== undefined) output.write(reply.output);
        if (reply.error !== undefined) fail(reply.error);
        return true;
      }
      case 'debug': {
        const reply = await client.debug(effect.command, (text) => output.write(text), output.interrupted());
        if (reply.error !== undefined) fail(reply.error);
        return true;
      }
      case 'edit': {
        const now = await fetchRunning(client);
        if ('error' in now) fail(now.error);
        else session = beginEditing(session, now.configuration);
        return true;
      }
      case 'apply':
        await apply(effect.lines);
        return true;
      case 'leave':
        return false;
    }
  };

  return {
    session: () => session,
    prompt: () => promptOf(session),
    failed: () => failed,
    end: () => (session.editing === undefined ? Promise.resolve() : apply(session.editing.lines)),
    run: async (line) => {
      const interpreted = interpretLine(session, line);
      session = interpreted.session;
      for (const effect of interpreted.effects) if (!(await perform(effect))) return false;
      return true;
    },
  };
}

type Running = { readonly configuration: Configuration } | { readonly error: string };

/** The daemon prints its own structure here, so it is read as what it is. */
async function fetchRunning(client: ControlClient): Promise<Running> {
  const reply = await client.exec({ command: 'show running-config', json: true });
  if (reply.output === undefined) return { error: reply.error ?? '% The daemon gave no answer' };
  try {
    return { configuration: JSON.parse(reply.output) as Configuration };
  } catch {
    return { error: '% The daemon gave no answer that can be read' };
  }
}
