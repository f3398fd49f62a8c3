import { buildGraph, type Graph } from '../language/graph.ts';
import { ACCESS_LIST_COMMANDS } from './config-access-list.ts';
import { CLASS_MAP_COMMANDS } from './config-class-map.ts';
import { COMMON_HELP, type ConfigCommand } from './config-command.ts';
import { INSPECT_GLOBAL_COMMANDS } from './config-inspect-globals.ts';
import { INSPECT_NAME_COMMANDS } from './config-inspect-name.ts';
import { INTERFACE_COMMANDS } from './config-interface.ts';
import { PARAMETER_MAP_COMMANDS } from './config-parameter-map.ts';
import { POLICY_MAP_COMMANDS } from './config-policy-map.ts';
import { PORT_MAP_COMMANDS } from './config-port-map.ts';
import { POSTERN_COMMANDS } from './config-postern.ts';
import { SESSION_COMMANDS } from './config-session.ts';
import { ZONE_COMMANDS } from './config-zones.ts';
import type { ModeKind } from './draft.ts';

/** Every configuration command, in the order in which a configuration is saved. */
export const CONFIG_COMMANDS: readonly ConfigCommand[] = [
  ...SESSION_COMMANDS,
  ...POSTERN_COMMANDS,
  ...INSPECT_GLOBAL_COMMANDS,
  ...INSPECT_NAME_COMMANDS,
  ...PORT_MAP_COMMANDS,
  ...PARAMETER_MAP_COMMANDS,
  ...CLASS_MAP_COMMANDS,
  ...POLICY_MAP_COMMANDS,
  ...ZONE_COMMANDS,
  ...INTERFACE_COMMANDS,
  ...ACCESS_LIST_COMMANDS,
];

const graphs = new Map<ModeKind, Graph<ConfigCommand>>();

/** The graph of one mode, built when it is first asked for. */
export function configGraph(mode: ModeKind): Graph<ConfigCommand> {
  const existing = graphs.get(mode);
  if (existing !== undefined) return existing;
  const commands = CONFIG_COMMANDS.filter((command) => command.modes.includes(mode));
  const graph = buildGraph(
    commands.flatMap((command) =>
      command.grammar.map((grammar) => ({ grammar, command, help: { ...COMMON_HELP, ...command.help } })),
    ),
  );
  graphs.set(mode, graph);
  return graph;
}
