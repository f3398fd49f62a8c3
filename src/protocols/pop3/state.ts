import type { Fact } from '../../inspect/facts.ts';
import type { Side } from '../../inspect/inspector.ts';
import type { LineEndings } from '../../inspect/line-ends.ts';
import type { Effect } from './grammar.ts';

export interface Pop3Policy {
  /** Refuse a login that would send its secret in clear. */
  readonly secureLogin: boolean;
  /** Refuse by RST to both peers rather than in the protocol's words. */
  readonly reset: boolean;
  /** `pass`: a command that is unknown or out of state goes on where its answer can be followed. Absent: `refuse`. */
  readonly invalidCommand?: 'refuse' | 'pass';
  /** Absent: `normalize`. */
  readonly lineEndings?: LineEndings;
  /** No login before TLS (`require-tls login`). Absent: it may come. */
  readonly requireTls?: boolean;
  /** The name in the words of a refusal. */
  readonly hostname: string;
}

/** A command that was forwarded and not yet answered: what its answer looks like and what it does. */
export interface Unanswered {
  readonly multi: boolean;
  readonly onOk: Effect;
  /** An AUTH command may be answered by challenges first (RFC 5034 4). */
  readonly challenges: boolean;
  /** Nothing of its exchange has been said: no initial response, and no challenge yet. */
  readonly awaitsChallenge?: boolean;
  /** Its listing names the server's extensions. */
  readonly capabilities?: boolean;
}

export type StlsOffer = Exclude<Extract<Fact, { kind: 'starttls' }>['offer'], 'refused'>;

export interface Authorization {
  readonly at: 'AUTHORIZATION';
  /** Oldest first, at most UNANSWERED_COMMANDS_MAX. Only the last can be one that pauses the initiator. */
  readonly unanswered: readonly Unanswered[];
  /** Inside a multi-line answer, up to the line with a lone dot. */
  readonly inListing: boolean;
  /** What a listing of capabilities, as far as it has come, says of STLS; undefined in any other. */
  readonly stls: StlsOffer | undefined;
  /** The server has sent a challenge and waits for the client's response. */
  readonly challenged: boolean;
  /** QUIT went before: only what leads to a new authentication may follow. */
  readonly ended: boolean;
  /** The responder's side is still opaque (QUIT came after authentication) and has to be read again. */
  readonly responderOpaque: boolean;
  /** A login was just refused: a client that did not wait may go on with its secret, which no alert may quote. */
  readonly secretMayFollow: boolean;
  /** A USER went before: the login in clear was told of with it. */
  readonly userTold: boolean;
}

export type Pop3State =
  | { readonly at: 'GREETING' }
  | Authorization
  /** The go-ahead for TLS was given; `awaits` has to send its hello. */
  | { readonly at: 'TLS_HELLO'; readonly awaits: Side }
  | { readonly at: 'ENCRYPTED' }
  | { readonly at: 'TRANSACTION' }
  /** The server greeted with -ERR. */
  | { readonly at: 'CLOSED' };

export const AUTHORIZATION: Authorization = {
  at: 'AUTHORIZATION',
  unanswered: [],
  inListing: false,
  stls: undefined,
  challenged: false,
  ended: false,
  responderOpaque: false,
  secretMayFollow: false,
  userTold: false,
};

/** Whether the initiator waits, because the answer decides how its next octets are to be read. */
export function isInitiatorPaused(state: Authorization): boolean {
  const last = state.unanswered.at(-1);
  return last !== undefined && last.onOk !== 'nothing' && !state.challenged;
}
