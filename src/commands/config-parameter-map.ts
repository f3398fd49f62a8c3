import type { Arguments } from '../language/match.ts';
import type { Configuration, ParameterMap } from '../policy/configuration.ts';
import { patternMapOf } from './class-matches.ts';
import type { ConfigCommand } from './config-command.ts';
import { REGEX_MAP_COMMANDS } from './config-regex-map.ts';
import { type Draft, fail, GLOBAL_MODE, type ModeKind, note, noteOnce, refuseSection } from './draft.ts';
import { LINE_HELP } from './line-options.ts';
import { nameMistake } from './names.ts';
import { currentMap, findMap, parameterMapLines, replaceMap, setLine, unsetLine } from './parameter-lines.ts';

const TIME = '(1-2147483)';
const COUNT = '(1-2147483647)';

const SETTINGS: readonly string[] = [
  'alert <on|off>',
  'audit-trail <on|off>',
  `dns-timeout ${TIME}`,
  `icmp idle-time ${TIME}`,
  `udp idle-time ${TIME}`,
  `sessions maximum ${COUNT}`,
  `tcp <synwait-time|finwait-time|idle-time> ${TIME}`,
  'tcp max-incomplete host (1-4294967295) [block-time (0-35791)]',
  // Ours
  'line-endings <strict|normalize|tolerant>',
  'require-tls <auth|mail|login>',
  'tls minimum-version <1.0|1.1|1.2|1.3>',
];

/** Kept and printed; sessions go by what `ip inspect` says of these, or not at all. */
const NOT_ENFORCED: readonly string[] = [
  `sessions rate <low|high> ${COUNT} time ${COUNT}`,
  'tcp window-scale-enforcement loose',
  'tcp <half-open|half-close|idle> reset off',
  `log summary flows ${COUNT} time-interval ${COUNT}`,
  'zone-mismatch drop',
];

const HELP: Readonly<Record<string, string>> = {
  'parameter-map': 'A set of parameters',
  inspect: 'Parameters of inspection; `default` holds where `inspect` names none',
  regex: 'Patterns',
  NAME: 'Name',
  alert: 'Alerts for what is refused',
  ...LINE_HELP,
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
  {
    modes: ['inspect-parameter-map'],
    grammar: SETTINGS,
    help: HELP,
    apply: (draft, args) => setLine(draft, args.words),
  },
  {
    modes: ['inspect-parameter-map'],
    grammar: NOT_ENFORCED,
    help: HELP,
    apply: (draft, args) => {
      const line = args.words.filter((word) => !/^\d/.test(word)).join(' ');
      noteOnce(draft, line, `% notice: '${line}' of a parameter-map is accepted, not enforced by this version`);
      setLine(draft, args.words);
    },
  },
  {
    modes: ['inspect-parameter-map'],
    grammar: ['max-incomplete$pair', 'one-minute$pair'].flatMap((pair) => [
      `${pair} low ${COUNT}$lowCount [high ${COUNT}$highCount]`,
      `${pair} high ${COUNT}$highCount`,
    ]),
    help: HELP,
    apply: setThresholds,
  },
  {
    modes: ['inspect-parameter-map'],
    grammar: ['no <max-incomplete|one-minute>$pair <low|high>$side [LINE]'],
    help: HELP,
    apply: (draft, args) => {
      unsetLine(draft, [args.text('pair'), args.text('side')]);
      settlePair(draft, args.text('pair'), 'high');
      orderPair(draft, args.text('pair'));
    },
  },
  {
    modes: ['inspect-parameter-map'],
    grammar: ['log dropped-packets [enable]'],
    help: HELP,
    apply: (draft) => setLine(draft, ['log', 'dropped-packets', 'enable']),
  },
  {
    modes: ['inspect-parameter-map'],
    grammar: [
      ...['alert', 'audit-trail', 'dns-timeout', 'zone-mismatch'].map((word) => `no ${word} [LINE]`),
      ...['icmp idle-time', 'udp idle-time', 'sessions maximum'].map((words) => `no ${words} [LINE]`),
      'no sessions rate <low|high> [LINE]',
      'no tcp <synwait-time|finwait-time|idle-time|window-scale-enforcement> [LINE]',
      'no tcp max-incomplete host [LINE]',
      'no tcp <half-open|half-close|idle> reset [off]',
      'no log <dropped-packets|summary> [LINE]',
      'no line-endings [LINE]',
      'no require-tls <auth|mail|login>',
      'no tls minimum-version [LINE]',
    ],
    help: HELP,
    apply: (draft, args) => unsetLine(draft, args.words.slice(1)),
  },
  {
    modes: ['inspect-parameter-map'],
    grammar: ['application-inspect <all|smtp|pop3|imap>$application'],
    help: HELP,
    apply: (draft, args) => unsetLine(draft, ['no', 'application-inspect', args.text('application')]),
  },
  {
    modes: ['inspect-parameter-map'],
    grammar: ['no application-inspect <all|smtp|pop3|imap>'],
    help: HELP,
    apply: (draft, args) => setLine(draft, args.words),
  },
  ...REGEX_MAP_COMMANDS,
];

function enterParameterMap(draft: Draft, args: Arguments): void {
  const name = args.text('NAME');
  const kind = args.text('kind') === 'regex' ? 'regex' : 'inspect';
  if (findMap(draft, kind, name) === undefined) {
    const mistake = nameMistake('parameter-map', name);
    if (mistake !== undefined) {
      refuseSection(draft, mistake, args.column('NAME'));
      return;
    }
    replaceMap(draft, { name, kind, lines: [] });
  }
  const mode: ModeKind = `${kind}-parameter-map`;
  draft.mode = { kind: mode, subject: name, parent: GLOBAL_MODE };
}

/** A map in use stays (R13). */
function removeParameterMap(draft: Draft, args: Arguments): void {
  const name = args.text('NAME');
  const kind = args.text('kind') === 'regex' ? 'regex' : 'inspect';
  const user = userOf(draft.configuration, kind, name);
  if (user !== undefined) {
    fail(draft, `%Error: parameter-map ${name} is in use by ${user}`, args.column('NAME'));
    return;
  }
  const parameterMaps = draft.configuration.parameterMaps.filter((map) => map.name !== name || map.kind !== kind);
  draft.configuration = { ...draft.configuration, parameterMaps };
}

function userOf(
  { classMaps, policyMaps }: Configuration,
  kind: ParameterMap['kind'],
  name: string,
): string | undefined {
  if (kind === 'regex') {
    const user = classMaps.find((map) => map.matches.some(({ words }) => patternMapOf(words) === name));
    return user === undefined ? undefined : `class-map ${user.name}`;
  }
  const names = (action: readonly string[]): boolean => action[0] === 'inspect' && action[1] === name;
  const user = policyMaps.find((map) => map.classes.some((entry) => entry.actions.some(names)));
  return user === undefined ? undefined : `policy-map ${user.name}`;
}

/** `max-incomplete low 5 high 9` is two settings in one line. */
function setThresholds(draft: Draft, args: Arguments): void {
  const pair = args.text('pair');
  for (const side of ['low', 'high'] as const) {
    if (!args.has(`${side}Count`)) continue;
    setLine(draft, [pair, side, args.text(`${side}Count`)]);
    settlePair(draft, pair, side);
  }
  orderPair(draft, pair);
}

/** Keeps the low threshold at or below the high one; the typed one stands and drags the other along (D-07). */
function settlePair(draft: Draft, pair: string, typed: 'low' | 'high'): void {
  const value = (side: 'low' | 'high'): string | undefined =>
    currentMap(draft)?.lines.find((line) => line[0] === pair && line[1] === side)?.[2];
  const high = value('high');
  const low = value('low');
  if (high === undefined || (low !== undefined && Number(low) <= Number(high))) return;
  const dragged = typed === 'low' ? 'high' : 'low';
  const kept = dragged === 'low' ? high : (low ?? high);
  const before = (dragged === 'low' ? low : high) ?? 'unlimited';
  note(draft, `%Also resetting ${dragged} threshold from [${before}] to [${kept}]`);
  setLine(draft, [pair, dragged, kept]);
}

/** Low is saved before high: read back in this order neither drags the other. */
function orderPair(draft: Draft, pair: string): void {
  const map = currentMap(draft);
  const at = map?.lines.findIndex(([word]) => word === pair) ?? -1;
  if (map === undefined || at < 0) return;
  const both = map.lines.filter(([word]) => word === pair);
  const ordered = ['low', 'high'].flatMap((side) => both.filter((line) => line[1] === side));
  const others = map.lines.filter(([word]) => word !== pair);
  replaceMap(draft, { ...map, lines: [...others.slice(0, at), ...ordered, ...others.slice(at)] });
}
