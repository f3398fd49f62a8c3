import type { Condition } from './conditions.ts';
import type { ProgramClass } from './program.ts';

/**
 * The class that decides an event of which nothing but this condition holds: the first in order that needs no other. A
 * shadow class decides nothing. What machines carry out by themselves, as the octets arrive, follows from it.
 */
export function decidesAlone(classes: readonly ProgramClass[], condition: Condition): ProgramClass | undefined {
  return classes.find(({ combine, conditions, actions }) => {
    if (actions.shadow) return false;
    if (combine === 'match-any') return conditions.some((own) => isSame(own, condition));
    return conditions.length > 0 && conditions.every((own) => isSame(own, condition));
  });
}

function isSame(one: Condition, other: Condition): boolean {
  if (one.kind === 'verb') return other.kind === 'verb' && one.verb === other.verb;
  if (one.kind === 'ehloKeyword') return other.kind === 'ehloKeyword' && one.keyword === other.keyword;
  return one.kind === other.kind && (one.kind === 'invalidCommand' || one.kind === 'clearTextLogin');
}
