import type { Action, Step } from '../../inspect/inspector.ts';
import { UNANSWERED_COMMANDS_MAX } from '../../limits.ts';
import type { StarttlsOffer } from './facts.ts';
import { type CommandRule, GREETING } from './grammar.ts';

/** What the client's next octets are. */
export type Expecting = 'commands' | 'sasl' | 'data' | 'chunk' | 'clientHello' | 'serverHello' | 'tls' | 'nothing';

export interface SmtpState {
  readonly expecting: Expecting;
  /** What the server still has to answer, oldest first. The greeting is the answer to nothing but the connection. */
  readonly unanswered: readonly CommandRule[];
  /** Code of the multi-line reply under way. */
  readonly replyCode: string | undefined;
  /** How far the server has accepted the envelope. */
  readonly envelope: 'none' | 'sender' | 'recipients';
  /** RCPT commands sent for this message, whatever their answers. */
  readonly recipients: number;
  /** Octets of BDAT chunks of this message. */
  readonly chunkBytes: number;
  /**
   * What was told of the message (`messageBegins`, `messageEnds`). `closing`: its end or a RSET is on its way, and a
   * MAIL behind that begins another one. Until then a MAIL may be refused as nested and the transaction go on.
   */
  readonly message: 'none' | 'open' | 'closing';
  /** A chunk of this message was sent. */
  readonly chunksBegun: boolean;
  /** A chunk of so many octets was announced, and waits until the recipients before it are answered. */
  readonly waitingChunkBytes: number;
  /** The chunk that is coming is the last of its message. */
  readonly lastChunk: boolean;
  /** The server offered CHUNKING in its last EHLO reply. */
  readonly chunking: boolean;
  /** What its last EHLO reply, as far as it has come, says of STARTTLS. */
  readonly starttls: StarttlsOffer;
  /** An EHLO was refused for good: a HELO behind it is what the client was left with. */
  readonly ehloRefused: boolean;
  /** An octet of this message was overwritten, and that was told. */
  readonly mended: boolean;
  /** An AUTH was refused: what comes next may be a secret sent too eagerly, and no alert may quote it. */
  readonly secretsMayFollow: boolean;
}

export const initialSmtpState: SmtpState = {
  expecting: 'commands',
  unanswered: [GREETING],
  replyCode: undefined,
  envelope: 'none',
  recipients: 0,
  chunkBytes: 0,
  message: 'none',
  chunksBegun: false,
  waitingChunkBytes: 0,
  lastChunk: false,
  chunking: false,
  starttls: 'missing',
  ehloRefused: false,
  mended: false,
  secretsMayFollow: false,
};

/**
 * Whether the client waits: for the answer that says what its next octets are, or because too many commands are
 * unanswered (RFC 2920 sets no bound; a sender of thousands of recipients is slowed down, not refused).
 */
function isHeld({ unanswered, waitingChunkBytes }: SmtpState): boolean {
  if (unanswered.length >= UNANSWERED_COMMANDS_MAX || unanswered.at(-1)?.holdsInitiator === true) return true;
  return waitingChunkBytes > 0 && awaitsRecipients(unanswered);
}

/** Whether a recipient is unanswered. */
export function awaitsRecipients(unanswered: readonly CommandRule[]): boolean {
  return unanswered.some(({ effect }) => effect === 'addsRecipient');
}

/** A step to `after`, with the pause or the release of the client that it means. */
export function moveTo(before: SmtpState, after: SmtpState, actions: readonly Action[]): Step<SmtpState> {
  const held = isHeld(after);
  if (held === isHeld(before)) return { state: after, actions };
  if (held) return { state: after, actions: [...actions, { kind: 'pause', side: 'initiator' }] };
  const { waitingChunkBytes: bytes } = after;
  const chunk: readonly Action[] =
    bytes === 0 ? [] : [{ kind: 'frameAs', from: 'initiator', mode: { kind: 'counted', bytes } }];
  return {
    state: { ...after, waitingChunkBytes: 0 },
    actions: [...actions, ...chunk, { kind: 'resume', side: 'initiator' }],
  };
}

/** One word for `show`. */
export function stageOf(state: SmtpState): string {
  switch (state.expecting) {
    case 'commands':
      if (state.unanswered[0] === GREETING) return 'GREETING';
      return { none: 'READY', sender: 'MAIL', recipients: 'RCPT' }[state.envelope];
    case 'sasl':
      return 'AUTH';
    case 'data':
    case 'chunk':
      return 'DATA';
    case 'clientHello':
    case 'serverHello':
      return 'STARTTLS';
    case 'tls':
      return 'TLS';
    case 'nothing':
      return 'QUIT';
  }
}
