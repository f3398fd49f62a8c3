import type { Arguments } from '../language/match.ts';
import type { ParameterMap } from '../policy/configuration.ts';
import { checkPattern, describeGlob, isGlob } from '../policy/pattern.ts';
import type { ConfigCommand } from './config-command.ts';
import { type Draft, fail, GLOBAL_MODE, type ModeKind, note } from './draft.ts';
import { put } from './lists.ts';

/** YANG: at most 64 patterns of 1 to 240 characters (R15). */
const PATTERNS_MAX = 64;
const PATTERN_CHARACTERS_MAX = 240;

const TIME = '(1-2147483)';
const COUNT = '(1-2147483647)';

const SETTINGS: readonly string[] = [
  'alert <on|off>',
  'audit-trail <on|off>',
  `dns-timeout ${TIME}`,
  `icmp idle-time ${TIME}`,
  `udp idle-time ${TIME}`,
  `max-incomplete <low|high> ${COUNT}`,
  `max-incomplete low ${COUNT} high ${COUNT}`,
  `one-minute <low|high> ${COUNT}`,
  `one-minute low ${COUNT} high ${COUNT}`,
  `sessions maximum ${COUNT}`,
  `sessions rate <low|high> ${COUNT} time ${COUNT}`,
  `tcp <synwait-time|finwait-time|idle-time> ${TIME}`,
  'tcp max-incomplete host (1-4294967295) [block-time (0-35791)]',
  'tcp window-scale-enforcement loose',
  'tcp <half-open|half-close|idle> reset off',
  'log dropped-packets [enable]',
  `log summary flows ${COUNT} time-interval ${COUNT}`,
  'zone-mismatch drop',
];

const HELP: Readonly<Record<string, string>> = {
  'parameter-map': 'A set of parameters',
  inspect: 'Parameters of inspection',
  regex: 'Patterns',
  NAME: 'Name',
  alert: 'Alerts for what is refused',
  'dns-timeout': 'Idle time of a DNS look-up',
  'idle-time': 'Time without a packet after which a session ends',
  'synwait-time': 'Time to establish a connection',
  'finwait-time': 'Time to close a connection',
  'max-incomplete': 'Half-open sessions at which to become aggressive and calm again',
  'one-minute': 'New sessions a minute at which to become aggressive and calm again',
  host: 'Half-open connections to one host',
  'block-time': 'Minutes for which new connections to the host are refused',
  sessions: 'Sessions at one time, or new sessions in a time',
  reset: 'Whether sessions that time out are reset',
  'window-scale-enforcement': 'Check of the window scale option',
  'dropped-packets': 'Log dropped packets',
  summary: 'Log summaries',
  'zone-mismatch': 'Sessions whose packets change the zone',
  'application-inspect': 'The engine of an application',
  pattern: 'A pattern; the map matches when one of them does',
  'pattern-type': 'How to read the patterns',
  auto: 'By their look',
  glob: 'A star stands for any text',
  'ignore-case': 'Upper and lower case are the same',
};

/** `parameter-map type inspect` and `type regex` (cisco-ios 1.4, 1.5). */
export const PARAMETER_MAP_COMMANDS: readonly ConfigCommand[] = [
  {
    modes: ['global'],
    grammar: ['parameter-map type <inspect|regex>$kind NAME'],
    help: HELP,
    apply: enterParameterMap,
    print: ({ parameterMaps }) => parameterMaps.flatMap((map) => [...parameterMapLines(map), '!']),
  },
  {
    modes: ['global'],
    grammar: ['no parameter-map type <inspect|regex>$kind NAME'],
    help: HELP,
    apply: removeParameterMap,
  },
  { modes: ['inspect-parameter-map'], grammar: SETTINGS, help: HELP, apply: (draft, args) => set(draft, args.words) },
  {
    modes: ['inspect-parameter-map'],
    grammar: [
      ...['alert', 'audit-trail', 'dns-timeout', 'zone-mismatch'].map((word) => `no ${word} [LINE]`),
      ...['icmp idle-time', 'udp idle-time', 'sessions maximum'].map((words) => `no ${words} [LINE]`),
      ...['max-incomplete', 'one-minute', 'sessions rate'].map((words) => `no ${words} <low|high> [LINE]`),
      'no tcp <synwait-time|finwait-time|idle-time|window-scale-enforcement> [LINE]',
      'no tcp max-incomplete host [LINE]',
      'no tcp <half-open|half-close|idle> reset [off]',
      'no log <dropped-packets|summary> [LINE]',
    ],
    help: HELP,
    apply: (draft, args) => unset(draft, args.words.slice(1)),
  },
  {
    modes: ['inspect-parameter-map'],
    grammar: ['application-inspect <all|smtp|pop3|imap>$application'],
    help: HELP,
    apply: (draft, args) => unset(draft, ['no', 'application-inspect', args.text('application')]),
  },
  {
    modes: ['inspect-parameter-map'],
    grammar: ['no application-inspect <all|smtp|pop3|imap>'],
    help: HELP,
    apply: (draft, args) => set(draft, args.words),
  },
  { modes: ['regex-parameter-map'], grammar: ['pattern LINE'], help: HELP, apply: addPattern },
  {
    modes: ['regex-parameter-map'],
    grammar: ['pattern-type <auto|glob|regex>$flavour', 'no pattern-type$absent [<auto|glob|regex>]'],
    help: HELP,
    apply: setPatternType,
  },
  {
    modes: ['regex-parameter-map'],
    grammar: ['ignore-case'],
    help: HELP,
    apply: (draft, args) => set(draft, args.words),
  },
  {
    modes: ['regex-parameter-map'],
    grammar: ['no pattern LINE', 'no ignore-case'],
    help: HELP,
    apply: (draft, args) => unset(draft, args.words.slice(1)),
  },
];

function enterParameterMap(draft: Draft, args: Arguments): void {
  const name = args.text('NAME');
  const kind = args.text('kind') === 'regex' ? 'regex' : 'inspect';
  const existing = find(draft, kind, name);
  if (existing === undefined) replace(draft, { name, kind, lines: [] });
  const mode: ModeKind = `${kind}-parameter-map`;
  draft.mode = { kind: mode, subject: name, parent: GLOBAL_MODE };
}

/** A map in use stays (R13). */
function removeParameterMap(draft: Draft, args: Arguments): void {
  const name = args.text('NAME');
  const kind = args.text('kind');
  const { classMaps, policyMaps, parameterMaps } = draft.configuration;
  const user =
    kind === 'regex'
      ? classMaps.find((map) => map.matches.some(({ words }) => words.at(-2) === 'regex' && words.at(-1) === name))
      : policyMaps.find((map) => map.classes.some((entry) => entry.actions.some((words) => usesMap(words, name))));
  if (user !== undefined) {
    const type = kind === 'regex' ? 'class-map' : 'policy-map';
    fail(draft, `% parameter-map ${name} is in use by ${type} ${user.name}`, args.column('NAME'));
    return;
  }
  const kept = parameterMaps.filter((map) => map.name !== name || map.kind !== kind);
  draft.configuration = { ...draft.configuration, parameterMaps: kept };
}

function usesMap(action: readonly string[], name: string): boolean {
  return action[0] === 'inspect' && action[1] === name;
}

function addPattern(draft: Draft, args: Arguments): void {
  const typed = args.text('LINE');
  const quoted = typed.startsWith('"');
  const column = args.column('LINE') + (quoted ? 1 : 0);
  if (quoted && (typed.length < 2 || !typed.endsWith('"'))) {
    fail(draft, '% The quote is not closed', column - 1);
    return;
  }
  const pattern = quoted ? typed.slice(1, -1) : typed;
  if (pattern.length === 0 || pattern.length > PATTERN_CHARACTERS_MAX) {
    fail(draft, `% A pattern has 1 to ${PATTERN_CHARACTERS_MAX} characters`, column);
    return;
  }
  const map = current(draft);
  if (map === undefined) return;
  const patterns = map.lines.filter(([word]) => word === 'pattern');
  if (patterns.length >= PATTERNS_MAX) {
    fail(draft, `% A parameter map has at most ${PATTERNS_MAX} patterns`);
    return;
  }
  const glob = readsAsGlob(map.lines.find(([word]) => word === 'pattern-type')?.[1], pattern);
  const mistake = glob ? undefined : checkPattern(pattern);
  if (mistake !== undefined) {
    fail(draft, `% ${mistake.message}`, column + mistake.index);
    return;
  }
  if (glob) note(draft, `% notice: pattern "${pattern}" read as glob; effective ${describeGlob(pattern)}`, column);
  const line = ['pattern', `"${pattern}"`];
  if (patterns.some(([, other]) => other === line[1])) return;
  replace(draft, { ...map, lines: [...map.lines, line] });
}

function readsAsGlob(flavour: string | undefined, pattern: string): boolean {
  return flavour === 'glob' || (flavour !== 'regex' && isGlob(pattern));
}

/** Another reading must suit the patterns that are there, or the saved configuration would not load. */
function setPatternType(draft: Draft, args: Arguments): void {
  const flavour = args.has('flavour') ? args.text('flavour') : 'auto';
  for (const [word, text = ''] of current(draft)?.lines ?? []) {
    const pattern = unquoted(text);
    if (word !== 'pattern' || readsAsGlob(flavour, pattern) || checkPattern(pattern) === undefined) continue;
    fail(draft, `% pattern ${text} is not a regular expression`);
    return;
  }
  if (args.has('flavour')) set(draft, args.words);
  else unset(draft, ['pattern-type']);
}

/** One line a setting: a new value takes the place of the old one. */
function set(draft: Draft, words: readonly string[]): void {
  const map = current(draft);
  if (map === undefined) return;
  const lines = splitPair(words).reduce(
    (before, line) => put(before, line, (other) => settingName(other) === settingName(line)),
    map.lines,
  );
  replace(draft, { ...map, lines });
}

function unset(draft: Draft, words: readonly string[]): void {
  const map = current(draft);
  if (map === undefined) return;
  const [first, second] = words;
  const name = first === 'pattern' ? `pattern "${unquoted(second ?? '')}"` : settingName(words);
  replace(draft, { ...map, lines: map.lines.filter((line) => settingName(line) !== name) });
}

function unquoted(text: string): string {
  return text.startsWith('"') && text.endsWith('"') && text.length > 1 ? text.slice(1, -1) : text;
}

/** `max-incomplete low 5 high 9` is two settings in one line. */
function splitPair(words: readonly string[]): readonly (readonly string[])[] {
  const [name = '', side, low = '', other, high = ''] = words;
  return side === 'low' && other === 'high'
    ? [
        [name, 'low', low],
        [name, 'high', high],
      ]
    : [words];
}

/** What a line sets, without the value: its leading words. */
function settingName(words: readonly string[]): string {
  const [first = '', second = '', third = ''] = words;
  if (['max-incomplete', 'one-minute', 'log', 'icmp', 'udp'].includes(first)) return `${first} ${second}`;
  if (first === 'sessions') return second === 'rate' ? `sessions rate ${third}` : 'sessions maximum';
  if (first === 'tcp') return `tcp ${second}${third === 'reset' ? ' reset' : ''}`;
  if (first === 'pattern' || first === 'no') return words.join(' ');
  return first;
}

function find(draft: Draft, kind: ParameterMap['kind'], name: string): ParameterMap | undefined {
  return draft.configuration.parameterMaps.find((map) => map.kind === kind && map.name === name);
}

function current(draft: Draft): ParameterMap | undefined {
  return find(draft, draft.mode.kind === 'regex-parameter-map' ? 'regex' : 'inspect', draft.mode.subject);
}

function replace(draft: Draft, map: ParameterMap): void {
  const same = (other: ParameterMap): boolean => other.name === map.name && other.kind === map.kind;
  // How patterns are read comes before them, because it decides whether they are right.
  const patterns = map.lines.filter(([word]) => word === 'pattern');
  const lines = [...map.lines.filter(([word]) => word !== 'pattern'), ...patterns];
  const parameterMaps = put(draft.configuration.parameterMaps, { ...map, lines }, same);
  draft.configuration = { ...draft.configuration, parameterMaps };
}

function parameterMapLines(map: ParameterMap): readonly string[] {
  return [`parameter-map type ${map.kind} ${map.name}`, ...map.lines.map((words) => ` ${words.join(' ')}`)];
}
