import type { ContentLimit } from './content-limits.ts';

/**
 * What happened in a dialogue, in the protocol's own terms: what classes of the policy are held against (cisco-ios
 * 3.9).
 * An inspector tells facts beside its actions and decides nothing by them; text is latin-1, one character an octet.
 */
export type Fact =
  /**
   * SMTP: a command line, or its first octets (`whole` false, where `verb` is absent until a space or the end has shown
   * it). `verb` is upper-case, `lengthBytes` counts without the line end. A masked line is told too.
   */
  | { readonly kind: 'command'; readonly verb?: string; readonly lengthBytes: number; readonly whole: boolean }
  /**
   * MAIL FROM: what stands between the angle brackets, empty for the null path, then its other readings. `clear`: every
   * server reads it so. Behind its `command`.
   */
  | { readonly kind: 'sender'; readonly addresses: readonly string[]; readonly clear: boolean }
  /** RCPT TO: the same, then each host of a source route as `@host`. Behind its `command`. */
  | { readonly kind: 'recipient'; readonly addresses: readonly string[]; readonly clear: boolean }
  /** The server refused a recipient for good: 550, 551, 553, 554, or any 5xx with 5.1.x (D-42). */
  | { readonly kind: 'recipientRefused' }
  /** A line of the answer to EHLO behind its first: its first word, upper-case. */
  | { readonly kind: 'ehloKeyword'; readonly keyword: string }
  /** EHLO or HELO was accepted: what was offered before counts no more. */
  | { readonly kind: 'greeted' }
  /**
   * What the server's list of extensions (EHLO, CAPA, CAPABILITY) says of STARTTLS or STLS, told at the list's end and
   * only before authentication. `overwritten`: not offered, but there is a word such as other firewalls leave of it.
   * `refused`: the client asked for TLS, and the server's answer is that it will not.
   */
  | { readonly kind: 'starttls'; readonly offer: 'offered' | 'overwritten' | 'missing' | 'refused' }
  /** MAIL is on its way: conditions latch for this message from now on (D-46). Before its `command`. */
  | { readonly kind: 'messageBegins' }
  /** The transaction is over: end of data answered, RSET, EHLO, or MAIL refused. */
  | { readonly kind: 'messageEnds' }
  /** The initiator's next octets are mail data: of DATA (dot-stuffed), or chunks, told with the first one only. */
  | { readonly kind: 'dataBegins'; readonly form: 'dotStuffed' | 'chunks' }
  /** This frame completes the message: the end of data, the last chunk's end, or the line of an empty last chunk. */
  | { readonly kind: 'dataEnds' }
  /** POP3, IMAP: a command that is not one of the protocol or not valid here. Carries no secret. */
  | { readonly kind: 'invalidCommand'; readonly text: string }
  /** POP3, IMAP: a login that sends its secret in clear. */
  | { readonly kind: 'clearTextLogin'; readonly text: string; readonly mechanism: string };

/**
 * What the native walk over a message found (native/engine/content_scan.h). Maps by their index in the pattern sets.
 */
export type ContentFact =
  | { readonly kind: 'header'; readonly map: number; readonly field: string }
  | { readonly kind: 'body'; readonly map: number; readonly decoded: boolean }
  | { readonly kind: 'contentType'; readonly map: number; readonly type: string }
  /** Content-Transfer-Encoding of a part that has the field: its lower-case token. */
  | { readonly kind: 'encoding'; readonly token: string }
  /** The message's own header grew past one of the plan's lengths. */
  | { readonly kind: 'headerLength'; readonly over: number }
  | { readonly kind: 'dataLength'; readonly over: number }
  /** A budget of the walk or of the pattern engine was reached: what follows cannot be judged. */
  | { readonly kind: 'limit'; readonly name: ContentLimit };
