import type { Namespace } from './namespaces.ts';
import { inRepository } from './repository.ts';

/** One step of a scripted client. Bytes are latin-1 text. */
export type Step =
  /** With `chunk`, the bytes go in writes of that size, each in a turn of its own or `gapMs` apart. */
  | { readonly send: string; readonly chunk?: number; readonly gapMs?: number }
  /** Waits until what came since the last expectation matches (multi-line regular expression). */
  | { readonly expect: string; readonly timeoutMs?: number }
  | { readonly sleepMs: number }
  /** Sends FIN. */
  | { readonly finish: true }
  | { readonly waitForEnd: true; readonly timeoutMs?: number };

export interface Script {
  readonly host: string;
  readonly port: number;
  /** Switches Nagle's algorithm off. */
  readonly noDelay?: boolean;
  readonly connectTimeoutMs?: number;
  readonly steps: readonly Step[];
}

export interface Talk {
  readonly received: string;
  /** Who said what, in the client's order of things. */
  readonly course: readonly { readonly from: 'client' | 'server'; readonly text: string }[];
  /** How the peer ended: `open` when it did not, else `fin`, `reset`, or the system's error name. */
  readonly end: string;
  /** The step that could not be carried out; absent when all were. */
  readonly stoppedAt?: number;
}

/** Carries the script out inside the namespace. Never fails on what the peer does: that is in the answer. */
export async function talk(from: Namespace, script: Script, timeoutMs = 60_000): Promise<Talk> {
  const program = [process.execPath, inRepository('test', 'lab', 'talker.mjs')];
  const output = await from.must(program, { input: JSON.stringify(script), timeoutMs });
  return JSON.parse(output) as Talk;
}

/** A line to send and the answer to wait for, over and over; CRLF is added. */
export function exchange(...pairs: readonly (readonly [line: string, answer: string])[]): Step[] {
  return pairs.flatMap(([line, answer]) => [{ send: `${line}\r\n` }, { expect: answer }]);
}

export interface CrowdResult {
  readonly completed: number;
  readonly failed: number;
  readonly heldAtOnce: number;
  readonly reasons: Readonly<Record<string, number>>;
}

export interface Crowd {
  readonly host: string;
  readonly port: number;
  readonly sessions: number;
  readonly parallel: number;
  /** All sessions stay open until each of them has been greeted. */
  readonly hold?: boolean;
}

/** Many small SMTP sessions: greeting, HELO, QUIT. */
export async function crowd(from: Namespace, of: Crowd, timeoutMs = 600_000): Promise<CrowdResult> {
  const words = [of.host, of.port, of.sessions, of.parallel].map(String);
  const program = [process.execPath, inRepository('test', 'lab', 'crowd.mjs'), ...words];
  if (of.hold === true) program.push('hold');
  return JSON.parse(await from.must(program, { timeoutMs })) as CrowdResult;
}
