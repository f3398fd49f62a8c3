import type { ClassMap, Configuration, ParameterMap } from '../configuration.ts';
import { type EngineExpression, engineExpression, type PatternFlavour } from '../pattern.ts';
import { type Condition, readCondition } from './conditions.ts';
import type { PatternPlan, PatternText, PatternUse } from './pattern-sets.ts';

/** One `pattern` line of a regex parameter-map, at one place of matching. */
export interface PatternOrigin {
  readonly map: string;
  /** As it was typed, without its quotes. */
  readonly pattern: string;
  /** Which character of it, from 0, an octet of the expression came from; undefined where that has none. */
  column(expressionColumn: number): number | undefined;
}

interface UsedMap {
  readonly use: PatternUse;
  readonly map: string;
}

/**
 * What the classes of application policies look for (cisco-ios 1.5, 1.7): each map compiled once for each place where a
 * class matches it. A map without patterns matches nothing and has no text.
 */
export function patternPlanOf(configuration: Configuration): PatternPlan {
  const used = usedMaps(configuration);
  const maps = [...new Set(used.map(({ map }) => map))];
  const ids = new Map(maps.map((map, index) => [map, index]));
  const uses: Partial<Record<PatternUse, PatternText[]>> = {};
  for (const { use, map } of used) {
    const id = ids.get(map) ?? 0;
    for (const { text, caseless } of textsOf(configuration, map, use)) {
      const texts = uses[use] ?? [];
      texts.push({ id, expression: text, caseless });
      uses[use] = texts;
    }
  }
  return { maps, uses };
}

/** Where a text of the plan was typed: for the message when the engine refuses it. */
export function patternOrigin(configuration: Configuration, use: PatternUse, index: number): PatternOrigin | undefined {
  const texts = usedMaps(configuration)
    .filter((used) => used.use === use)
    .flatMap(({ map }) => textsOf(configuration, map, use).map((text) => ({ map, ...text })));
  const found = texts[index];
  if (found === undefined) return undefined;
  return { map: found.map, pattern: found.pattern, column: (column) => found.origins[column] };
}

/** The place where a condition's map is held against a text; undefined for conditions without a map. */
export function patternUseOf(condition: Condition): UsedMap | undefined {
  switch (condition.kind) {
    case 'sender':
    case 'recipient':
    case 'header':
    case 'contentType':
      return { use: condition.kind, map: condition.map };
    case 'body':
      return { use: condition.decoded ? 'decoded' : 'body', map: condition.map };
    default:
      return undefined;
  }
}

/** Each map once a place, in the order in which policies come to them. */
function usedMaps(configuration: Configuration): readonly UsedMap[] {
  const used = new Map<string, UsedMap>();
  for (const { words } of applicationClasses(configuration).flatMap(({ matches }) => matches)) {
    const found = patternUseOf(readCondition(words));
    if (found !== undefined) used.set(`${found.use} ${found.map}`, found);
  }
  return [...used.values()];
}

function applicationClasses({ policyMaps, classMaps }: Configuration): readonly ClassMap[] {
  const byName = new Map(classMaps.map((map) => [map.name, map]));
  return policyMaps
    .filter(({ protocol }) => protocol !== undefined)
    .flatMap(({ protocol, classes }) =>
      classes.flatMap(({ name }) => {
        const map = byName.get(name);
        return map !== undefined && map.protocol === protocol ? [map] : [];
      }),
    );
}

interface TextOfMap extends EngineExpression {
  readonly pattern: string;
  readonly caseless: boolean;
}

function textsOf({ parameterMaps }: Configuration, name: string, use: PatternUse): readonly TextOfMap[] {
  const map = parameterMaps.find((candidate) => candidate.kind === 'regex' && candidate.name === name);
  if (map === undefined) return [];
  const caseless = map.lines.some(([word]) => word === 'ignore-case');
  return patternsOf(map).map((pattern) => ({ ...engineExpression(pattern, flavourOf(map), use), pattern, caseless }));
}

function flavourOf({ lines }: ParameterMap): PatternFlavour {
  const flavour = lines.find(([word]) => word === 'pattern-type')?.[1];
  return flavour === 'glob' || flavour === 'regex' ? flavour : 'auto';
}

function patternsOf({ lines }: ParameterMap): readonly string[] {
  return lines.flatMap(([word, text = '']) => (word === 'pattern' ? [text.replace(/^"(.*)"$/s, '$1')] : []));
}
