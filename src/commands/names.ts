import { DESCRIPTION_CHARACTERS_MAX, MAP_NAME_CHARACTERS_MAX } from '../limits.ts';
import type { ConfigCommand } from './config-command.ts';
import { type Draft, fail, type ModeKind } from './draft.ts';

/**
 * What is wrong with a name of something in the zone firewall, as a message, or undefined. `what` is the thing in a
 * sentence, e.g. `zone`. Names stand in log lines, so they are printable ASCII.
 */
export function nameMistake(what: string, name: string, charactersMax = MAP_NAME_CHARACTERS_MAX): string | undefined {
  if (/^[!-~]+$/.test(name) && name.length <= charactersMax) return undefined;
  return `% The name of a ${what} has at most ${charactersMax} characters, all of them ASCII`;
}

/** `description LINE` and its `no` form in the given modes. */
export function descriptionCommand(
  modes: readonly ModeKind[],
  help: Readonly<Record<string, string>>,
  change: (draft: Draft, description: string | undefined) => void,
): ConfigCommand {
  return {
    modes,
    grammar: ['description LINE', 'no description$absent [LINE]'],
    help,
    apply: (draft, args) => {
      const text = args.text('LINE');
      if (args.has('absent')) change(draft, undefined);
      else if (text.length <= DESCRIPTION_CHARACTERS_MAX) change(draft, text);
      else fail(draft, `% A description has at most ${DESCRIPTION_CHARACTERS_MAX} characters`, args.column('LINE'));
    },
  };
}
