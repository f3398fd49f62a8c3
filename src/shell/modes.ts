import { COMMON_HELP } from '../commands/config-command.ts';
import { configGraph } from '../commands/config-graphs.ts';
import { DEBUG_GRAMMARS, DEBUG_HELP } from '../commands/debug-command.ts';
import type { ModeKind } from '../commands/draft.ts';
import { EXEC_COMMANDS } from '../commands/exec.ts';
import { completionsFor, type HelpEntry, helpFor } from '../language/complete.ts';
import { buildGraph, type Graph, type GraphEntry } from '../language/graph.ts';

/** What a line typed outside the configuration mode is for; `exec` and `debug` go to the daemon as typed. */
export type ShellCommand = 'exec' | 'debug' | 'enable' | 'disable' | 'configure' | 'leave' | 'nothing';

const OWN_HELP: Readonly<Record<string, string>> = {
  enable: 'Turn on the commands that change something',
  disable: 'Turn them off again',
  configure: 'Enter the configuration mode',
  terminal: 'From this terminal',
  exit: 'Leave the shell',
  quit: 'Leave the shell',
  logout: 'Leave the shell',
  length: 'Lines of a page (accepted, output is never paged)',
};

const COMMON: readonly GraphEntry<ShellCommand>[] = [
  own('enable', 'enable'),
  own('exit', 'leave'),
  own('quit', 'leave'),
  own('logout', 'leave'),
  own('terminal length (0-512)', 'nothing'),
];

const EXEC: readonly GraphEntry<ShellCommand>[] = EXEC_COMMANDS.flatMap((command) =>
  command.grammar.map((grammar) => ({ grammar, command: 'exec' as const, help: { ...COMMON_HELP, ...command.help } })),
);

const USER_GRAPH = buildGraph([...COMMON, ...EXEC.filter((entry) => entry.grammar.startsWith('show '))]);
const PRIVILEGED_GRAPH = buildGraph([
  ...COMMON,
  ...EXEC,
  own('disable', 'disable'),
  own('configure terminal', 'configure'),
  ...DEBUG_GRAMMARS.map((grammar) => ({
    grammar,
    command: 'debug' as const,
    help: { ...COMMON_HELP, ...DEBUG_HELP },
  })),
]);

export function shellGraph(privileged: boolean): Graph<ShellCommand> {
  return privileged ? PRIVILEGED_GRAPH : USER_GRAPH;
}

const PROMPTS: Readonly<Record<ModeKind, string>> = {
  global: '(config)#',
  interface: '(config-if)#',
  'standard-access-list': '(config-std-nacl)#',
  'extended-access-list': '(config-ext-nacl)#',
  'class-map': '(config-cmap)#',
  'smtp-class-map': '(config-cmap)#',
  'pop3-class-map': '(config-cmap)#',
  'imap-class-map': '(config-cmap)#',
  'policy-map': '(config-pmap)#',
  'policy-class': '(config-pmap-c)#',
  'application-policy-map': '(config-pmap)#',
  'application-policy-class': '(config-pmap-c)#',
  'inspect-parameter-map': '(config-profile)#',
  'regex-parameter-map': '(config-profile)#',
  zone: '(config-sec-zone)#',
  'zone-pair': '(config-sec-zone-pair)#',
  foreign: '(config)#',
  refused: '(config)#',
};

/** The end of the prompt: where one is. */
export function promptMark(mode: ModeKind | undefined, privileged: boolean): string {
  return mode === undefined ? (privileged ? '#' : '>') : PROMPTS[mode];
}

const FILTERS: readonly HelpEntry[] = [
  { label: 'begin', help: 'From the first line that holds the text' },
  { label: 'exclude', help: 'Lines without the text' },
  { label: 'include', help: 'Lines with the text' },
];

/** The first words of the configuration mode that the shell itself answers. */
const CONFIGURE_HELP: readonly HelpEntry[] = [
  { label: 'abort', help: 'Leave without putting anything in force' },
  { label: 'do', help: 'Run a command from outside the configuration mode' },
];

/** What `?` shows behind the line typed so far. `mode` is undefined outside the configuration mode. */
export function shellHelp(mode: ModeKind | undefined, privileged: boolean, typed: string): readonly HelpEntry[] {
  const bar = typed.indexOf('|');
  const done = afterDo(mode, typed);
  if (mode === undefined || done !== undefined) {
    if (bar < 0) return helpFor(shellGraph(privileged), done ?? typed);
    const word = typed.slice(bar + 1).trimStart();
    return FILTERS.filter((entry) => entry.label.startsWith(word));
  }
  const entries = helpFor(configGraph(mode), typed);
  const word = typed.trim();
  if (word.includes(' ') || (word !== '' && typed.endsWith(' '))) return entries;
  return [...entries, ...CONFIGURE_HELP.filter((entry) => entry.label.startsWith(word))];
}

/** What Tab may put in place of the word being typed. */
export function shellCompletions(mode: ModeKind | undefined, privileged: boolean, typed: string): readonly string[] {
  const done = afterDo(mode, typed);
  if (mode === undefined || done !== undefined) return completionsFor(shellGraph(privileged), done ?? typed);
  return completionsFor(configGraph(mode), typed);
}

/** In the configuration mode `do LINE` is a line of outside it; answers it. */
export function afterDo(mode: ModeKind | undefined, typed: string): string | undefined {
  const found = mode === undefined ? null : /^\s*do\s+(.*)$/i.exec(typed);
  return found === null ? undefined : (found[1] ?? '');
}

function own(grammar: string, command: ShellCommand): GraphEntry<ShellCommand> {
  return { grammar, command, help: OWN_HELP };
}
