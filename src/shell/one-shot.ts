import { DEBUG_GRAMMARS, readDebugCommand } from '../commands/debug-command.ts';
import { EXEC_GRAPH } from '../commands/exec.ts';
import { lineError, printable } from '../language/error-text.ts';
import { matchLine } from '../language/match.ts';
import type { ControlClient } from './control-client.ts';

/** Where the answers of one command go. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
}

const EXIT_DONE = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/**
 * `postern show …`, `clear …`, `write`, `copy …`: one command for the daemon. A line that is no command never leaves.
 */
export async function runOneShot(
  client: ControlClient,
  command: string,
  json: boolean,
  streams: Streams,
): Promise<number> {
  const line = command.split('|', 1)[0] ?? '';
  const match = matchLine(EXEC_GRAPH, line);
  if (match.kind !== 'ok') {
    const { column, message, hint } = lineError(match, line);
    const caret = match.kind === 'invalid' ? `${printable(line)}\n${' '.repeat(column - 1)}^\n` : '';
    streams.err(`${caret}${message}${hint === undefined ? '' : ` (${hint})`}\n`);
    return EXIT_USAGE;
  }
  const reply = await client.exec({ command, json });
  if (reply.output !== undefined) streams.out(reply.output);
  if (reply.error === undefined) return EXIT_DONE;
  streams.err(`${reply.error}\n`);
  return EXIT_FAILED;
}

/** `postern debug …`: streams until interrupted. */
export async function runDebug(
  client: ControlClient,
  command: string,
  streams: Streams,
  signal: AbortSignal,
): Promise<number> {
  const selection = readDebugCommand(command);
  if ('error' in selection) {
    streams.err(
      `${selection.error}\n${DEBUG_GRAMMARS.map((grammar) => `  ${grammar.replace(/\$\w+/g, '')}\n`).join('')}`,
    );
    return EXIT_USAGE;
  }
  const reply = await client.debug(command, streams.out, signal);
  if (reply.error === undefined) return EXIT_DONE;
  streams.err(`${reply.error}\n`);
  return EXIT_FAILED;
}
