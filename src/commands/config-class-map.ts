import type { Arguments } from '../language/match.ts';
import type { ClassMap } from '../policy/configuration.ts';
import {
  accessListOf,
  canonicalMatch,
  LAYER_4_MATCHES,
  MAIL_LOGIN_MATCHES,
  MATCH_HELP,
  patternMapOf,
  SMTP_MATCHES,
  wordMistake,
} from './class-matches.ts';
import { combineConflict, isMaskable, maskMessage, matchConflict } from './class-restrictions.ts';
import type { ConfigCommand } from './config-command.ts';
import { type Draft, fail, GLOBAL_MODE, type ModeKind, mapKey, markOrigin, refuseSection } from './draft.ts';
import { put, without } from './lists.ts';
import { descriptionCommand, nameMistake } from './names.ts';

type Application = NonNullable<ClassMap['protocol']>;

const HELP: Readonly<Record<string, string>> = {
  NAME: 'Name',
  'class-map': 'A class of traffic',
  inspect: 'For inspection',
  'match-any': 'One of the conditions is enough',
  'match-all': 'All conditions must hold',
};

/** `class-map type inspect` of layer 3/4, SMTP, POP3 and IMAP (cisco-ios 1.6 to 1.8). */
export const CLASS_MAP_COMMANDS: readonly ConfigCommand[] = [
  {
    modes: ['global'],
    grammar: ['class-map type inspect [<smtp|pop3|imap>$application] [<match-any|match-all>$combine] NAME'],
    help: HELP,
    apply: enterClassMap,
    print: ({ classMaps }) => classMaps.flatMap((map) => [...classMapLines(map), '!']),
  },
  {
    modes: ['global'],
    grammar: ['no class-map type inspect [<smtp|pop3|imap>$application] [<match-any|match-all>] NAME'],
    help: HELP,
    apply: removeClassMap,
  },
  descriptionCommand(['class-map', 'smtp-class-map', 'pop3-class-map', 'imap-class-map'], HELP, (draft, description) =>
    edit(draft, (map) => ({ ...without(map, 'description'), ...(description === undefined ? {} : { description }) })),
  ),
  ...matches('class-map', LAYER_4_MATCHES),
  ...matches('smtp-class-map', SMTP_MATCHES, { smtp: 'Every connection of SMTP' }),
  ...matches('pop3-class-map', MAIL_LOGIN_MATCHES),
  ...matches('imap-class-map', MAIL_LOGIN_MATCHES),
];

/** The key under which a name in a `match` line is marked for the checks at the end. */
export function matchKey(className: string, words: readonly string[]): string {
  return `class-map ${className} match ${words.join(' ')}`;
}

function matches(
  mode: ModeKind,
  grammars: readonly string[],
  ownHelp: Readonly<Record<string, string>> = {},
): readonly ConfigCommand[] {
  const apply = (draft: Draft, args: Arguments): void => applyMatch(draft, args);
  const help = { ...MATCH_HELP, ...ownHelp };
  return [
    { modes: [mode], grammar: grammars.map((grammar) => `match ${grammar}`), help, apply },
    { modes: [mode], grammar: grammars.map((grammar) => `no match ${grammar}`), help, apply: removeMatch },
  ];
}

function enterClassMap(draft: Draft, args: Arguments): void {
  const name = args.text('NAME');
  const application = args.has('application') ? (args.text('application') as Application) : undefined;
  const existing = draft.configuration.classMaps.find((map) => map.name === name);
  const combine: ClassMap['combine'] = args.text('combine') === 'match-any' ? 'match-any' : 'match-all';
  const created: ClassMap = { name, ...(application ? { protocol: application } : {}), combine, matches: [] };
  const map = existing === undefined ? created : { ...existing, ...(args.has('combine') ? { combine } : {}) };
  const mistake = headerMistake(name, application, existing) ?? combineConflict(map);
  if (mistake !== undefined) {
    refuseSection(draft, mistake, args.column('NAME'));
    return;
  }
  replace(draft, map);
  const kind: ModeKind = application === undefined ? 'class-map' : `${application}-class-map`;
  markOrigin(draft, mapKey('class-map', name), args.column('NAME'));
  draft.mode = { kind, subject: name, parent: GLOBAL_MODE };
}

function headerMistake(
  name: string,
  type: Application | undefined,
  existing: ClassMap | undefined,
): string | undefined {
  if (name === 'class-default') return '% class-default is reserved';
  if (existing === undefined) return nameMistake('class-map', name);
  return existing.protocol === type ? undefined : `% class-map ${name} exists already and is of another type`;
}

/** A map in use stays (R13). */
function removeClassMap(draft: Draft, args: Arguments): void {
  const name = args.text('NAME');
  const { classMaps, policyMaps } = draft.configuration;
  const removed = classMaps.find((map) => map.name === name);
  if (removed === undefined) return;
  const policy = policyMaps.find((map) => map.classes.some((entry) => entry.name === name));
  const outer = classMaps.find((map) => map.matches.some(({ words }) => words[0] === 'class-map' && words[1] === name));
  if (removed.protocol !== (args.has('application') ? args.text('application') : undefined)) {
    fail(draft, `% class-map ${name} is of another type`, args.column('NAME'));
  } else if (policy !== undefined) {
    fail(draft, `%Error: class-map ${name} is in use by policy-map ${policy.name}`, args.column('NAME'));
  } else if (outer !== undefined) {
    fail(draft, `%Error: class-map ${name} is in use by class-map ${outer.name}`, args.column('NAME'));
  } else {
    draft.configuration = { ...draft.configuration, classMaps: classMaps.filter((map) => map.name !== name) };
  }
}

function applyMatch(draft: Draft, args: Arguments): void {
  const map = current(draft);
  if (map === undefined) return;
  const mistake = wordMistake(args);
  if (mistake !== undefined) {
    fail(draft, mistake.message, mistake.column);
    return;
  }
  const words = canonicalMatch(draft, args, 1);
  if (map.matches.some((match) => match.words.join(' ') === words.join(' '))) return;
  const masked = !isMaskable(words) && isMaskedSomewhere(draft, map);
  const conflict = matchConflict(map, words) ?? (masked ? maskMessage(map.name) : undefined);
  if (conflict !== undefined) {
    fail(draft, conflict);
    return;
  }
  if (patternMapOf(words) !== undefined || accessListOf(words) !== undefined || words[0] === 'class-map') {
    markOrigin(draft, matchKey(map.name, words), args.column(args.has('ACL') ? 'ACL' : 'NAME'));
  }
  replace(draft, { ...map, matches: [...map.matches, { words }] });
}

function removeMatch(draft: Draft, args: Arguments): void {
  const words = canonicalMatch(draft, args, 2).join(' ');
  edit(draft, (map) => ({ ...map, matches: map.matches.filter((match) => match.words.join(' ') !== words) }));
}

function isMaskedSomewhere(draft: Draft, map: ClassMap): boolean {
  return draft.configuration.policyMaps.some((policy) =>
    policy.classes.some((entry) => entry.name === map.name && entry.actions.some(([action]) => action === 'mask')),
  );
}

function current(draft: Draft): ClassMap | undefined {
  return draft.configuration.classMaps.find((map) => map.name === draft.mode.subject);
}

function edit(draft: Draft, change: (map: ClassMap) => ClassMap): void {
  const map = current(draft);
  if (map !== undefined) replace(draft, change(map));
}

function replace(draft: Draft, map: ClassMap): void {
  const classMaps = put(draft.configuration.classMaps, map, (other) => other.name === map.name);
  draft.configuration = { ...draft.configuration, classMaps };
}

function classMapLines(map: ClassMap): readonly string[] {
  const type = map.protocol === undefined ? '' : `${map.protocol} `;
  const description = map.description === undefined ? [] : [` description ${map.description}`];
  const conditions = map.matches.map(({ words }) => ` match ${words.join(' ')}`);
  return [`class-map type inspect ${type}${map.combine} ${map.name}`, ...description, ...conditions];
}
