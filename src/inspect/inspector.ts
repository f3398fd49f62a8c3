import type { Alert } from './alerts.ts';
import type { ContentFact, Fact } from './facts.ts';
import type { PolicyHit } from './policy-hit.ts';
import type { Reason } from './reasons.ts';
import type { TlsHello } from './tls-hello.ts';

/** Who sent the bytes: the peer whose SYN opened the connection, or the peer that answered it. */
export type Side = 'initiator' | 'responder';

/**
 * How a line ended on the wire. A bare CR ends nothing: it stays in the text, where grammars find it as a control
 * character. A bare LF does end a line, because every mail server measured executes a line that ends so.
 */
export type LineEnd = 'crlf' | 'bareLf';

/**
 * One unit of protocol that the native framer cut from the reassembled stream. Text is latin-1: one character an octet,
 * without the line end.
 */
export type Frame =
  /** A whole line. It is forwarded, masked or refused now; until then its last octet is held. */
  | { readonly kind: 'line'; readonly from: Side; readonly text: string; readonly end: LineEnd }
  /**
   * The line so far, asked when a packet ends inside it. The answer must follow from `text` alone and agree with
   * what the longer line will get: forward what can still become a permitted line, mask or refuse as soon as it
   * cannot. A step on a partial frame returns the state it was given.
   */
  | { readonly kind: 'partial'; readonly from: Side; readonly text: string }
  /** A counted run (IMAP literal, BDAT chunk) came to its end; lines follow. Its octets were forwarded as they came. */
  | { readonly kind: 'countedEnd'; readonly from: Side; readonly bytes: number }
  /**
   * Message data came to its CRLF.CRLF, which is still held; lines follow. `bytes` counts all of it, the end
   * included.
   */
  | { readonly kind: 'dataEnd'; readonly from: Side; readonly bytes: number }
  /**
   * A line end, a dot and a line end that some servers take for the end of data and others do not; with `tolerant`
   * already the dot, where the line end before it is none by RFC 5321. Its last octet is still held. `mendable`: it is
   * harmless once that octet is overwritten (`mask` of one octet at 0, then `forward`); the message goes on behind it.
   */
  | { readonly kind: 'endOfDataLookAlike'; readonly from: Side; readonly mendable?: boolean }
  /**
   * The first octets where TLS begins: a whole hello of this side (client or server), told at its last octet, or
   * something else, told at the first octet that cannot be part of one. That octet is still held; those before it
   * went ahead, or a client that waits for their acknowledgement would stall. `hello`: what a well-formed one says.
   * `alert`: it is no hello but an alert in a record of its own, where one was allowed.
   */
  | {
      readonly kind: 'tlsStart';
      readonly from: Side;
      readonly wellFormed: boolean;
      readonly hello?: TlsHello;
      readonly alert?: boolean;
    }
  /**
   * The walk over the message found something in octets that are still held, in the order in which it stands there;
   * `finished`: asked for by `content` `finish`, told even when nothing was found. Never the machines' own: only a
   * policy that asked for content sees it, and answers `forward` or `refuse`.
   */
  | {
      readonly kind: 'content';
      readonly from: Side;
      readonly facts: readonly ContentFact[];
      readonly finished: boolean;
    }
  /** The budget of the current framing is used up. `text` is the line's head, empty for other framings. */
  | { readonly kind: 'overBudget'; readonly from: Side; readonly budgetBytes: number; readonly text: string };

/**
 * How the framer must cut what a side sends next, from the end of the frame being answered.
 *
 * - `lines`: up to LF. A line over `budgetBytes` gives `overBudget`; with `tolerant` it is forwarded as it comes and
 *   only its first `budgetBytes` and last 64 octets reach the machine, joined, as the text of the line.
 * - `counted`: `bytes` octets, forwarded as they come, then `countedEnd` and lines again with the budget that stood
 *   before.
 * - `mailData`: message text up to CRLF.CRLF (RFC 5321 4.1.1.4), forwarded as it comes, `overBudget` past
 *   `budgetBytes`. `tolerant`: a look-alike is told where it can still be overwritten.
 * - `tls`: one `tlsStart`, asked as soon as it can be told (a hello over 16,384 octets is none). `alerts`: an alert may
 *   come in its place.
 * - `opaque`: nothing is seen any more; TCP is still tracked.
 */
export type FrameMode =
  | { readonly kind: 'lines'; readonly budgetBytes: number; readonly tolerant?: boolean }
  | { readonly kind: 'counted'; readonly bytes: number }
  | { readonly kind: 'mailData'; readonly budgetBytes: number; readonly tolerant?: boolean }
  | { readonly kind: 'tls'; readonly alerts?: boolean }
  | { readonly kind: 'opaque' };

/** What an inspector asks of the engine, carried out in order. It performs nothing itself. */
export type Action =
  /** Release everything of this side up to the end of the frame (for `partial`: up to the last octet seen). */
  | { readonly kind: 'forward' }
  /**
   * Overwrite octets of the frame's text, `start` counted from the line's first octet, before it is forwarded.
   * Octets of the line that an earlier partial answer let pass are left as they went: ask for the whole range, the
   * engine clips.
   */
  | {
      readonly kind: 'mask';
      readonly start: number;
      readonly length: number;
      readonly fill: 'x' | 'X' | ' ';
      readonly what: string;
    }
  /**
   * Swallow the frame and end the session (design.md, refusing well). `reset`: RST to both peers. `words`: RST to
   * the responder; `words` (whole lines with CRLF) then FIN to the initiator, after the end of the message data or
   * counted run it is in the middle of.
   */
  | { readonly kind: 'refuse'; readonly reason: Reason; readonly how: 'words'; readonly words: string }
  | { readonly kind: 'refuse'; readonly reason: Reason; readonly how: 'reset' }
  /** Cut and judge nothing more of `side` until `resume`; its bytes are held. A paused side is never presented. */
  | { readonly kind: 'pause'; readonly side: Side }
  | { readonly kind: 'resume'; readonly side: Side }
  | { readonly kind: 'frameAs'; readonly from: Side; readonly mode: FrameMode }
  /**
   * `tls`: both sides become opaque. `authenticated`: the responder's side becomes opaque; both may leave the queue.
   */
  | { readonly kind: 'stopInspecting'; readonly because: 'authenticated' | 'tls' }
  /** Takes `stopInspecting` back: both sides are framed as lines again from the next octet. */
  | { readonly kind: 'inspectAgain' }
  | { readonly kind: 'alert'; readonly alert: Alert }
  /**
   * The walk over the initiator's mail data, by the content plan of the session's policy
   * (native/engine/content_scan.h).
   * `beginData`, `beginChunks`: octets of `mailData`, of `counted` framings go through it from the next one on, until
   * `finish`, which has the rest told in a `content` frame while the frame being answered stays held, or `drop`.
   */
  | { readonly kind: 'content'; readonly what: 'beginData' | 'beginChunks' | 'finish' | 'drop' }
  /** A class of the application policy matched: counted, and logged where the hit says so. */
  | { readonly kind: 'classMatched'; readonly hit: PolicyHit }
  /** The action `learn`: the sender goes into the store with its domain and the initiator's address. */
  | { readonly kind: 'learn'; readonly sender: string; readonly minutes?: number };

export interface Step<State> {
  readonly state: State;
  readonly actions: readonly Action[];
  /** In the order in which they happened. Absent: none. */
  readonly facts?: readonly Fact[];
}

/**
 * A protocol as the engine sees it. Pure: no clock, socket, log or `this`; a bad line is a `refuse`, never an
 * exception. The engine frames both sides as lines with `lineBytesMax` to begin with.
 */
export interface Inspector<State, Policy> {
  readonly name: string;
  readonly initial: State;
  /** Line budget at the start, a side each, in octets without the line end. */
  readonly lineBytesMax: { readonly initiator: number; readonly responder: number };
  /** Carried out when the session is established: where it does not begin with lines. */
  readonly begin?: readonly Action[];
  step(state: State, frame: Frame, policy: Policy): Step<State>;
  /** One word for `show`: where the session stands, in the protocol's own terms. */
  stage(state: State): string;
}

/** Fails to compile when a union member is left out of a switch. */
export function unreachable(value: never): never {
  throw new Error(`unhandled case: ${JSON.stringify(value)}`);
}
