import { COMMON_HELP } from './config-command.ts';
import { CONFIG_COMMANDS } from './config-graphs.ts';
import { DEBUG_GRAMMARS, DEBUG_HELP } from './debug-command.ts';
import type { ModeKind } from './draft.ts';
import { EXEC_COMMANDS } from './exec.ts';

interface Section {
  readonly title: string;
  readonly mode: ModeKind;
}

const SECTIONS: readonly Section[] = [
  { title: 'Global', mode: 'global' },
  { title: 'Under `interface`', mode: 'interface' },
  { title: 'Under `ip access-list standard`', mode: 'standard-access-list' },
  { title: 'Under `ip access-list extended`', mode: 'extended-access-list' },
  { title: 'Under `class-map type inspect`', mode: 'class-map' },
  { title: 'Under `class-map type inspect smtp`', mode: 'smtp-class-map' },
  { title: 'Under `class-map type inspect pop3`', mode: 'pop3-class-map' },
  { title: 'Under `class-map type inspect imap`', mode: 'imap-class-map' },
  { title: 'Under `policy-map type inspect`', mode: 'policy-map' },
  { title: 'Under its `class`', mode: 'policy-class' },
  { title: 'Under `policy-map type inspect {smtp|pop3|imap}`', mode: 'application-policy-map' },
  { title: 'Under its `class`', mode: 'application-policy-class' },
  { title: 'Under `parameter-map type inspect`', mode: 'inspect-parameter-map' },
  { title: 'Under `parameter-map type regex`', mode: 'regex-parameter-map' },
  { title: 'Under `zone security`', mode: 'zone' },
  { title: 'Under `zone-pair security`', mode: 'zone-pair' },
];

/** `no` forms that are commands of their own. */
const STANDALONE_NO: readonly string[] = ['no ip inspect', 'no application-inspect <all|smtp|pop3|imap>'];

/** Words too common to say what a command is for. */
const VAGUE: readonly string[] = [
  'ip',
  'inspect',
  'type',
  'name',
  'show',
  'clear',
  'regex',
  'gt',
  'address',
  'length',
  'security',
  'source',
  'no',
  'tcp',
  'udp',
  'icmp',
];

/** A choice of more keywords than this is told by its first ones only. */
const SHOWN_BRANCHES_MAX = 24;

/** The manual of all commands, made from the very tables that read them. */
export function commandReference(): string {
  const exec = EXEC_COMMANDS.map((command) => ({ grammar: command.grammar, help: command.help }));
  const debug = { grammar: DEBUG_GRAMMARS, help: DEBUG_HELP };
  return [
    '# Commands',
    '',
    'Made from the command tables; do not edit by hand (`UPDATE_DOCS=1 npx vitest run src/commands/reference.test.ts`).',
    '',
    '`<a|b>` chooses one, `[a]` may be left out, `{a|b}` takes one or more in any order, `(1-10)` is a number,',
    '`A.B.C.D` an IPv4 address, an upper-case word a name, `LINE` the rest of the line. Keywords may be cut while they',
    'are unique.',
    '',
    '## Commands of the prompt and the command line',
    '',
    ...[...exec, debug].flatMap(commandLines),
    '',
    '## Configuration',
    ...SECTIONS.flatMap(({ title, mode }) => {
      const commands = CONFIG_COMMANDS.filter(
        (command) => command.modes.includes(mode) && !isMovement(command.grammar),
      );
      return ['', `### ${title}`, '', ...commands.flatMap(commandLines)];
    }),
    '',
    'Every line has a `no` form that takes it back or restores the default; its value may be left out.',
    'In every mode: `end` leaves the configuration, `exit` the mode.',
    '',
  ].join('\n');
}

function isMovement(grammar: readonly string[]): boolean {
  return grammar.some((line) => ['end', 'exit', 'enable'].includes(line));
}

function commandLines(command: {
  readonly grammar: readonly string[];
  readonly help: Readonly<Record<string, string>>;
}): readonly string[] {
  const positive = command.grammar.filter((grammar) => !grammar.startsWith('no ') || STANDALONE_NO.includes(grammar));
  return positive.map((grammar) => {
    const help = helpOf(grammar, { ...COMMON_HELP, ...command.help });
    return `- \`${shown(grammar)}\`${help === '' ? '' : `  \n  ${help}`}`;
  });
}

/** The sentence of the most telling keyword: the last one in front of the first value or choice. */
function helpOf(grammar: string, help: Readonly<Record<string, string>>): string {
  const fixed = (grammar.split(/[<[{(]/, 1)[0] ?? '')
    .replace(/\$[a-zA-Z]+/g, '')
    .trim()
    .split(' ');
  const known = fixed.filter((word) => /^[a-z]/.test(word) && help[word] !== undefined);
  const telling = known.filter((word) => !VAGUE.includes(word));
  return help[telling.at(-1) ?? known.at(-1) ?? ''] ?? '';
}

/** Without the names that values are bound to, and without endless lists. */
function shown(grammar: string): string {
  return grammar
    .replace(/\$[a-zA-Z]+|"/g, '')
    .replace(/<([^<>[\]{}]*)>/g, (whole, inner: string) => {
      const branches = inner.split('|');
      if (branches.length <= SHOWN_BRANCHES_MAX) return whole;
      return `<${branches.slice(0, SHOWN_BRANCHES_MAX / 3).join('|')}|...>`;
    })
    .replace(/ +/g, ' ');
}
