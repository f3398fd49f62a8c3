import type { Configuration, PolicyMap } from '../policy/configuration.ts';
import { matchKey } from './config-class-map.ts';
import { ruleUseKey } from './config-interface.ts';
import { actionKey, classUseKey } from './config-policy-map.ts';

/** Something that names what does not exist, or exists but does not fit. `key` finds the line that said so. */
export interface ReferenceError {
  readonly key: string;
  readonly message: string;
}

/** Checks what can only be known at the end: a file may name a map before it defines it. */
export function findReferenceErrors(configuration: Configuration): readonly ReferenceError[] {
  return [
    ...findMissingRules(configuration),
    ...findMissingInClasses(configuration),
    ...configuration.policyMaps.flatMap((map) => findMissingInPolicy(configuration, map)),
  ];
}

/** An interface whose rule is not there would let everything pass uninspected. */
function findMissingRules({ interfaces, rules }: Configuration): readonly ReferenceError[] {
  const names = new Set(rules.map((rule) => rule.name));
  return interfaces.flatMap(({ name, inspectIn, inspectOut }) =>
    [
      { rule: inspectIn, direction: 'in' },
      { rule: inspectOut, direction: 'out' },
    ].flatMap(({ rule, direction }) =>
      rule === undefined || names.has(rule)
        ? []
        : [{ key: ruleUseKey(name, direction), message: `% inspection rule ${rule} is not defined` }],
    ),
  );
}

function findMissingInClasses({ classMaps, parameterMaps }: Configuration): readonly ReferenceError[] {
  const patterns = new Set(parameterMaps.filter((map) => map.kind === 'regex').map((map) => map.name));
  const classes = new Set(classMaps.filter((map) => map.protocol === undefined).map((map) => map.name));
  return classMaps.flatMap((map) =>
    map.matches.flatMap(({ words }) => {
      const name = words.at(-1) ?? '';
      const key = matchKey(map.name, words);
      if (words.at(-2) === 'regex' && !patterns.has(name)) {
        return [{ key, message: `% parameter-map type regex ${name} is not defined` }];
      }
      if (words[0] === 'class-map' && name === map.name) return [{ key, message: '% a class cannot match itself' }];
      if (words[0] === 'class-map' && !classes.has(name))
        return [{ key, message: `% class-map ${name} is not defined` }];
      return [];
    }),
  );
}

function findMissingInPolicy(configuration: Configuration, map: PolicyMap): readonly ReferenceError[] {
  return map.classes.flatMap((entry) => {
    const found = configuration.classMaps.find((candidate) => candidate.name === entry.name);
    const key = classUseKey(map.name, entry.name);
    if (entry.name !== 'class-default' && found === undefined) {
      return [{ key, message: `% class-map ${entry.name} is not defined` }];
    }
    if (found !== undefined && found.protocol !== map.protocol) {
      const type = map.protocol === undefined ? 'layer 3/4' : map.protocol;
      return [{ key, message: `% class-map ${entry.name} is not of the type of policy-map ${map.name} (${type})` }];
    }
    return entry.actions.flatMap((words) => {
      const message = findActionError(configuration, entry.name, words);
      return message === undefined ? [] : [{ key: actionKey(map.name, entry.name, words), message }];
    });
  });
}

function findActionError(
  configuration: Configuration,
  className: string,
  words: readonly string[],
): string | undefined {
  const [action, second = '', name = ''] = words;
  if (action === 'inspect' && second !== '' && second !== 'global' && second !== 'default') {
    const known = configuration.parameterMaps.some((map) => map.kind === 'inspect' && map.name === second);
    return known ? undefined : `% parameter-map type inspect ${second} is not defined`;
  }
  if (action !== 'service-policy') return undefined;
  const policy = configuration.policyMaps.find((map) => map.name === name);
  if (policy === undefined) return `% policy-map type inspect ${second} ${name} is not defined`;
  if (policy.protocol !== second) return `% policy-map ${name} is not of type ${second}`;
  if (matchesProtocol(configuration, className, second, new Set())) return undefined;
  return `% service-policy ${second} requires 'match protocol ${second}' in class ${className}`;
}

/** R6; `visited` ends the walk where classes name each other in a circle. */
function matchesProtocol(
  configuration: Configuration,
  className: string,
  protocol: string,
  visited: Set<string>,
): boolean {
  if (visited.has(className)) return false;
  visited.add(className);
  const found = configuration.classMaps.find((map) => map.name === className);
  return (found?.matches ?? []).some(({ words: [kind, name = ''] }) =>
    kind === 'class-map'
      ? matchesProtocol(configuration, name, protocol, visited)
      : kind === 'protocol' && name === protocol,
  );
}
