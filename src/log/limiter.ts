import { LOG_MESSAGES_A_WINDOW_MAX, LOG_WINDOW_MS } from './limits.ts';
import { MESSAGES, type MessageId } from './messages.ts';

/** What was left out of the log in a window that is over. */
export interface Suppression {
  readonly kind: MessageId;
  readonly count: number;
  readonly seconds: number;
}

interface Window {
  startedMs: number;
  written: number;
  suppressed: number;
}

/**
 * Bounds how much a peer can write into the log: of every limited kind the first messages of a window pass, the rest
 * are counted. Memory is one window a kind, however many peers there are.
 */
export class MessageLimiter {
  readonly #windows = new Map<MessageId, Window>();

  /** Whether to write this one. */
  admit(id: MessageId, nowMs: number): boolean {
    if (!MESSAGES[id].limited) return true;
    const window = this.#windows.get(id);
    if (window === undefined) {
      this.#windows.set(id, { startedMs: nowMs, written: 1, suppressed: 0 });
      return true;
    }
    if (window.written < LOG_MESSAGES_A_WINDOW_MAX) {
      window.written += 1;
      return true;
    }
    window.suppressed += 1;
    return false;
  }

  /** Ends the windows that are over (all of them with `everything`) and answers what they left out. */
  takeDue(nowMs: number, everything = false): readonly Suppression[] {
    const due: Suppression[] = [];
    for (const [kind, window] of this.#windows) {
      const ageMs = nowMs - window.startedMs;
      // A clock set back must not silence a kind of message for longer than a window.
      if (!everything && ageMs >= 0 && ageMs < LOG_WINDOW_MS) continue;
      this.#windows.delete(kind);
      if (window.suppressed > 0) {
        due.push({ kind, count: window.suppressed, seconds: Math.max(1, Math.round(ageMs / 1000)) });
      }
    }
    return due;
  }
}
