/** Capacities of the log, with their units. */

/** Messages of one limited kind that are written in a window; the rest of the window is counted and summarised. */
export const LOG_MESSAGES_A_WINDOW_MAX = 50;
export const LOG_WINDOW_MS = 10_000;
/** Longer text from the wire is cut; what was cut is marked with three dots. */
export const LOG_TEXT_CHARACTERS_MAX = 256;
