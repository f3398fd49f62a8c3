import type { PolicyClass, PolicyMap } from '../policy/configuration.ts';

const EXCLUSIVE: readonly string[] = ['inspect', 'pass', 'drop'];

/** R10, R11 and the limits of application policies: the message when an action may not join the class. */
export function actionConflict(map: PolicyMap, entry: PolicyClass, words: readonly string[]): string | undefined {
  const [action = ''] = words;
  if (map.protocol !== undefined) {
    return action === 'mask' && map.protocol !== 'smtp' ? "% action 'mask' is for smtp policies only" : undefined;
  }
  const present = entry.actions.map(([other = '']) => other);
  const rival = present.find((other) => EXCLUSIVE.includes(other));
  if (EXCLUSIVE.includes(action) && rival !== undefined) {
    return `% class ${entry.name} has the action ${rival} already, remove it first`;
  }
  if (action === 'police' || action === 'service-policy') {
    return present.includes('inspect') ? undefined : `% ${action} requires inspect in class ${entry.name}`;
  }
  return undefined;
}
