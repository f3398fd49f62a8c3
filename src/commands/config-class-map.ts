import type { Arguments } from '../language/match.ts';
import type { ClassMap } from '../policy/configuration.ts';
import { isMaskable, maskMessage, matchConflict } from './class-restrictions.ts';
import type { ConfigCommand } from './config-command.ts';
import { type Draft, fail, GLOBAL_MODE, type ModeKind, mapKey, markOrigin, note } from './draft.ts';
import { put, without } from './lists.ts';
import { MAIL_PROTOCOLS, OTHER_PROTOCOLS, protocolChoice, TLS_PROTOCOLS } from './protocols.ts';

type Application = NonNullable<ClassMap['protocol']>;

const NUMBER = '(1-65535)';
const HELP: Readonly<Record<string, string>> = {
  'class-map': 'A class of traffic',
  inspect: 'For inspection',
  'match-any': 'One of the conditions is enough',
  'match-all': 'All conditions must hold',
  match: 'A condition',
  protocol: 'The protocol',
  'access-group': 'An access list',
  'class-map NAME': 'Another class',
  NAME: 'Name',
  sender: 'The argument of MAIL FROM',
  recipient: 'The arguments of RCPT TO',
  address: 'The address',
  count: 'Number of recipients',
  invalid: 'Recipients that the server refused',
  gt: 'Greater than',
  cmd: 'A command',
  verb: 'The verb, also one that nobody has standardised',
  line: 'The whole line',
  length: 'Octets',
  header: 'The header of a message',
  body: 'The body of a message',
  mime: 'A MIME part',
  'content-type': 'Its type',
  encoding: 'Its transfer encoding',
  reply: 'The answer of the server',
  ehlo: 'A keyword of the answer to EHLO',
  'data-length': 'Octets of mail data',
  regex: 'By a parameter map of patterns',
  'invalid-command': 'A command that is not valid at this point',
  login: 'A login',
  'clear-text': 'That sends its secret in clear',
  extended: 'Extended SMTP',
};

const SMTP_MATCHES: readonly string[] = [
  'protocol smtp',
  '<sender|recipient> address regex NAME',
  `recipient [invalid] count gt ${NUMBER}`,
  'cmd verb VERB$upper',
  `<cmd line|cmd-line> length gt ${NUMBER}`,
  `header length gt ${NUMBER}`,
  '<header|body|mime content-type> regex NAME',
  'mime encoding ENCODING$encodingName',
  '<reply ehlo|ehlo reply> KEYWORD$upper',
  'data-length gt (1-4294967295)',
];

const MAIL_LOGIN_MATCHES: readonly string[] = ['invalid-command', 'login clear-text'];

const LAYER_4_MATCHES: readonly string[] = [
  'protocol smtp extended',
  `protocol ${protocolChoice(MAIL_PROTOCOLS, TLS_PROTOCOLS, OTHER_PROTOCOLS)}`,
  'access-group <(1-199)|(1300-2699)|name ACL>',
  'class-map NAME',
];

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
    grammar: ['no class-map type inspect [<smtp|pop3|imap>] [<match-any|match-all>] NAME'],
    help: HELP,
    apply: removeClassMap,
  },
  {
    modes: ['class-map', 'smtp-class-map', 'pop3-class-map', 'imap-class-map'],
    grammar: ['description LINE', 'no description$absent [LINE]'],
    help: HELP,
    apply: (draft, args) =>
      edit(draft, (map) =>
        args.has('absent') ? without(map, 'description') : { ...map, description: args.text('LINE') },
      ),
  },
  ...matches('class-map', LAYER_4_MATCHES),
  ...matches('smtp-class-map', SMTP_MATCHES),
  ...matches('pop3-class-map', MAIL_LOGIN_MATCHES),
  ...matches('imap-class-map', MAIL_LOGIN_MATCHES),
];

/** The key under which a name in a `match` line is marked for the checks at the end. */
export function matchKey(className: string, words: readonly string[]): string {
  return `class-map ${className} match ${words.join(' ')}`;
}

function matches(mode: ModeKind, grammars: readonly string[]): readonly ConfigCommand[] {
  const apply = (draft: Draft, args: Arguments): void => applyMatch(draft, args);
  return [
    { modes: [mode], grammar: grammars.map((grammar) => `match ${grammar}`), help: HELP, apply },
    { modes: [mode], grammar: grammars.map((grammar) => `no match ${grammar}`), help: HELP, apply: removeMatch },
  ];
}

function enterClassMap(draft: Draft, args: Arguments): void {
  const name = args.text('NAME');
  const application = args.has('application') ? (args.text('application') as Application) : undefined;
  const existing = draft.configuration.classMaps.find((map) => map.name === name);
  if (existing !== undefined && existing.protocol !== application) {
    fail(draft, `% class-map ${name} exists already and is of another type`, args.column('NAME'));
    return;
  }
  if (name === 'class-default') {
    fail(draft, '% class-default is reserved', args.column('NAME'));
    return;
  }
  const combine: ClassMap['combine'] = args.text('combine') === 'match-any' ? 'match-any' : 'match-all';
  const created: ClassMap = { name, ...(application ? { protocol: application } : {}), combine, matches: [] };
  const map = existing === undefined ? created : { ...existing, ...(args.has('combine') ? { combine } : {}) };
  replace(draft, map);
  const kind: ModeKind = application === undefined ? 'class-map' : `${application}-class-map`;
  markOrigin(draft, mapKey(name), args.column('NAME'));
  draft.mode = { kind, subject: name, parent: GLOBAL_MODE };
}

/** A map in use stays (R13). */
function removeClassMap(draft: Draft, args: Arguments): void {
  const name = args.text('NAME');
  const { classMaps, policyMaps } = draft.configuration;
  const policy = policyMaps.find((map) => map.classes.some((entry) => entry.name === name));
  if (policy !== undefined) {
    fail(draft, `% class-map ${name} is in use by policy-map ${policy.name}`, args.column('NAME'));
    return;
  }
  const outer = classMaps.find((map) => map.matches.some(({ words }) => words[0] === 'class-map' && words[1] === name));
  if (outer !== undefined) {
    fail(draft, `% class-map ${name} is in use by class-map ${outer.name}`, args.column('NAME'));
    return;
  }
  draft.configuration = { ...draft.configuration, classMaps: classMaps.filter((map) => map.name !== name) };
}

function applyMatch(draft: Draft, args: Arguments): void {
  const map = current(draft);
  if (map === undefined) return;
  const words = canonicalMatch(draft, args, 1);
  const same = map.matches.some((match) => match.words.join(' ') === words.join(' '));
  if (same) return;
  const conflict = matchConflict(map, words);
  if (conflict !== undefined) {
    fail(draft, conflict);
    return;
  }
  if (!isMaskable(words) && isMaskedSomewhere(draft, map)) {
    fail(draft, maskMessage(map.name));
    return;
  }
  markOrigin(draft, matchKey(map.name, words), args.column('NAME'));
  replace(draft, { ...map, matches: [...map.matches, { words }] });
}

function removeMatch(draft: Draft, args: Arguments): void {
  const words = canonicalMatch(draft, args, 2).join(' ');
  edit(draft, (map) => ({ ...map, matches: map.matches.filter((match) => match.words.join(' ') !== words) }));
}

/** The one spelling that is saved; the seed guides' others are accepted with a notice (D-12). */
function canonicalMatch(draft: Draft, args: Arguments, from: number): readonly string[] {
  const typed = args.words.slice(from);
  const words = spell(args, typed);
  const renamed = words.join(' ').toLowerCase() !== typed.join(' ').toLowerCase();
  if (renamed) note(draft, `% notice: read as 'match ${words.join(' ')}', saved so`);
  return words;
}

const ENCODINGS: Readonly<Record<string, string>> = { '7bit': '7-bit', '8bit': '8-bit', uuencode: 'x-uuencode' };

function spell(args: Arguments, typed: readonly string[]): readonly string[] {
  const last = typed.at(-1) ?? '';
  if (typed[0] === 'cmd-line') return ['cmd', 'line', ...typed.slice(1)];
  if (typed[0] === 'ehlo') return ['reply', 'ehlo', last.toUpperCase()];
  if (args.has('upper')) return typed.with(-1, last.toUpperCase());
  if (args.has('encodingName')) return typed.with(-1, ENCODINGS[last.toLowerCase()] ?? last.toLowerCase());
  return typed;
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
