/** Capacities of the log, with their units. */

/** Messages of one limited kind that are written in a window; the rest of the window is counted and summarised. */
export const LOG_MESSAGES_A_WINDOW_MAX = 50;
export const LOG_WINDOW_MS = 10_000;
/** Longer text from the wire is cut; three dots mark it. */
export const LOG_WIRE_TEXT_CHARACTERS_MAX = 256;
/** Our own text: errors of a configuration, the state on SIGUSR1. */
export const LOG_OWN_TEXT_CHARACTERS_MAX = 8_192;
