/** Lines that one worker tells a second, for all debug streams together; a flood has more than anybody reads. */
export const DEBUG_LINES_A_SECOND_MAX = 20_000;
const WINDOW_MS = 1_000;

/** Bounds what a worker's debug lines cost: those beyond the bound are counted, and the number is told. */
export class DebugBudget {
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #told = 0;
  #dropped = 0;

  /** The lines that may be told at this time, with the note about those that were not. */
  admit(lines: readonly string[], nowMs: number): readonly string[] {
    const note = this.#turn(nowMs);
    const room = Math.max(0, DEBUG_LINES_A_SECOND_MAX - this.#told);
    const admitted = lines.slice(0, room);
    this.#told += admitted.length;
    this.#dropped += lines.length - admitted.length;
    return [...note, ...admitted];
  }

  #turn(nowMs: number): readonly string[] {
    const age = nowMs - this.#windowStartMs;
    // The time of a capture may jump back.
    if (age >= 0 && age < WINDOW_MS) return [];
    this.#windowStartMs = nowMs;
    this.#told = 0;
    const note = this.#dropped === 0 ? [] : [`CBAC: ${this.#dropped} debug lines dropped, too many a second`];
    this.#dropped = 0;
    return note;
  }
}
