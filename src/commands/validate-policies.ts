import type { ClassMap, Configuration, PolicyMap } from '../policy/configuration.ts';
import { actionKey, classUseKey } from './config-policy-map.ts';
import type { Finding } from './draft.ts';
import { nestedClasses } from './validate-classes.ts';

/** The names by which policies are checked, looked up once. */
interface Names {
  readonly classes: ReadonlyMap<string, ClassMap>;
  readonly policies: ReadonlyMap<string, PolicyMap>;
  readonly parameterMaps: ReadonlySet<string>;
}

/** The parameter maps that are there without a line (cisco-ios 1.4). */
const SYSTEM_PARAMETER_MAPS: readonly string[] = ['global', 'default'];

/** Policy-maps at the end of a file: classes and maps that they name are there and of the right type (R6, R16, R17). */
export function findPolicyErrors(configuration: Configuration): readonly Finding[] {
  const { classMaps, policyMaps, parameterMaps } = configuration;
  const inspect = parameterMaps.filter((map) => map.kind === 'inspect').map((map) => map.name);
  const names: Names = {
    classes: new Map(classMaps.map((map) => [map.name, map])),
    policies: new Map(policyMaps.map((map) => [map.name, map])),
    parameterMaps: new Set([...SYSTEM_PARAMETER_MAPS, ...inspect]),
  };
  return policyMaps.flatMap((map) => findErrorsInPolicy(names, map));
}

function findErrorsInPolicy(names: Names, map: PolicyMap): readonly Finding[] {
  return map.classes.flatMap((entry) => {
    const found = names.classes.get(entry.name);
    const key = classUseKey(map.name, entry.name);
    if (entry.name !== 'class-default' && found === undefined) {
      return [{ key, message: `% class-map ${entry.name} is not defined` }];
    }
    if (found !== undefined && found.protocol !== map.protocol) {
      const types = `${typeName(found.protocol)}, not of ${typeName(map.protocol)} like policy-map ${map.name}`;
      return [{ key, message: `%Error: class-map ${entry.name} is of ${types}` }];
    }
    if (map.protocol !== undefined) return [];
    return entry.actions.flatMap((words) => {
      const message = findActionError(names, entry.name, words);
      return message === undefined ? [] : [{ key: actionKey(map.name, entry.name, words), message }];
    });
  });
}

function typeName(protocol: PolicyMap['protocol']): string {
  return protocol === undefined ? 'layer 3/4' : `type ${protocol}`;
}

function findActionError(names: Names, className: string, words: readonly string[]): string | undefined {
  const [action, second = '', name = ''] = words;
  if (action === 'inspect' && second !== '' && !names.parameterMaps.has(second)) {
    // R11: `log` stands behind `drop` and `pass` only; here it can be nothing but the name of a map.
    return second === 'log'
      ? `%Error: 'log' can be combined only with action 'drop' or 'pass', not with 'inspect' (class ${className})`
      : `% parameter-map type inspect ${second} is not defined`;
  }
  if (action !== 'service-policy') return undefined;
  const policy = names.policies.get(name);
  if (policy === undefined) return `% policy-map type inspect ${second} ${name} is not defined`;
  if (policy.protocol !== second) {
    return `%Error: service-policy ${second} requires a policy-map of type ${second}: ${name} is of ${typeName(policy.protocol)}`;
  }
  if (matchesProtocol(names, className, second)) return undefined;
  return `%Error: service-policy ${second} ${name} requires 'match protocol ${second}' in class ${className}`;
}

/** R6; each class is visited once, so that classes which name each other in a circle end the walk. */
function matchesProtocol(names: Names, className: string, protocol: string): boolean {
  const visited = new Set([className]);
  for (const name of visited) {
    const map = names.classes.get(name);
    if (map?.protocol !== undefined) continue;
    const found = map?.matches.some(({ words }) => words[0] === 'protocol' && engineOf(words[1]) === protocol);
    if (found === true) return true;
    for (const inner of map === undefined ? [] : nestedClasses(map)) visited.add(inner);
  }
  return false;
}

/** `esmtp` is the same engine. */
function engineOf(protocol: string | undefined): string | undefined {
  return protocol === 'esmtp' ? 'smtp' : protocol;
}
