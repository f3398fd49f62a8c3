import type { Arguments } from '../language/match.ts';
import type { PolicyClass, PolicyMap } from '../policy/configuration.ts';
import { isMaskable, maskMessage } from './class-restrictions.ts';
import type { ConfigCommand } from './config-command.ts';
import { type Draft, fail, GLOBAL_MODE, type ModeKind, mapKey, markOrigin } from './draft.ts';
import { put, without } from './lists.ts';
import { actionConflict } from './policy-restrictions.ts';

type Application = NonNullable<PolicyMap['protocol']>;

const APPLICATION = '<smtp|pop3|imap>$application';
const LAYER_4_ACTIONS: readonly string[] = [
  'inspect [NAME]',
  'pass [log]',
  'drop [log]',
  'police rate (8000-2000000000) burst (1000-512000000)',
  'service-policy <smtp|pop3|imap>$policyType NAME',
];
const APPLICATION_ACTIONS: readonly string[] = ['log', 'reset', 'mask', 'allow', 'inspect'];

const HELP: Readonly<Record<string, string>> = {
  'policy-map': 'What to do with classes of traffic',
  class: 'A class',
  'class-default': 'Everything that is in no other class',
  NAME: 'Name',
  inspect: 'Inspect the sessions',
  pass: 'Let the packets pass without a session',
  drop: 'Drop the packets',
  police: 'Limit the rate',
  rate: 'Bits a second',
  burst: 'Octets at once',
  'service-policy': 'A policy map of the application',
  reset: 'Refuse in words and end the session',
  mask: 'Overwrite the verb or the keyword',
  allow: 'Do nothing further',
};

/** `policy-map type inspect` of layer 3/4 and of the mail protocols (cisco-ios 1.9). */
export const POLICY_MAP_COMMANDS: readonly ConfigCommand[] = [
  {
    modes: ['global'],
    grammar: [`policy-map type inspect [${APPLICATION}] NAME`],
    help: HELP,
    apply: enterPolicyMap,
    print: ({ policyMaps }) => policyMaps.flatMap((map) => [...policyMapLines(map), '!']),
  },
  {
    modes: ['global'],
    grammar: [`no policy-map type inspect [${APPLICATION}] NAME`],
    help: HELP,
    apply: removePolicyMap,
  },
  {
    modes: ['policy-map', 'application-policy-map'],
    grammar: ['description LINE', 'no description$absent [LINE]'],
    help: HELP,
    apply: (draft, args) =>
      edit(draft, (map) =>
        args.has('absent') ? without(map, 'description') : { ...map, description: args.text('LINE') },
      ),
  },
  ...classCommands('policy-map', 'policy-class', '', LAYER_4_ACTIONS),
  ...classCommands('application-policy-map', 'application-policy-class', APPLICATION, APPLICATION_ACTIONS),
];

/** The keys under which names in a policy are marked for the checks at the end. */
export function classUseKey(policyName: string, className: string): string {
  return `policy-map ${policyName} class ${className}`;
}
export function actionKey(policyName: string, className: string, words: readonly string[]): string {
  return `${classUseKey(policyName, className)} ${words.join(' ')}`;
}

function classCommands(
  mode: ModeKind,
  inner: ModeKind,
  application: string,
  actions: readonly string[],
): readonly ConfigCommand[] {
  const line = `class type inspect ${application} NAME`;
  return [
    {
      modes: [mode],
      grammar: [line, 'class class-default$NAME'],
      help: HELP,
      apply: (draft, args) => enterClass(draft, args, inner),
    },
    {
      modes: [mode],
      grammar: [`no ${line}`, 'no class class-default$NAME'],
      help: HELP,
      apply: (draft, args) =>
        edit(draft, (map) => ({ ...map, classes: map.classes.filter((entry) => entry.name !== args.text('NAME')) })),
    },
    { modes: [inner], grammar: actions, help: HELP, apply: addAction },
    { modes: [inner], grammar: actions.map((action) => `no ${action}`), help: HELP, apply: removeAction },
  ];
}

function enterPolicyMap(draft: Draft, args: Arguments): void {
  const name = args.text('NAME');
  const application = args.has('application') ? (args.text('application') as Application) : undefined;
  const existing = draft.configuration.policyMaps.find((map) => map.name === name);
  if (existing !== undefined && existing.protocol !== application) {
    fail(draft, `% policy-map ${name} exists already and is of another type`, args.column('NAME'));
    return;
  }
  if (existing === undefined) replace(draft, { name, ...(application ? { protocol: application } : {}), classes: [] });
  const kind: ModeKind = application === undefined ? 'policy-map' : 'application-policy-map';
  markOrigin(draft, mapKey(name), args.column('NAME'));
  draft.mode = { kind, subject: name, parent: GLOBAL_MODE };
}

/** A map in use stays (R13). */
function removePolicyMap(draft: Draft, args: Arguments): void {
  const name = args.text('NAME');
  const { policyMaps } = draft.configuration;
  const user = policyMaps.find((map) =>
    map.classes.some((entry) => entry.actions.some((words) => words[0] === 'service-policy' && words[2] === name)),
  );
  if (user !== undefined) {
    fail(draft, `% policy-map ${name} is in use by policy-map ${user.name}`, args.column('NAME'));
    return;
  }
  draft.configuration = { ...draft.configuration, policyMaps: policyMaps.filter((map) => map.name !== name) };
}

function enterClass(draft: Draft, args: Arguments, kind: ModeKind): void {
  const map = current(draft);
  if (map === undefined) return;
  const name = args.text('NAME');
  if (args.has('application') && args.text('application') !== map.protocol) {
    const text = `% policy-map ${map.name} is of type ${map.protocol} and takes classes of this type only`;
    fail(draft, text, args.column('application'));
    return;
  }
  markOrigin(draft, classUseKey(map.name, name), args.column('NAME'));
  if (!map.classes.some((entry) => entry.name === name)) {
    replace(draft, { ...map, classes: sorted([...map.classes, { name, actions: [] }]) });
  }
  draft.mode = { kind, subject: map.name, className: name, parent: draft.mode };
}

/** class-default takes what is left over, so it always stands last. */
function sorted(classes: readonly PolicyClass[]): readonly PolicyClass[] {
  const named = classes.filter((entry) => entry.name !== 'class-default');
  return [...named, ...classes.filter((entry) => entry.name === 'class-default')];
}

function addAction(draft: Draft, args: Arguments): void {
  const map = current(draft);
  const entry = map?.classes.find((candidate) => candidate.name === draft.mode.className);
  if (map === undefined || entry === undefined) return;
  const words = args.words;
  const others = entry.actions.filter((action) => action[0] !== words[0]);
  const conflict = actionConflict(map, { ...entry, actions: others }, words) ?? maskConflict(draft, entry, words);
  if (conflict !== undefined) {
    fail(draft, conflict);
    return;
  }
  markOrigin(draft, actionKey(map.name, entry.name, words), args.column('NAME'));
  const actions = put(entry.actions, words, (action) => action[0] === words[0]);
  replaceClass(draft, map, { ...entry, actions });
}

/** R4, from the side of the action. */
function maskConflict(draft: Draft, entry: PolicyClass, words: readonly string[]): string | undefined {
  if (words[0] !== 'mask') return undefined;
  const found = draft.configuration.classMaps.find((candidate) => candidate.name === entry.name);
  if (found?.matches.every((match) => isMaskable(match.words)) ?? true) return undefined;
  return maskMessage(entry.name);
}

function removeAction(draft: Draft, args: Arguments): void {
  const map = current(draft);
  const entry = map?.classes.find((candidate) => candidate.name === draft.mode.className);
  if (map === undefined || entry === undefined) return;
  const removed = args.words[1];
  const kept = entry.actions.filter(([action]) => action !== removed);
  const police = kept.some(([action]) => action === 'police' || action === 'service-policy');
  if (removed === 'inspect' && police) {
    fail(draft, `% police and service-policy require inspect in class ${entry.name}`);
    return;
  }
  replaceClass(draft, map, { ...entry, actions: kept });
}

function current(draft: Draft): PolicyMap | undefined {
  return draft.configuration.policyMaps.find((map) => map.name === draft.mode.subject);
}

function edit(draft: Draft, change: (map: PolicyMap) => PolicyMap): void {
  const map = current(draft);
  if (map !== undefined) replace(draft, change(map));
}

function replaceClass(draft: Draft, map: PolicyMap, entry: PolicyClass): void {
  replace(draft, { ...map, classes: put(map.classes, entry, (other) => other.name === entry.name) });
}

function replace(draft: Draft, map: PolicyMap): void {
  const policyMaps = put(draft.configuration.policyMaps, map, (other) => other.name === map.name);
  draft.configuration = { ...draft.configuration, policyMaps };
}

function policyMapLines(map: PolicyMap): readonly string[] {
  const type = map.protocol === undefined ? '' : `${map.protocol} `;
  const description = map.description === undefined ? [] : [` description ${map.description}`];
  const classes = map.classes.flatMap((entry) => [
    entry.name === 'class-default' ? ' class class-default' : ` class type inspect ${type}${entry.name}`,
    ...entry.actions.map((words) => `  ${words.join(' ')}`),
  ]);
  return [`policy-map type inspect ${type}${map.name}`, ...description, ...classes];
}
