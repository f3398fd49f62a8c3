import type { ClassMap, Configuration, PolicyMap } from '../policy/configuration.ts';
import { done, type ExecCommand, type ExecResult, failed } from './exec-command.ts';
import type { ExecContext } from './exec-context.ts';
import {
  findParameterMap,
  inspectMapData,
  inspectMapLines,
  patternReadings,
  regexMapLines,
} from './format-parameter-map.ts';
import { capital, zonePairLines } from './format-zone-policy.ts';
import { countsOf, viewZonePair, type ZonePairView, zoneState } from './zone-policy-view.ts';

const HELP: Readonly<Record<string, string>> = {
  show: 'Show what is',
  'class-map': 'Classes of traffic',
  'policy-map': 'What is done with classes of traffic',
  'parameter-map': 'Sets of parameters',
  type: 'Of which type',
  inspect: 'Of inspection',
  regex: 'Patterns',
  smtp: 'Of SMTP',
  pop3: 'Of POP3',
  imap: 'Of IMAP',
  'zone-pair': 'Policies of zone-pairs, with what their classes met',
  sessions: 'The sessions of the classes in place of their counters',
  global: 'The one for the whole router',
  default: 'The one that holds where a class names none',
  NAME: 'Name of one of them',
};

const APPLICATION = '[<smtp|pop3|imap>$application]';

/** `show` of class-maps, policy-maps and parameter-maps of type inspect (cisco-ios 5.8, 5.10). */
export const SHOW_POLICY_COMMANDS: readonly ExecCommand[] = [
  {
    grammar: ['show policy-map type inspect zone-pair [NAME] [sessions]'],
    help: HELP,
    run: async (context, args) => {
      const pairs = await zonePairViews(context, args.text('NAME'));
      if (pairs === undefined) return failed(`% Zone-pair ${args.text('NAME')} is not defined`);
      const lines = pairs.flatMap((view, index) => [
        ...(index === 0 ? [] : ['']),
        ...zonePairLines(view, args.has('sessions')),
      ]);
      return done(lines, args.has('sessions') ? pairs : pairs.map(countsOf));
    },
  },
  {
    grammar: [`show policy-map type inspect ${APPLICATION} [NAME]`],
    help: HELP,
    run: async ({ configuration }, args) => {
      const maps = ofType(configuration.policyMaps, args.text('application'));
      return showNamed(maps, args.text('NAME'), 'Policy map', policyMapLines, (map) => map);
    },
  },
  {
    grammar: [`show class-map type inspect ${APPLICATION} [NAME]`],
    help: HELP,
    run: async ({ configuration }, args) => {
      const maps = ofType(configuration.classMaps, args.text('application'));
      const number = (map: ClassMap): number => configuration.classMaps.indexOf(map) + 1;
      const print = (map: ClassMap): readonly string[] => classMapLines(map, number(map));
      return showNamed(maps, args.text('NAME'), 'Class map', print, (map) => ({ ...map, id: number(map) }));
    },
  },
  {
    grammar: ['show parameter-map type inspect [<default|global|NAME>$name]'],
    help: HELP,
    run: async ({ configuration }, args) => showInspectMaps(configuration, args.text('name')),
  },
  {
    grammar: ['show parameter-map type regex [NAME]'],
    help: HELP,
    run: async ({ configuration }, args) => {
      const maps = configuration.parameterMaps.filter(({ kind }) => kind === 'regex');
      return showNamed(maps, args.text('NAME'), 'Parameter map', regexMapLines, (map) => ({
        ...map,
        patterns: patternReadings(map),
      }));
    },
  },
];

/** All zone-pairs that have a policy, or the one with this name; undefined where it is not configured. */
export async function zonePairViews(context: ExecContext, name: string): Promise<readonly ZonePairView[] | undefined> {
  const { zonePairs } = context.configuration;
  if (name !== '' && zonePairs.every((pair) => pair.name !== name)) return undefined;
  const state = await zoneState(context);
  return zonePairs
    .filter((pair) => name === '' || pair.name === name)
    .flatMap((pair) => viewZonePair(state, pair) ?? []);
}

function ofType<Map extends { readonly protocol?: ClassMap['protocol'] }>(
  maps: readonly Map[],
  application: string,
): readonly Map[] {
  return application === '' ? maps : maps.filter(({ protocol }) => protocol === application);
}

/** All of a kind, or the one that was asked for. */
function showNamed<Named extends { readonly name: string }>(
  all: readonly Named[],
  name: string,
  what: string,
  print: (one: Named) => readonly string[],
  data: (one: Named) => unknown,
): ExecResult {
  const wanted = name === '' ? all : all.filter((one) => one.name === name);
  if (name !== '' && wanted.length === 0) return failed(`% ${what} ${name} is not defined`);
  return done(wanted.flatMap(print), wanted.map(data));
}

function showInspectMaps(configuration: Configuration, name: string): ExecResult {
  const isKnown =
    name === 'default' || name === 'global' || findParameterMap(configuration, 'inspect', name) !== undefined;
  if (name !== '' && !isKnown) return failed(`% Parameter map ${name} is not defined`);
  const configured = configuration.parameterMaps.filter(({ kind }) => kind === 'inspect').map((map) => map.name);
  const names = name === '' ? configured : [name];
  return done(
    names.flatMap((one) => inspectMapLines(configuration, one)),
    names.map((one) => inspectMapData(configuration, one)),
  );
}

function classMapLines(map: ClassMap, number: number): readonly string[] {
  const type = map.protocol === undefined ? '' : `${map.protocol} `;
  return [
    ` Class Map type inspect ${type}${map.combine} ${map.name} (id ${number})`,
    ...descriptionLines(map, '   '),
    ...map.matches.map(({ words: [kind = '', value = '', ...more] }) => {
      const blank = kind === 'access-group' && value !== 'name' ? '  ' : ' ';
      return `   Match ${kind}${blank}${[value, ...more].join(' ')}`.trimEnd();
    }),
  ];
}

function policyMapLines(map: PolicyMap): readonly string[] {
  const type = map.protocol === undefined ? '' : `${map.protocol} `;
  return [
    `  Policy Map type inspect ${type}${map.name}`,
    ...descriptionLines(map, '    '),
    ...map.classes.flatMap(({ name, actions }) => [
      `    Class ${name}`,
      ...actions.map((words) => `      ${capital(words.join(' '))}`),
    ]),
  ];
}

function descriptionLines({ description }: ClassMap | PolicyMap, indent: string): readonly string[] {
  return description === undefined ? [] : [`${indent}Description: ${description}`];
}
