import { lineError, printable } from '../language/error-text.ts';
import { buildGraph } from '../language/graph.ts';
import { matchLine } from '../language/match.ts';
import { EXEC_COMMAND_CHARACTERS_MAX } from '../limits.ts';
import { COMMON_HELP } from './config-command.ts';
import { done, type ExecCommand } from './exec-command.ts';

/** `protocol`: packets and commands of one protocol. */
export type DebugTopic = 'detailed' | 'events' | 'timers' | 'object-creation' | 'object-deletion' | 'protocol';

export interface DebugSelection {
  readonly topic: DebugTopic;
  /** Only for the topic `protocol`. */
  readonly protocol?: string;
}

const TOPICS = 'detailed|events|timers|object-creation|object-deletion';

export const DEBUG_HELP: Readonly<Record<string, string>> = {
  debug: 'Follow what happens until interrupted',
  inspect: 'The mail inspection',
  detailed: 'Everything',
  events: 'Sessions, refusals and masks',
  timers: 'Timers that run out',
  'object-creation': 'Sessions that begin',
  'object-deletion': 'Sessions that end',
};

/** `debug …` (cisco-ios 5.11), for the shell's `?` and Tab too. */
export const DEBUG_GRAMMARS: readonly string[] = [
  `debug ip inspect <<${TOPICS}>$topic|<tcp|udp|icmp|smtp|pop3|imap>$protocol>`,
];

/** The ways to say that nobody follows any more; IOS has one set of debugs for all, so each ends every stream. */
export const UNDEBUG_COMMANDS: readonly ExecCommand[] = [
  {
    grammar: ['undebug all', 'no debug all', ...DEBUG_GRAMMARS.flatMap((grammar) => [`un${grammar}`, `no ${grammar}`])],
    help: { ...DEBUG_HELP, undebug: 'End the debug streams', no: 'End the debug streams', all: 'All of them' },
    run: async (context) => {
      const ended = context.endDebug();
      return done(['All possible debugging has been turned off'], { ended });
    },
  },
];

const DEBUG_GRAPH = buildGraph(
  DEBUG_GRAMMARS.map((grammar) => ({ grammar, command: 'debug' as const, help: { ...COMMON_HELP, ...DEBUG_HELP } })),
);

/** What a debug command asks for, or IOS's words for why it is none. */
export function readDebugCommand(command: string): DebugSelection | { readonly error: string } {
  if (command.length > EXEC_COMMAND_CHARACTERS_MAX) return { error: '% The command is too long' };
  const match = matchLine(DEBUG_GRAPH, command);
  if (match.kind === 'ok') {
    const { args } = match;
    if (args.has('protocol')) return { topic: 'protocol', protocol: args.text('protocol') };
    return { topic: args.text('topic') as DebugTopic };
  }
  return { error: `${lineError(match, command).message} (${printable(command.trim())})` };
}
