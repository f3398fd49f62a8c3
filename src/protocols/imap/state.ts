import type { Side } from '../../inspect/inspector.ts';
import type { LineEndings } from '../../inspect/line-ends.ts';
import type { Place } from './arguments.ts';
import type { Effect } from './grammar.ts';
import { NO_OFFERS, type Offers } from './offers.ts';

export interface ImapPolicy {
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

/** A command that was forwarded to its end and not yet answered. */
export interface Unanswered {
  readonly tag: string;
  readonly onOk: Effect;
  /** AUTHENTICATE may be answered by challenges first (RFC 9051 6.2.2). */
  readonly challenges: boolean;
  /** Nothing of its exchange has been said: no initial response, and no challenge yet. */
  readonly awaitsChallenge?: boolean;
  /** A literal of it went without being asked for. */
  readonly literalUnasked?: boolean;
}

/** A command whose line ended in a literal, and which goes on behind the literal's octets. */
export interface Unfinished {
  readonly command: Unanswered;
  readonly verb: string;
  /** Where its arguments go on. */
  readonly place: Place;
  /** Literals so far, at most IMAP_LITERALS_A_COMMAND_MAX. */
  readonly literals: number;
  readonly literalBytes: number;
  /** Octets of its lines and literals, up to the end of the one that is coming. */
  readonly bytes: number;
  readonly awaits: 'goAhead' | 'octets' | 'rest';
  /** The server answered before it had it all; what is left of the command is swallowed there. */
  readonly answeredEarly: boolean;
}

export interface NotAuthenticated {
  readonly at: 'NOT_AUTHENTICATED';
  /**
   * Oldest first, at most UNANSWERED_COMMANDS_MAX, no two with the same tag. Only the last can pause the initiator.
   */
  readonly unanswered: readonly Unanswered[];
  readonly unfinished: Unfinished | undefined;
  /** The server has sent a challenge and waits for the client's response. */
  readonly challenged: boolean;
  /**
   * The server said `+` before the line was whole: Dovecot does at the `}` of a synchronising literal, which a
   * client that types shows it alone. The line under way must end in such a literal.
   */
  readonly earlyGoAhead: boolean;
  /**
   * Dovecot answers ID at its closing parenthesis, before the line is whole: its untagged response has come, or its
   * tagged OK too, which the line under way must then carry as its tag.
   */
  readonly idAnswer: 'none' | 'untagged' | { readonly earlyTag: string };
  /** The server's response goes on behind a literal; in a status response only while its code is open. */
  readonly response: 'whole' | 'data' | 'code';
  readonly offers: Offers;
  /** LOGOUT or BYE went before: only what leads to a new authentication may follow. */
  readonly ended: boolean;
  /** The responder's side is still opaque (LOGOUT came after authentication) and has to be read again. */
  readonly responderOpaque: boolean;
  /** A login was just refused: a client that did not wait may go on with its secret, which no alert may quote. */
  readonly secretMayFollow: boolean;
}

export type Authenticated = Extract<ImapState, { at: 'AUTHENTICATED' }>;

export type ImapState =
  | { readonly at: 'GREETING' }
  | NotAuthenticated
  /** The go-ahead for TLS was given; `awaits` has to send its hello. */
  | { readonly at: 'TLS_HELLO'; readonly awaits: Side }
  | { readonly at: 'ENCRYPTED' }
  /**
   * `midCommand`: the next line is the rest of a command, behind a literal. `greeted`: by PREAUTH, without a login.
   * `mayHaveLeft`: UNAUTHENTICATE was refused, unless it was another command's answer with its tag that said so.
   */
  | {
      readonly at: 'AUTHENTICATED';
      readonly midCommand: boolean;
      readonly greeted: boolean;
      readonly mayHaveLeft: boolean;
      /** As before the login, for what comes after its end. */
      readonly offers: Offers;
    }
  /** UNAUTHENTICATE was sent with this tag. */
  | { readonly at: 'LEAVING'; readonly tag: string; readonly before: Authenticated }
  /** The server greeted with BYE. */
  | { readonly at: 'CLOSED' };

export const NOT_AUTHENTICATED: NotAuthenticated = {
  at: 'NOT_AUTHENTICATED',
  unanswered: [],
  unfinished: undefined,
  challenged: false,
  earlyGoAhead: false,
  idAnswer: 'none',
  response: 'whole',
  offers: NO_OFFERS,
  ended: false,
  responderOpaque: false,
  secretMayFollow: false,
};

/** Whether the initiator waits, because the answer decides how its next octets are to be read. */
export function isInitiatorPaused(state: NotAuthenticated): boolean {
  if (state.unfinished !== undefined) return state.unfinished.awaits === 'goAhead';
  const last = state.unanswered.at(-1);
  return last !== undefined && last.onOk !== 'nothing' && !state.challenged;
}
