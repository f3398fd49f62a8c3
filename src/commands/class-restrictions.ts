import type { ClassMap } from '../policy/configuration.ts';

/**
 * R1 and R2: in a match-all SMTP class a command's length goes together with a command's verb only, and the other way
 * round. Answers the message when the new condition may not join the class.
 */
export function matchConflict(map: ClassMap, words: readonly string[]): string | undefined {
  if (map.protocol !== 'smtp' || map.combine !== 'match-all') return undefined;
  for (const match of map.matches) {
    const kinds = [kindOf(match.words), kindOf(words)];
    if (kinds.includes('length') && kinds.some((kind) => kind === 'other')) return lengthMessage(map.name);
    if (kinds.includes('verb') && !kinds.includes('length')) return verbMessage(map.name);
  }
  return undefined;
}

/** R4: what `mask` can overwrite. */
export function isMaskable(words: readonly string[]): boolean {
  return kindOf(words) === 'verb' || (words[0] === 'reply' && words[1] === 'ehlo');
}

export function maskMessage(className: string): string {
  return `% action 'mask' requires a class with only 'match cmd verb' or 'match reply ehlo' (class ${className})`;
}

function kindOf(words: readonly string[]): 'verb' | 'length' | 'other' {
  if (words[0] !== 'cmd') return 'other';
  return words[1] === 'verb' ? 'verb' : 'length';
}

function lengthMessage(name: string): string {
  return `% 'match cmd line length' can be combined only with 'match cmd verb' in match-all class-map ${name}`;
}

function verbMessage(name: string): string {
  return `% 'match cmd verb' can be combined only with 'match cmd line length' in match-all class-map ${name}`;
}
