import type { Alert } from '../../inspect/alerts.ts';
import type { Fact } from '../../inspect/facts.ts';
import { type ForeignProtocol, ownWords } from '../../inspect/foreign.ts';
import type { Action, Side } from '../../inspect/inspector.ts';
import { REASONS, type Reason } from '../../inspect/reasons.ts';
import type { ImapPolicy } from './state.ts';

/** Why something is refused, and what the peers may be told of it. */
export interface Refusal {
  readonly reason: Reason;
  /** The command's verb, when it was one that offended. Never a secret. */
  readonly text?: string | undefined;
  /** How a login would have sent its secret. */
  readonly mechanism?: string | undefined;
  /** The command that is answered, where its tag could be read. */
  readonly tag?: string | undefined;
  /** Another protocol than the port's, and who spoke it. */
  readonly foreign?: Foreign;
}

interface Foreign {
  readonly spoken: ForeignProtocol;
  readonly by: Side;
}

export function foreign(spoken: ForeignProtocol, by: Side): Refusal {
  return { reason: 'foreign-protocol', foreign: { spoken, by } };
}

/** The client's own faults; everything else is a NO. */
const BAD_REASONS: ReadonlySet<Reason> = new Set<Reason>([
  'invalid-command',
  'invalid-arguments',
  'invalid-literal',
  'invalid-sasl-response',
  'command-out-of-state',
  'control-character',
  'bare-line-feed',
  'bare-carriage-return',
  'nul',
  'line-too-long',
]);

const PRIVACY_REASONS: ReadonlySet<Reason> = new Set<Reason>(['cleartext-login', 'tls-required']);

/**
 * The actions of a refusal: the alert, then RST to both peers or the words of IMAP (cisco-ios 3.7, design.md refusing
 * well).
 */
export function refuse(why: Refusal, policy: ImapPolicy): readonly Action[] {
  const { reason } = why;
  // A client that awaits a server hello would take words for a broken one, or for the end of what began as a greeting.
  const isReset = policy.reset || reason === 'tls-expected' || why.foreign?.by === 'responder';
  return [
    { kind: 'alert', alert: alertOf(why) },
    isReset
      ? { kind: 'refuse', reason, how: 'reset' }
      : { kind: 'refuse', reason, how: 'words', words: wordsFor(why, policy.hostname) },
  ];
}

/**
 * RFC 9051 7.1.5: BYE is untagged and comes first; a tagged answer to the command may follow, and nothing after that.
 */
function wordsFor({ reason, tag, foreign: found }: Refusal, hostname: string): string {
  const own = found === undefined ? undefined : ownWords(found.spoken);
  if (own !== undefined) return own;
  const bye = `* BYE ${hostname} refused: ${REASONS[reason]}\r\n`;
  if (tag === undefined) return bye;
  // RFC 5530 3: PRIVACYREQUIRED tells the client that the same login may succeed under TLS.
  const status = BAD_REASONS.has(reason) ? 'BAD' : PRIVACY_REASONS.has(reason) ? 'NO [PRIVACYREQUIRED]' : 'NO';
  const why = reason === 'tls-required' ? 'Must issue a STARTTLS command first' : REASONS[reason];
  return `${bye}${tag} ${status} ${why}\r\n`;
}

/** What a refused command was: an invalid one, or a login in clear. Nothing where no command offended. */
export function factsOf({ reason, text, mechanism }: Refusal): readonly Fact[] {
  if (mechanism !== undefined) return [{ kind: 'clearTextLogin', text: text ?? '', mechanism }];
  if (text === undefined || reason === 'too-many-unanswered') return [];
  return [{ kind: 'invalidCommand', text }];
}

function alertOf({ reason, text, mechanism, foreign: found }: Refusal): Alert {
  if (found !== undefined) return { id: 'FOREIGN_PROTOCOL', ...found };
  if (mechanism !== undefined) return { id: 'IMAP_NON_SECURE_LOGIN', text: text ?? '', mechanism };
  if (text !== undefined) return { id: 'IMAP_INVALID_COMMAND', text };
  return { id: 'PROTOCOL_VIOLATION', text: REASONS[reason] };
}
