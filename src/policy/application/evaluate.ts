/** The classes of a program, tried at one event (cisco-ios 3.9, D-45, D-46). */
import type { Action } from '../../inspect/inspector.ts';
import type { PolicyHit } from '../../inspect/policy-hit.ts';
import type { Reason } from '../../inspect/reasons.ts';
import { hitOf, reasonOf } from './hits.ts';
import { isLatched, type PolicyMemory, withLatches, withTold } from './memory.ts';
import { holds, type JudgedBy, type Occurrence } from './occurrence.ts';
import type { ProgramClass, ProgramCondition } from './program.ts';

export interface Judgement {
  readonly memory: PolicyMemory;
  /** `classMatched` of each class that matched, and what the deciding one has done beside: `learn`. */
  readonly actions: readonly Action[];
  /** Why the session is refused; undefined: it goes on. */
  readonly refusal: Reason | undefined;
}

/** What came of trying the classes in order. */
interface Walk {
  readonly hits: readonly PolicyHit[];
  /** Classes that matched, shadow ones among them. */
  readonly matched: readonly ProgramClass[];
  /** The class that decides, with the condition that completed it. */
  readonly decided: { readonly entry: ProgramClass; readonly condition: ProgramCondition } | undefined;
}

/**
 * Judges a whole event. The first class in order whose condition holds supplies the actions; a class with `shadow` is
 * told, and takes the place of none.
 */
export function judge(occurrence: Occurrence, by: JudgedBy): Judgement {
  const { hits, matched, decided } = walk(occurrence, by);
  const held = by.program.latching.filter((condition) => holds(condition, occurrence, by) === 'yes');
  let memory = held.length === 0 ? by.memory : withLatches(by.memory, held);
  for (const { conditions } of matched) memory = withTold(memory, by.program, conditions);
  const told: readonly Action[] = hits.map((hit) => ({ kind: 'classMatched', hit }));
  const refusal = decided?.entry.actions.reset === true ? reasonOf(decided.condition) : undefined;
  return { memory, actions: [...told, ...learning(decided?.entry, memory)], refusal };
}

/** What the first octets of a line already decide: a refusal, or undefined for anything else. */
export function judgeHead(occurrence: Occurrence, by: JudgedBy): Omit<Judgement, 'memory'> | undefined {
  const { hits, decided } = walk(occurrence, by);
  if (decided?.entry.actions.reset !== true) return undefined;
  const told: readonly Action[] = hits.map((hit) => ({ kind: 'classMatched', hit }));
  return { actions: [...told, ...learning(decided.entry, by.memory)], refusal: reasonOf(decided.condition) };
}

/** Stops at the first class that decides, or of which it cannot be said yet. */
function walk(occurrence: Occurrence, by: JudgedBy): Walk {
  const hits: PolicyHit[] = [];
  const matched: ProgramClass[] = [];
  for (const entry of by.program.classes) {
    const found = matchOf(entry, occurrence, by);
    if (found === 'no') continue;
    if (found === 'unknown') {
      if (entry.actions.shadow) continue;
      break;
    }
    hits.push(hitOf(by.program, entry, found, occurrence));
    matched.push(entry);
    if (!entry.actions.shadow) return { hits, matched, decided: { entry, condition: found } };
  }
  return { hits, matched, decided: undefined };
}

/** The condition by which a class matches at this event. One without conditions matches nothing. */
function matchOf(
  { combine, conditions }: ProgramClass,
  occurrence: Occurrence,
  by: JudgedBy,
): ProgramCondition | 'no' | 'unknown' {
  let completing: ProgramCondition | undefined;
  let open = false;
  let mayComplete = false;
  for (const condition of conditions) {
    const truth = holds(condition, occurrence, by);
    if (truth === 'yes') {
      if (combine === 'match-any') return condition;
      completing ??= condition;
    } else if (combine === 'match-any') {
      open ||= truth === 'unknown';
    } else if (isLatched(condition, by.program, by.memory)) {
      mayComplete ||= truth === 'unknown';
    } else if (truth === 'no') {
      return 'no';
    } else {
      open = true;
    }
  }
  if (open) return 'unknown';
  return completing ?? (mayComplete ? 'unknown' : 'no');
}

/** Nobody learns a bounce: its null path is no address, and its client an honest server as a rule. */
function learning(entry: ProgramClass | undefined, { message }: PolicyMemory): readonly Action[] {
  const learn = entry?.actions.learn;
  const sender = message?.sender;
  if (learn === undefined || sender === undefined || sender === '') return [];
  return [{ kind: 'learn', sender, ...learn }];
}
