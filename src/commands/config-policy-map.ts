import type { Arguments } from '../language/match.ts';
import type { PolicyClass, PolicyMap } from '../policy/configuration.ts';
import type { ConfigCommand } from './config-command.ts';
import { type Draft, fail, GLOBAL_MODE, type ModeKind, mapKey, markOrigin, note, refuseSection } from './draft.ts';
import { put, without } from './lists.ts';
import { descriptionCommand, nameMistake } from './names.ts';
import { actionConflict, removalConflict } from './policy-restrictions.ts';

type Application = NonNullable<PolicyMap['protocol']>;

const APPLICATION = '<smtp|pop3|imap>$application';
const LAYER_4_ACTIONS: readonly string[] = [
  'inspect [NAME]',
  'pass [log]',
  'drop [log]',
  'police rate (8000-2000000000) burst (1000-512000000)',
  'service-policy <smtp|pop3|imap>$policyType NAME',
];
const NO_LAYER_4_ACTIONS: readonly string[] = [
  'no inspect [NAME]',
  ...['pass', 'drop', 'police', 'service-policy'].map((action) => `no ${action} [LINE]`),
];
const APPLICATION_ACTIONS: readonly string[] = [
  ...['log', 'reset', 'mask', 'allow', 'inspect', 'shadow'],
  'learn sender [for (1-5256000)$minutes]',
];
const NO_APPLICATION_ACTIONS: readonly string[] = [
  ...['log', 'reset', 'mask', 'allow', 'inspect', 'shadow'].map((action) => `no ${action}`),
  'no learn [LINE]',
];

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
  shadow: 'Count and log what the other actions would do, and do not do it',
  learn: 'Record for `match sender learned` and `match client learned`',
  sender: 'The sender of the message, its domain and the client',
  for: 'Forget it again',
  minutes: 'After so many minutes',
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
  descriptionCommand(['policy-map', 'application-policy-map'], HELP, (draft, description) =>
    edit(draft, (map) => ({ ...without(map, 'description'), ...(description === undefined ? {} : { description }) })),
  ),
  ...classLines('policy-map', 'policy-class', ''),
  ...classLines('application-policy-map', 'application-policy-class', APPLICATION),
  ...actionLines('policy-class', LAYER_4_ACTIONS, NO_LAYER_4_ACTIONS),
  ...actionLines('application-policy-class', APPLICATION_ACTIONS, NO_APPLICATION_ACTIONS),
];

/** The keys under which names in a policy are marked for the checks at the end. */
export function classUseKey(policyName: string, className: string): string {
  return `policy-map ${policyName} class ${className}`;
}
export function actionKey(policyName: string, className: string, words: readonly string[]): string {
  return `${classUseKey(policyName, className)} ${words.join(' ')}`;
}

function classLines(mode: ModeKind, inner: ModeKind, application: string): readonly ConfigCommand[] {
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
  ];
}

function actionLines(
  mode: ModeKind,
  actions: readonly string[],
  removals: readonly string[],
): readonly ConfigCommand[] {
  return [
    { modes: [mode], grammar: actions, help: HELP, apply: addAction },
    { modes: [mode], grammar: removals, help: HELP, apply: removeAction },
  ];
}

function enterPolicyMap(draft: Draft, args: Arguments): void {
  const name = args.text('NAME');
  const application = args.has('application') ? (args.text('application') as Application) : undefined;
  const existing = draft.configuration.policyMaps.find((map) => map.name === name);
  const taken = existing !== undefined && existing.protocol !== application;
  const other = taken ? `% policy-map ${name} exists already and is of another type` : undefined;
  const mistake = existing === undefined ? nameMistake('policy-map', name) : other;
  if (mistake !== undefined) {
    refuseSection(draft, mistake, args.column('NAME'));
    return;
  }
  if (existing === undefined) replace(draft, { name, ...(application ? { protocol: application } : {}), classes: [] });
  const kind: ModeKind = application === undefined ? 'policy-map' : 'application-policy-map';
  markOrigin(draft, mapKey('policy-map', name), args.column('NAME'));
  draft.mode = { kind, subject: name, parent: GLOBAL_MODE };
}

/** A map in use stays (R13). */
function removePolicyMap(draft: Draft, args: Arguments): void {
  const name = args.text('NAME');
  const { policyMaps, zonePairs } = draft.configuration;
  const removed = policyMaps.find((map) => map.name === name);
  if (removed === undefined) return;
  const user = policyMaps.find((map) =>
    map.classes.some((entry) => entry.actions.some((words) => words[0] === 'service-policy' && words[2] === name)),
  );
  const pair = zonePairs.find(({ policy }) => policy === name);
  if (removed.protocol !== (args.has('application') ? args.text('application') : undefined)) {
    fail(draft, `% policy-map ${name} is of another type`, args.column('NAME'));
  } else if (user !== undefined) {
    fail(draft, `%Error: policy-map ${name} is in use by policy-map ${user.name}`, args.column('NAME'));
  } else if (pair !== undefined) {
    fail(draft, `%Error: policy-map ${name} is in use by zone-pair ${pair.name}`, args.column('NAME'));
  } else {
    draft.configuration = { ...draft.configuration, policyMaps: policyMaps.filter((map) => map.name !== name) };
  }
}

function enterClass(draft: Draft, args: Arguments, kind: ModeKind): void {
  const map = current(draft);
  if (map === undefined) return;
  const name = args.text('NAME');
  if (args.has('application') && args.text('application') !== map.protocol) {
    const text = `%Error: policy-map ${map.name} of type ${map.protocol} takes classes of this type only, not ${name}`;
    refuseSection(draft, text, args.column('application'));
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
  const conflict = actionConflict(draft.configuration, map, { ...entry, actions: others }, words);
  if (conflict !== undefined) {
    fail(draft, conflict);
    return;
  }
  if (map.protocol !== undefined && entry.name === 'class-default' && words[0] !== 'allow') {
    note(draft, '% notice: class-default of an application policy allows, whatever stands in it');
  }
  markOrigin(draft, actionKey(map.name, entry.name, words), args.column('NAME'));
  const actions = put(entry.actions, words, (action) => action[0] === words[0]);
  replaceClass(draft, map, { ...entry, actions });
}

function removeAction(draft: Draft, args: Arguments): void {
  const map = current(draft);
  const entry = map?.classes.find((candidate) => candidate.name === draft.mode.className);
  if (map === undefined || entry === undefined) return;
  const removed = args.words[1];
  const kept = entry.actions.filter(([action]) => action !== removed);
  const conflict = removalConflict(entry, removed ?? '');
  if (conflict !== undefined) {
    fail(draft, conflict);
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
