import { COUNTED_RULES_MAX } from '../limits.ts';

/**
 * Counters of open sessions that the main thread made and all workers share: a row a worker, in it one Int32 for all
 * sessions and one for each rule's place. A worker writes its own row only, so the sessions of a worker that died are
 * forgotten with its row.
 */
export interface SessionCounts {
  readonly buffer: SharedArrayBuffer;
  readonly workers: number;
}

/** `sessions maximum`, and each rule's place and `parameter max-sessions`. `Infinity` is unlimited. */
export interface SessionLimitLayout {
  readonly maximum: number;
  readonly rules: readonly { readonly rule: string; readonly place: number; readonly maximum: number }[];
}

const COLUMNS = 1 + COUNTED_RULES_MAX;
/** The column of all sessions; a rule's is its place. */
const ALL = 0;

export function makeSessionCounts(workers: number): SessionCounts {
  return { buffer: new SharedArrayBuffer(workers * COLUMNS * Int32Array.BYTES_PER_ELEMENT), workers };
}

/** Sessions of all workers in this column: a rule's place, or 0 for all. */
export function countSessions({ buffer, workers }: SessionCounts, column: number): number {
  const counts = new Int32Array(buffer);
  let sum = 0;
  for (let row = 0; row < workers; row += 1) sum += Atomics.load(counts, row * COLUMNS + column);
  return sum;
}

/** One worker's way to the shared counters. What is never configured costs nothing but the counting. */
export class SessionLimits {
  readonly #shared: SessionCounts;
  readonly #counts: Int32Array;
  readonly #row: number;
  readonly #places = new Map<string, number>();
  #maximum = Number.POSITIVE_INFINITY;
  #ruleMaximum: ReadonlyMap<string, number> = new Map();

  /** Begins with nothing open: sessions of an earlier worker of this number are over. */
  constructor(shared: SessionCounts, worker: number, layout: SessionLimitLayout) {
    this.#shared = shared;
    this.#counts = new Int32Array(shared.buffer);
    this.#row = worker * COLUMNS;
    for (let column = 0; column < COLUMNS; column += 1) Atomics.store(this.#counts, this.#row + column, 0);
    this.configure(layout);
  }

  /** New limits for sessions that open from now on. A rule that is gone keeps its place for the sessions it has. */
  configure({ maximum, rules }: SessionLimitLayout): void {
    this.#maximum = maximum;
    this.#ruleMaximum = new Map(rules.map((entry) => [entry.rule, entry.maximum]));
    const given = new Set(rules.map(({ place }) => place));
    for (const [rule, place] of this.#places) if (given.has(place)) this.#places.delete(rule);
    for (const { rule, place } of rules) this.#places.set(rule, place);
  }

  /**
   * Counts a session of this rule. False, and nothing counted, when there are as many as may be: of the rule, or of
   * all. Two workers that ask at the same moment may both be refused the last one; more than the limit never open.
   */
  open(rule: string): boolean {
    if (!this.#add(ALL, this.#maximum)) return false;
    const place = this.#places.get(rule);
    if (place === undefined || this.#add(place, this.#ruleMaximum.get(rule) ?? Number.POSITIVE_INFINITY)) return true;
    this.#subtract(ALL);
    return false;
  }

  /** The session is over. Call it once for each open() that was granted. */
  close(rule: string): void {
    this.#subtract(ALL);
    const place = this.#places.get(rule);
    if (place !== undefined) this.#subtract(place);
  }

  #add(column: number, maximum: number): boolean {
    Atomics.add(this.#counts, this.#row + column, 1);
    if (maximum === Number.POSITIVE_INFINITY || countSessions(this.#shared, column) <= maximum) return true;
    this.#subtract(column);
    return false;
  }

  /** Only this worker writes its row, so nothing comes between the two steps. */
  #subtract(column: number): void {
    if (Atomics.load(this.#counts, this.#row + column) > 0) Atomics.sub(this.#counts, this.#row + column, 1);
  }
}
