/** A regular expression whose characters are octets. */
export interface PatternText {
  /** What a match is told as; several texts may share it. Absent: the index in the list. */
  readonly id?: number;
  readonly expression: string;
  /** Letters of ASCII match in both cases. */
  readonly caseless: boolean;
}

/** Where patterns are held against (cisco-ios 1.5): a set each, so that each text is scanned once for all policies. */
export type PatternUse = 'sender' | 'recipient' | 'header' | 'body' | 'decoded' | 'contentType';

/** What is to be compiled. The `id` of a text is the index of its parameter-map in `maps`. */
export interface PatternPlan {
  /** Names of the regex parameter-maps that classes use. */
  readonly maps: readonly string[];
  readonly uses: Readonly<Partial<Record<PatternUse, readonly PatternText[]>>>;
}

/** What was compiled: the number of each set (src/native/addon.ts, compilePatterns). Plain data: posted to workers. */
export interface PatternSets {
  readonly maps: readonly string[];
  readonly sets: Readonly<Partial<Record<PatternUse, number>>>;
}

export const NO_PATTERNS: PatternSets = { maps: [], sets: {} };
