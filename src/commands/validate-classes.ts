import { CLASS_NESTING_LEVELS_MAX } from '../limits.ts';
import type { ClassMap, Configuration } from '../policy/configuration.ts';
import { accessListOf, patternMapOf } from './class-matches.ts';
import { matchKey } from './config-class-map.ts';
import type { Finding } from './draft.ts';

/** Class-maps at the end of a file: what their conditions name is there, and no class contains itself. */
export function findClassErrors(configuration: Configuration): readonly Finding[] {
  return [...findMissingInClasses(configuration), ...findNestingErrors(configuration)];
}

/** The classes of layer 3/4 inside of a class. */
export function nestedClasses(map: ClassMap): readonly string[] {
  if (map.protocol !== undefined) return [];
  return map.matches.flatMap(({ words: [kind, name = ''] }) => (kind === 'class-map' ? [name] : []));
}

function findMissingInClasses(configuration: Configuration): readonly Finding[] {
  const { classMaps, parameterMaps, accessLists } = configuration;
  const patterns = new Set(parameterMaps.filter((map) => map.kind === 'regex').map((map) => map.name));
  const lists = new Set(accessLists.map((list) => list.name));
  const classes = new Map(classMaps.map((map) => [map.name, map]));
  const mistakeOf = (map: ClassMap, words: readonly string[]): string | undefined => {
    if (map.protocol !== undefined) {
      const name = patternMapOf(words);
      return name === undefined || patterns.has(name) ? undefined : `% parameter-map type regex ${name} is not defined`;
    }
    const list = accessListOf(words);
    if (list !== undefined) return lists.has(list) ? undefined : `% access list ${list} is not defined`;
    const [kind, name = ''] = words;
    if (kind !== 'class-map') return undefined;
    const inner = classes.get(name);
    if (inner === undefined) return `% class-map ${name} is not defined`;
    if (inner.protocol === undefined) return undefined;
    return `%Error: class-map ${map.name} of layer 3/4 cannot contain class-map ${name} of type ${inner.protocol}`;
  };
  return classMaps.flatMap((map) =>
    map.matches.flatMap(({ words }) => {
      const message = mistakeOf(map, words);
      return message === undefined ? [] : [{ key: matchKey(map.name, words), message }];
    }),
  );
}

/** Circles, and classes deeper in each other than are walked for a packet. */
function findNestingErrors({ classMaps }: Configuration): readonly Finding[] {
  const names = new Set(classMaps.map((map) => map.name));
  const inner = new Map(classMaps.map((map) => [map.name, nestedClasses(map).filter((name) => names.has(name))]));
  const levels = levelsOf(inner);
  const tooDeep = [...levels].filter(([, level]) => level === CLASS_NESTING_LEVELS_MAX + 1);
  return [
    ...circlesOf(inner, levels).map(([outer, name]) => ({
      key: matchKey(outer, ['class-map', name]),
      message:
        outer === name
          ? `%Error: class-map ${name} cannot contain itself`
          : `%Error: class-map ${name} contains class-map ${outer} and cannot be contained in it`,
    })),
    ...tooDeep.map(([name]) => ({
      key: matchKey(name, ['class-map', inner.get(name)?.[0] ?? '']),
      message: `%Error: class-map ${name} holds more than ${CLASS_NESTING_LEVELS_MAX} levels of class-maps`,
    })),
  ];
}

type Nesting = ReadonlyMap<string, readonly string[]>;

/** How many levels of classes each holds, itself included; classes in a circle, or around one, have no entry. */
function levelsOf(inner: Nesting): ReadonlyMap<string, number> {
  const outer = reversed(inner);
  const waiting = new Map([...inner].map(([name, names]) => [name, names.length]));
  const levels = new Map<string, number>();
  const ready = [...inner].flatMap(([name, names]) => (names.length === 0 ? [name] : []));
  for (let name = ready.pop(); name !== undefined; name = ready.pop()) {
    const below = (inner.get(name) ?? []).map((one) => levels.get(one) ?? 0);
    levels.set(name, Math.max(0, ...below) + 1);
    for (const around of outer.get(name) ?? []) {
      const left = (waiting.get(around) ?? 0) - 1;
      waiting.set(around, left);
      if (left === 0) ready.push(around);
    }
  }
  return levels;
}

/** One pair [outer, inner] for each class that leads back to itself: its first condition that does. */
function circlesOf(inner: Nesting, levels: ReadonlyMap<string, number>): readonly (readonly [string, string])[] {
  const left = new Map([...inner].filter(([name]) => !levels.has(name)));
  const within: Nesting = new Map([...left].map(([name, names]) => [name, names.filter((one) => left.has(one))]));
  // What remains contains a circle; seen from the inside, what no circle leads to falls away too.
  const leading = levelsOf(reversed(within));
  return [...within].flatMap(([name, names]) => {
    const next = leading.has(name) ? undefined : names.find((one) => !leading.has(one));
    return next === undefined ? [] : [[name, next] as const];
  });
}

function reversed(nesting: Nesting): Nesting {
  const outer = new Map<string, string[]>([...nesting.keys()].map((name) => [name, []]));
  for (const [name, names] of nesting) for (const one of names) outer.get(one)?.push(name);
  return outer;
}
