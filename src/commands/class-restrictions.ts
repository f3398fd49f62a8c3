import type { ClassMap } from '../policy/configuration.ts';

/** What may stand together in a class of an application: R1 to R4 (cisco-ios 2), in the words of D-15. */

/**
 * R1 and R2: in a match-all SMTP class a command's length goes together with a command's verb only, and the other way
 * round. Answers the message when the new condition may not join the class.
 */
export function matchConflict(map: ClassMap, words: readonly string[]): string | undefined {
  if (map.protocol !== 'smtp' || map.combine !== 'match-all') return undefined;
  for (const match of map.matches) {
    const message = pairConflict(map.name, match.words, words);
    if (message !== undefined) return message;
  }
  return undefined;
}

/** R1 and R2 over a whole class: for one that was match-any and becomes match-all. */
export function combineConflict(map: ClassMap): string | undefined {
  for (const [index, { words }] of map.matches.entries()) {
    const message = matchConflict({ ...map, matches: map.matches.slice(0, index) }, words);
    if (message !== undefined) return message;
  }
  return undefined;
}

/** R4: what `mask` can overwrite. */
export function isMaskable(words: readonly string[]): boolean {
  return kindOf(words) === 'verb' || (words[0] === 'reply' && words[1] === 'ehlo');
}

export function maskMessage(className: string): string {
  return `%Error: action 'mask' requires a class with only 'match cmd verb' or 'match reply ehlo' (class ${className})`;
}

function pairConflict(name: string, left: readonly string[], right: readonly string[]): string | undefined {
  const kinds = [kindOf(left), kindOf(right)];
  if (kinds.every((kind) => kind === 'other')) return undefined;
  if (kinds.includes('length')) return kinds.includes('verb') ? undefined : lengthMessage(name);
  return verbMessage(name);
}

function kindOf(words: readonly string[]): 'verb' | 'length' | 'other' {
  if (words[0] !== 'cmd') return 'other';
  return words[1] === 'verb' ? 'verb' : 'length';
}

function lengthMessage(name: string): string {
  return `%Error: 'match cmd line length' can be combined only with 'match cmd verb' in match-all class-map ${name}`;
}

function verbMessage(name: string): string {
  return `%Error: 'match cmd verb' can be combined only with 'match cmd line length' in match-all class-map ${name}`;
}
