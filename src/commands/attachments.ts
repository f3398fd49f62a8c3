import { CLASS_NESTING_LEVELS_MAX } from '../limits.ts';
import { effectiveList } from '../policy/access-entry.ts';
import type { ClassMap, Configuration } from '../policy/configuration.ts';
import { accessListOf, patternMapOf } from './class-matches.ts';
import { matchKey } from './config-class-map.ts';
import { accessUseKey } from './config-interface.ts';
import { actionKey } from './config-policy-map.ts';
import { type Finding, mapKey } from './draft.ts';
import { nestedClasses } from './validate-classes.ts';
import { findPairsWithoutZones } from './validate-zones.ts';

/** Names of maps that a notice lists; the rest is counted. */
const LISTED_MAX = 5;

/** What holds less than whoever wrote it may think, told as notices. `key` finds the line. */
export function findIdleParts(configuration: Configuration): readonly Finding[] {
  return [
    ...findUnattached(configuration),
    ...findPairsWithoutZones(configuration),
    ...findOpenLists(configuration),
    ...findEmptyLists(configuration),
    ...findEmptyPatterns(configuration),
    ...findUnreadPolicies(configuration),
  ];
}

/** Maps that no zone-pair leads to. */
function findUnattached(configuration: Configuration): readonly Finding[] {
  const { classMaps, policyMaps } = configuration;
  const attached = attachedMaps(configuration);
  const idle = [
    ...classMaps.map(({ name }) => mapKey('class-map', name)),
    ...policyMaps.map(({ name }) => mapKey('policy-map', name)),
  ].filter((key) => !attached.has(key));
  const [first] = idle;
  if (first === undefined) return [];
  const more = idle.length > LISTED_MAX ? ` and ${idle.length - LISTED_MAX} more` : '';
  const names = `${idle.slice(0, LISTED_MAX).join(', ')}${more}`;
  return [{ key: first, message: `% notice: attached to nothing and without effect: ${names}` }];
}

/** Zone-pairs lead to policies, policies to classes and application policies, classes to classes. */
function attachedMaps({ classMaps, policyMaps, zonePairs }: Configuration): ReadonlySet<string> {
  const policies = new Map(policyMaps.map((map) => [map.name, map]));
  const classes = new Map(classMaps.map((map) => [map.name, map]));
  const usedPolicies = new Set(zonePairs.flatMap(({ policy }) => policy ?? []));
  const usedClasses = new Set<string>();
  for (const name of usedPolicies) {
    for (const entry of policies.get(name)?.classes ?? []) {
      usedClasses.add(entry.name);
      for (const words of entry.actions) if (words[0] === 'service-policy') usedPolicies.add(words[2] ?? '');
    }
  }
  for (const name of usedClasses) {
    const map = classes.get(name);
    for (const inner of map === undefined ? [] : nestedClasses(map)) usedClasses.add(inner);
  }
  return new Set([
    ...[...usedPolicies].map((name) => mapKey('policy-map', name)),
    ...[...usedClasses].map((name) => mapKey('class-map', name)),
  ]);
}

/** IOS permits everything where a list is missing or empty; whoever bound it hardly means that. */
function findOpenLists(configuration: Configuration): readonly Finding[] {
  return configuration.interfaces.flatMap(({ name, accessGroupIn, accessGroupOut }) =>
    [
      { direction: 'in', list: accessGroupIn },
      { direction: 'out', list: accessGroupOut },
    ].flatMap(({ direction, list }) =>
      list === undefined || effectiveList(configuration, list) !== undefined
        ? []
        : [
            {
              key: accessUseKey(name, direction),
              message: `% notice: access list ${list} has no entries and permits everything`,
            },
          ],
    ),
  );
}

/** In a class a list without entries permits nothing, so nothing is in the class by it. */
function findEmptyLists(configuration: Configuration): readonly Finding[] {
  const defined = new Set(configuration.accessLists.map((list) => list.name));
  return configuration.classMaps.flatMap((map) =>
    map.matches.flatMap(({ words }) => {
      const list = map.protocol === undefined ? accessListOf(words) : undefined;
      if (list === undefined || !defined.has(list) || effectiveList(configuration, list) !== undefined) return [];
      const message = `% notice: access list ${list} has no entries, nothing is in class-map ${map.name} by it`;
      return [{ key: matchKey(map.name, words), message }];
    }),
  );
}

function findEmptyPatterns({ classMaps, parameterMaps }: Configuration): readonly Finding[] {
  const empty = new Set(
    parameterMaps
      .filter((map) => map.kind === 'regex' && map.lines.every(([word]) => word !== 'pattern'))
      .map((map) => map.name),
  );
  return classMaps.flatMap((map) =>
    map.matches.flatMap(({ words }) => {
      const name = map.protocol === undefined ? undefined : patternMapOf(words);
      if (name === undefined || !empty.has(name)) return [];
      const message = `% notice: parameter-map ${name} has no patterns, nothing is in class-map ${map.name} by it`;
      return [{ key: matchKey(map.name, words), message }];
    }),
  );
}

/** The first `match protocol` that fits decides what reads a session: behind `tcp` no application policy ever does. */
function findUnreadPolicies({ classMaps, policyMaps }: Configuration): readonly Finding[] {
  const classes = new Map(classMaps.map((map) => [map.name, map]));
  const engines = new Map(['smtp', 'pop3', 'imap'].map((protocol) => [protocol, new Engines(classes, protocol)]));
  return policyMaps.flatMap((policy) =>
    policy.classes.flatMap(({ name, actions }) =>
      actions.flatMap((words) => {
        const [action, protocol = '', service = ''] = words;
        if (action !== 'service-policy' || engines.get(protocol)?.of(name) !== 'tcp') return [];
        const message = `% notice: class ${name} matches tcp before ${protocol}: service-policy ${protocol} ${service} reads nothing`;
        return [{ key: actionKey(policy.name, name, words), message }];
      }),
    ),
  );
}

/** What sessions of a protocol are read as by classes, as far as their conditions tell; each class is asked once. */
class Engines {
  readonly #classes: ReadonlyMap<string, ClassMap>;
  readonly #protocol: string;
  readonly #known = new Map<string, string | undefined>();

  constructor(classes: ReadonlyMap<string, ClassMap>, protocol: string) {
    this.#classes = classes;
    this.#protocol = protocol;
  }

  of(name: string, level = 1): string | undefined {
    const map = this.#classes.get(name);
    // Deeper than classes may be, and in circles, the configuration is an error anyway.
    if (map === undefined || this.#known.has(name) || level > CLASS_NESTING_LEVELS_MAX) return this.#known.get(name);
    this.#known.set(name, undefined);
    const engines = map.matches.flatMap(({ words: [kind, value = ''] }) => {
      if (kind === 'class-map') return this.of(value, level + 1) ?? [];
      if (kind !== 'protocol') return [];
      if (value === 'tcp') return ['tcp'];
      return value.replace('esmtp', 'smtp') === this.#protocol ? [this.#protocol] : [];
    });
    const engine = map.combine === 'match-all' && engines.includes(this.#protocol) ? this.#protocol : engines[0];
    this.#known.set(name, engine);
    return engine;
  }
}
