import type { Frame, Step } from './inspector.ts';
import type { Reason } from './reasons.ts';

/**
 * How lines may end (`line-endings`, ours). `strict`: with CRLF alone; a bare LF, a bare CR or a NUL is refused in what
 * client and server say. `normalize`: a bare LF ends a line for judging too, and goes on as it
 * came. `tolerant`: as `normalize`, and look-alikes of the end of data are overwritten instead of refused.
 */
export type LineEndings = 'strict' | 'normalize' | 'tolerant';

export type TextFrame = Extract<Frame, { kind: 'line' | 'partial' | 'overBudget' }>;

export interface LineFault {
  readonly reason: Extract<Reason, 'bare-line-feed' | 'bare-carriage-return' | 'nul'>;
  /** What of the line stands before the fault, and may be refused for something else first. */
  readonly head: string;
}

/**
 * The first octet of a line, or of its beginning, that peers may read as another end of it than CRLF. A CR at the end
 * of a line under way is left undecided; the octet behind it tells.
 */
export function findLineFault(frame: TextFrame): LineFault | undefined {
  const { text } = frame;
  const cr = text.indexOf('\r');
  const nul = text.indexOf('\0');
  const bareCr = cr >= 0 && (frame.kind === 'line' || cr < text.length - 1);
  if (bareCr && (nul < 0 || cr < nul)) return { reason: 'bare-carriage-return', head: text.slice(0, cr) };
  if (nul >= 0) return { reason: 'nul', head: text.slice(0, nul) };
  return frame.kind === 'line' && frame.end === 'bareLf' ? { reason: 'bare-line-feed', head: text } : undefined;
}

/**
 * The fault of a server's line for which it is refused: a client may read the rest behind a bare CR or a NUL as another
 * answer. A bare LF ends the line for us too, so that what follows is judged as an answer of its own; only `strict`
 * refuses it. Undefined where the line is fine.
 */
export function replyFault(frame: TextFrame, endings: LineEndings): JudgedFault | undefined {
  const fault = findLineFault(frame);
  if (fault === undefined || endings === 'strict') return fault;
  return fault.reason === 'bare-line-feed' ? undefined : { ...fault, reason: 'invalid-reply' };
}

/** The fault of a client's line: refused with `strict` alone. Control characters are the grammars' to refuse. */
export function commandFault(frame: TextFrame, endings: LineEndings): JudgedFault | undefined {
  return endings === 'strict' ? findLineFault(frame) : undefined;
}

export interface JudgedFault extends Pick<LineFault, 'head'> {
  readonly reason: Reason;
}

/** How a machine judges the beginning of a line, and how it refuses. */
export interface LineJudge<Result extends Step<unknown>> {
  judgeHead(head: Extract<Frame, { kind: 'partial' }>): Result;
  refuse(reason: Reason, byResponder: boolean): Result;
}

/**
 * The refusal of a line that peers may read as another one than we do; undefined where it is fine. What stands before
 * the fault may be refused for something else first.
 */
export function refuseLineFault<Result extends Step<unknown>>(
  frame: TextFrame,
  endings: LineEndings,
  judge: LineJudge<Result>,
): Result | undefined {
  const byResponder = frame.from === 'responder';
  const fault = byResponder ? replyFault(frame, endings) : commandFault(frame, endings);
  if (fault === undefined) return undefined;
  const before = judge.judgeHead({ kind: 'partial', from: frame.from, text: fault.head });
  return before.actions.some(({ kind }) => kind === 'refuse') ? before : judge.refuse(fault.reason, byResponder);
}
