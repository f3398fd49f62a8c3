import { CLASS_CONDITIONS_MAX, CLASS_NESTING_LEVELS_MAX } from '../limits.ts';
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
  const own = new Map(classMaps.map((map) => [map.name, map.matches.length]));
  const extents = extentsOf(inner, own);
  return [
    ...circlesOf(inner, extents).map(([outer, name]) => ({
      key: matchKey(outer, ['class-map', name]),
      message:
        outer === name
          ? `%Error: class-map ${name} cannot contain itself`
          : `%Error: class-map ${name} contains class-map ${outer} and cannot be contained in it`,
    })),
    ...classMaps.flatMap((map) => {
      const message = extentMistake(inner.get(map.name) ?? [], map.name, extents);
      const { words } = map.matches.find((match) => match.words[0] === 'class-map') ?? map.matches[0] ?? { words: [] };
      return message === undefined || map.protocol !== undefined ? [] : [{ key: matchKey(map.name, words), message }];
    }),
  ];
}

/** What is walked for a class: levels of classes, itself included, and conditions, those within it each time. */
interface Extent {
  readonly levels: number;
  readonly conditions: number;
}

/** Told of the first class that is too much, and not of those around it. */
function extentMistake(
  inner: readonly string[],
  name: string,
  extents: ReadonlyMap<string, Extent>,
): string | undefined {
  const mistakeOf = (extent: Extent | undefined): string | undefined => {
    if (extent === undefined) return undefined;
    if (extent.levels > CLASS_NESTING_LEVELS_MAX) return `${CLASS_NESTING_LEVELS_MAX} levels of class-maps`;
    return extent.conditions > CLASS_CONDITIONS_MAX ? `${CLASS_CONDITIONS_MAX} conditions` : undefined;
  };
  const mistake = mistakeOf(extents.get(name));
  if (mistake === undefined || inner.some((one) => mistakeOf(extents.get(one)) !== undefined)) return undefined;
  return `%Error: class-map ${name} holds more than ${mistake}`;
}

type Nesting = ReadonlyMap<string, readonly string[]>;

/** Classes in a circle, or around one, have no entry. */
function extentsOf(inner: Nesting, own: ReadonlyMap<string, number>): ReadonlyMap<string, Extent> {
  const outer = reversed(inner);
  const waiting = new Map([...inner].map(([name, names]) => [name, names.length]));
  const extents = new Map<string, Extent>();
  const ready = [...inner].flatMap(([name, names]) => (names.length === 0 ? [name] : []));
  for (let name = ready.pop(); name !== undefined; name = ready.pop()) {
    let [levels, conditions] = [0, own.get(name) ?? 0];
    for (const one of inner.get(name) ?? []) {
      levels = Math.max(levels, extents.get(one)?.levels ?? 0);
      conditions += extents.get(one)?.conditions ?? 0;
    }
    extents.set(name, { levels: levels + 1, conditions });
    for (const around of outer.get(name) ?? []) {
      const left = (waiting.get(around) ?? 0) - 1;
      waiting.set(around, left);
      if (left === 0) ready.push(around);
    }
  }
  return extents;
}

/** One pair [outer, inner] for each class that leads back to itself: its first condition that does. */
function circlesOf(inner: Nesting, extents: ReadonlyMap<string, Extent>): readonly (readonly [string, string])[] {
  const left = new Map([...inner].filter(([name]) => !extents.has(name)));
  const within: Nesting = new Map([...left].map(([name, names]) => [name, names.filter((one) => left.has(one))]));
  // What remains contains a circle; seen from the inside, what no circle leads to falls away too.
  const leading = extentsOf(reversed(within), new Map());
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
