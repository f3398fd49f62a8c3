import type { ExecReply, ExecRequest } from '../control/control-api.ts';
import { lineError, printable } from '../language/error-text.ts';
import { buildGraph } from '../language/graph.ts';
import { matchLine } from '../language/match.ts';
import { EXEC_COMMAND_CHARACTERS_MAX } from '../limits.ts';
import { COMMON_HELP } from './config-command.ts';
import { UNDEBUG_COMMANDS } from './debug-command.ts';
import { ACCESS_LIST_EXEC_COMMANDS } from './exec-access-lists.ts';
import { CLEAR_COMMANDS } from './exec-clear.ts';
import { CLEAR_ZONE_COMMANDS } from './exec-clear-zones.ts';
import type { ExecCommand } from './exec-command.ts';
import type { ExecContext } from './exec-context.ts';
import { filterLines, splitFilter } from './exec-filter.ts';
import { LEARNED_EXEC_COMMANDS } from './exec-learned.ts';
import { SHOW_INSPECT_COMMANDS } from './exec-show-inspect.ts';
import { SHOW_MAP_COMMANDS } from './exec-show-maps.ts';
import { SHOW_POLICY_COMMANDS } from './exec-show-policy.ts';
import { SHOW_SYSTEM_COMMANDS } from './exec-show-system.ts';
import { SHOW_ZONE_COMMANDS } from './exec-show-zones.ts';

export const EXEC_COMMANDS: readonly ExecCommand[] = [
  ...SHOW_INSPECT_COMMANDS,
  ...SHOW_MAP_COMMANDS,
  ...SHOW_POLICY_COMMANDS,
  ...SHOW_ZONE_COMMANDS,
  ...ACCESS_LIST_EXEC_COMMANDS,
  ...SHOW_SYSTEM_COMMANDS,
  ...LEARNED_EXEC_COMMANDS,
  ...CLEAR_COMMANDS,
  ...CLEAR_ZONE_COMMANDS,
  ...UNDEBUG_COMMANDS,
];

/** The exec commands as a graph, for the shell's `?` and Tab too. */
export const EXEC_GRAPH = buildGraph(
  EXEC_COMMANDS.flatMap((command) =>
    command.grammar.map((grammar) => ({ grammar, command, help: { ...COMMON_HELP, ...command.help } })),
  ),
);

/**
 * Runs one exec command as typed, with `| include`, `| exclude` and `| begin`; answers IOS's text or the JSON
 * structure.
 */
export async function runExec(request: ExecRequest, context: ExecContext): Promise<ExecReply> {
  if (request.command.length > EXEC_COMMAND_CHARACTERS_MAX) return { error: '% The command is too long' };
  const { command, filter, error } = splitFilter(request.command);
  if (error !== undefined) return { error };
  const match = matchLine(EXEC_GRAPH, command);
  if (match.kind !== 'ok') return { error: describeMismatch(match, command) };
  const result = await match.command.run(context, match.args);
  if (result.kind === 'failed') return { error: result.error };
  if (request.json === true) return { output: `${JSON.stringify(result.data, infinityAsNull, 2)}\n` };
  const text = filter === undefined ? result.text : filterLines(result.text, filter);
  return { output: text === '' ? '' : `${text}\n` };
}

function describeMismatch(match: Exclude<ReturnType<typeof matchLine>, { kind: 'ok' }>, command: string): string {
  if (command.trim() === '') return '% Incomplete command.';
  const { column, message } = lineError(match, command);
  return match.kind === 'invalid' ? `${printable(command)}\n${' '.repeat(column - 1)}^\n${message}` : message;
}

/** JSON has no infinity: what is unlimited is null. */
function infinityAsNull(_key: string, value: unknown): unknown {
  return value === Number.POSITIVE_INFINITY ? null : value;
}
