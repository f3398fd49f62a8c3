import type { Alert } from '../../inspect/alerts.ts';
import type { Fact } from '../../inspect/facts.ts';
import { type ForeignProtocol, ownWords } from '../../inspect/foreign.ts';
import type { Action, Side } from '../../inspect/inspector.ts';
import { REASONS, type Reason } from '../../inspect/reasons.ts';
import type { Pop3Policy } from './state.ts';

/** Why something is refused, and what the administrator may be told of it. */
export interface Refusal {
  readonly reason: Reason;
  /** The command's verb, when it was one that offended. Never a secret. */
  readonly text?: string;
  /** How a login would have sent its secret. */
  readonly mechanism?: string;
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

/**
 * The actions of a refusal: the alert, then RST to both peers or the words of POP3 (cisco-ios 3.7, design.md refusing
 * well).
 */
export function refuse(why: Refusal, policy: Pop3Policy): readonly Action[] {
  const { reason } = why;
  // A client that awaits a server hello would take words for a broken one, or for the end of what began as a greeting.
  const isReset = policy.reset || reason === 'tls-expected' || why.foreign?.by === 'responder';
  return [
    { kind: 'alert', alert: alertOf(why) },
    isReset ? { kind: 'refuse', reason, how: 'reset' } : { kind: 'refuse', reason, how: 'words', words: words() },
  ];

  // RFC 3206 3: SYS/PERM tells the client that trying again later is of no use.
  function words(): string {
    const said = reason === 'tls-required' ? 'Must issue a STLS command first' : `refused: ${REASONS[reason]}`;
    const own = why.foreign === undefined ? undefined : ownWords(why.foreign.spoken);
    return own ?? `-ERR [SYS/PERM] ${policy.hostname} ${said}\r\n`;
  }
}

/** What a refused command was: an invalid one, or a login in clear. Nothing where no command offended. */
export function factsOf({ reason, text, mechanism }: Refusal): readonly Fact[] {
  if (mechanism !== undefined) return [{ kind: 'clearTextLogin', text: text ?? '', mechanism }];
  if (text === undefined || reason === 'too-many-unanswered') return [];
  return [{ kind: 'invalidCommand', text }];
}

function alertOf({ reason, text, mechanism, foreign: found }: Refusal): Alert {
  if (found !== undefined) return { id: 'FOREIGN_PROTOCOL', ...found };
  if (mechanism !== undefined) return { id: 'POP3_NON_SECURE_LOGIN', text: text ?? '', mechanism };
  if (text !== undefined) return { id: 'POP3_INVALID_COMMAND', text };
  return { id: 'PROTOCOL_VIOLATION', text: REASONS[reason] };
}
