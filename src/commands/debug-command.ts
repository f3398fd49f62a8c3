import { lineError, printable } from '../language/error-text.ts';
import { buildGraph } from '../language/graph.ts';
import { matchLine } from '../language/match.ts';
import { EXEC_COMMAND_CHARACTERS_MAX } from '../limits.ts';
import { COMMON_HELP } from './config-command.ts';

export type DebugTopic =
  | 'detailed'
  | 'events'
  | 'function-trace'
  | 'object-creation'
  | 'object-deletion'
  | 'timers'
  /** Packets and commands of one protocol. */
  | 'protocol';

export interface DebugSelection {
  readonly topic: DebugTopic;
  /** Only for the topic `protocol`. */
  readonly protocol?: string;
}

const TOPICS = 'detailed|events|function-trace|object-creation|object-deletion|timers';

const HELP: Readonly<Record<string, string>> = {
  debug: 'Follow what happens until interrupted',
  inspect: 'The mail inspection',
  'policy-firewall': 'The mail inspection, by its later name',
  detailed: 'Everything',
  events: 'Sessions, refusals and masks',
  'function-trace': 'Steps of the protocol machines',
  'object-creation': 'Sessions that begin',
  'object-deletion': 'Sessions that end',
  timers: 'Timers that start and run out',
};

/** `debug …` (cisco-ios 5.11), for matching, `?` and Tab. */
export const DEBUG_GRAPH = buildGraph(
  ['debug ip inspect', 'debug policy-firewall'].map((start) => ({
    grammar: `${start} <<${TOPICS}>$topic|<tcp|smtp|esmtp|pop3|imap>$protocol>`,
    command: 'debug' as const,
    help: { ...COMMON_HELP, ...HELP },
  })),
);

/** What a debug command asks for, or IOS's words for why it is none. */
export function readDebugCommand(command: string): DebugSelection | { readonly error: string } {
  if (command.length > EXEC_COMMAND_CHARACTERS_MAX) return { error: '% The command is too long' };
  const match = matchLine(DEBUG_GRAPH, command);
  if (match.kind === 'ok') {
    const { args } = match;
    if (args.has('protocol')) return { topic: 'protocol', protocol: args.text('protocol').replace('esmtp', 'smtp') };
    return { topic: args.text('topic') as DebugTopic };
  }
  return { error: `${lineError(match, command).message} (${printable(command.trim())})` };
}
