import type { Configuration, PolicyClass, PolicyMap } from '../policy/configuration.ts';
import { isMaskable, maskMessage } from './class-restrictions.ts';

/** What may stand together in a class of a policy (cisco-ios 2), in the words of D-15. */

const EXCLUSIVE: readonly string[] = ['inspect', 'pass', 'drop'];
const SMTP_ONLY: readonly string[] = ['mask', 'learn'];
/** A class that allows does nothing further (D-14): these would. */
const NOT_WITH_ALLOW: readonly string[] = ['reset', 'mask'];
/** What an administrator would miss where it is not done; `class-default` of an application policy allows (D-45). */
const CARRIED_OUT: readonly string[] = ['reset', 'mask', 'learn'];
const NEED_INSPECT: readonly string[] = ['police', 'service-policy'];

/** The message when an action may not join the other actions of a class, or its policy. */
export function actionConflict(
  configuration: Configuration,
  map: PolicyMap,
  entry: PolicyClass,
  words: readonly string[],
): string | undefined {
  return map.protocol === undefined
    ? layer4Conflict(configuration, map, entry, words)
    : applicationConflict(configuration, map, entry, words);
}

/** R10, from the side of the action that the others need: the message when `inspect` may not leave the class. */
export function removalConflict(entry: PolicyClass, removed: string): string | undefined {
  const needing = entry.actions.find(([action = '']) => NEED_INSPECT.includes(action))?.[0];
  return removed === 'inspect' && needing !== undefined ? inspectMessage(needing, entry.name) : undefined;
}

/** The action that a policy for the router itself may not have (cisco-ios 1.10), and where it stands. */
export function actionNotForSelf(map: PolicyMap): { readonly action: string; readonly className: string } | undefined {
  for (const { name: className, actions } of map.classes) {
    const found = actions.find(([action = '']) => NEED_INSPECT.includes(action));
    if (found?.[0] !== undefined) return { action: found[0], className };
  }
  return undefined;
}

/** R10, R11, and what policies of zone `self` may not do. */
function layer4Conflict(
  { zonePairs }: Configuration,
  map: PolicyMap,
  entry: PolicyClass,
  [action = '']: readonly string[],
): string | undefined {
  const present = entry.actions.map(([other = '']) => other);
  const rival = present.find((other) => EXCLUSIVE.includes(other));
  if (EXCLUSIVE.includes(action) && rival !== undefined) {
    return `%Error: action '${action}' cannot be combined with action '${rival}' in class ${entry.name}`;
  }
  if (!NEED_INSPECT.includes(action)) return undefined;
  if (!present.includes('inspect')) return inspectMessage(action, entry.name);
  const pair = zonePairs.find(
    ({ policy, source, destination }) => policy === map.name && [source, destination].includes('self'),
  );
  if (pair === undefined) return undefined;
  return `%Error: action '${action}' cannot be used in policy-map ${map.name}: zone-pair ${pair.name} applies it to self`;
}

/** R4 from the side of the action, and actions that say the opposite of each other. */
function applicationConflict(
  { classMaps }: Configuration,
  map: PolicyMap,
  entry: PolicyClass,
  [action = '']: readonly string[],
): string | undefined {
  if (SMTP_ONLY.includes(action) && map.protocol !== 'smtp') {
    return `%Error: action '${action}' is for policy-maps of type smtp, not ${map.protocol} (class ${entry.name})`;
  }
  const opposite = entry.actions.find(([other = '']) => excludes(action, other) || excludes(other, action))?.[0];
  if (opposite !== undefined) {
    return `%Error: action '${action}' cannot be combined with action '${opposite}' in class ${entry.name}`;
  }
  if (entry.name === 'class-default' && CARRIED_OUT.includes(action)) {
    return `%Error: action '${action}' has no effect in class class-default of policy-map ${map.name}, which allows`;
  }
  if (action !== 'mask') return undefined;
  const found = classMaps.find((candidate) => candidate.name === entry.name);
  return (found?.matches.every((match) => isMaskable(match.words)) ?? true) ? undefined : maskMessage(entry.name);
}

function excludes(allow: string, other: string): boolean {
  return allow === 'allow' && NOT_WITH_ALLOW.includes(other);
}

function inspectMessage(action: string, className: string): string {
  return `%Error: ${action} requires inspect in class ${className}`;
}
