import type { Condition } from './conditions.ts';
import type { PatternSets } from './pattern-sets.ts';
import { patternUseOf } from './patterns.ts';

/** What a packet loop looks for in message content (native/engine/content_plan.h). Sets by their number. */
export interface ContentPlan {
  readonly header?: number;
  readonly body?: number;
  readonly decoded?: number;
  readonly contentType?: number;
  readonly encodings: boolean;
  readonly headerLengths: readonly number[];
  readonly dataLengths: readonly number[];
}

type ContentUse = 'header' | 'body' | 'decoded' | 'contentType';
const CONTENT_USES: readonly ContentUse[] = ['header', 'body', 'decoded', 'contentType'];

/** What these conditions want to know of messages; undefined when that is nothing. */
export function contentPlanOf(conditions: readonly Condition[], { sets }: PatternSets): ContentPlan | undefined {
  const used = new Set(conditions.map((condition) => patternUseOf(condition)?.use));
  const plan: { -readonly [Key in keyof ContentPlan]: ContentPlan[Key] } = {
    encodings: conditions.some(({ kind }) => kind === 'encoding'),
    headerLengths: lengths(conditions, 'headerLength'),
    dataLengths: lengths(conditions, 'dataLength'),
  };
  for (const use of CONTENT_USES) {
    const set = sets[use];
    // A use without a set is one of maps that have no patterns: they match nothing.
    if (used.has(use) && set !== undefined) plan[use] = set;
  }
  const patterns = CONTENT_USES.some((use) => plan[use] !== undefined);
  const other = plan.encodings || plan.headerLengths.length > 0 || plan.dataLengths.length > 0;
  return patterns || other ? plan : undefined;
}

/** Rising, each once. */
function lengths(conditions: readonly Condition[], kind: 'headerLength' | 'dataLength'): readonly number[] {
  const found = conditions.flatMap((condition) => (condition.kind === kind ? [condition.over] : []));
  return [...new Set(found)].sort((one, other) => one - other);
}
