import type { Alert } from '../../inspect/alerts.ts';
import { type ForeignProtocol, ownWords } from '../../inspect/foreign.ts';
import type { Action } from '../../inspect/inspector.ts';
import type { LineEndings } from '../../inspect/line-ends.ts';
import { REASONS, type Reason } from '../../inspect/reasons.ts';
import { SMTP_MAX_DATA_BYTES_DEFAULT } from '../../limits.ts';

export interface SmtpPolicy {
  /** `ip inspect name X esmtp`; without it EHLO and what it brings is masked (cisco: `smtp`). */
  readonly extended: boolean;
  /**
   * `known`: verbs and EHLO keywords that the firewall does not know, or knows to be unwanted, are masked. `open`: all
   * pass but those that would hide mail from it, `extended` or not (cisco-ios 3.9: an application policy masks by
   * name).
   */
  readonly verbs: 'known' | 'open';
  /**
   * Upper-case. A verb masks itself and every unknown one that begins so, a keyword every EHLO keyword with its
   * parameters that begins so.
   */
  readonly maskedVerbs: ReadonlySet<string>;
  readonly maskedKeywords: ReadonlySet<string>;
  readonly starttls: 'allow' | 'mask';
  /** `allow` lets BDAT through to a server that offered CHUNKING, its chunks counted. */
  readonly chunking: 'allow' | 'mask';
  /** A chunk goes on when the recipients before it are answered: a count of refused ones may refuse the message. */
  readonly chunksAwaitRecipients: boolean;
  /** What an illegal command gets: overwritten with `x`, or the session ended. */
  readonly illegal: 'mask' | 'drop';
  readonly lineEndings: LineEndings;
  /** `auth`: no AUTH before TLS. `mail`: no MAIL, SEND, SOML or SAML either. */
  readonly requireTls: 'never' | 'auth' | 'mail';
  /** The longest message, in octets on the wire between the go-ahead and the final dot. */
  readonly maxDataBytes: number;
  /** The name we refuse under. */
  readonly hostname: string;
  /** RCPT commands in one message above which signature 3106 is told. */
  readonly spamRecipients: number;
}

export const defaultSmtpPolicy: SmtpPolicy = {
  extended: true,
  verbs: 'known',
  maskedVerbs: new Set(),
  maskedKeywords: new Set(),
  starttls: 'allow',
  chunking: 'mask',
  chunksAwaitRecipients: false,
  illegal: 'mask',
  lineEndings: 'normalize',
  requireTls: 'never',
  maxDataBytes: SMTP_MAX_DATA_BYTES_DEFAULT,
  hostname: 'postern',
  spamRecipients: 250,
};

/**
 * Reply code and enhanced status code (RFC 3463) of a refusal. A permanent one, so that mail bounces and is not tried
 * again.
 */
const STATUS: Partial<Record<Reason, string>> = {
  'line-too-long': '500 5.5.2',
  'foreign-protocol': '554 5.5.1',
  'invalid-command': '500 5.5.1',
  'invalid-arguments': '501 5.5.4',
  'control-character': '501 5.5.2',
  'invalid-sasl-response': '501 5.5.2',
  'data-too-long': '552 5.3.4',
  // As Postfix answers a bare LF.
  'bare-line-feed': '521 5.5.2',
  'bare-carriage-return': '521 5.5.2',
  nul: '521 5.5.2',
  // RFC 3207 4
  'tls-required': '530 5.7.0',
};
const STATUS_OTHERWISE = '554 5.7.1';
/** The server's fault, not the client's: it may try again. */
const STATUS_SERVER = '421 4.3.0';

/** Ends the session in SMTP's words and tells the administrator, by `alert` where the reason has one of its own. */
export function refuseWithWords(policy: SmtpPolicy, reason: Reason, alert?: Alert): readonly [Action, Action] {
  return [refuseAs(STATUS[reason] ?? STATUS_OTHERWISE, policy, reason), alertOf(reason, alert)];
}

/** A client of another protocol. One of TLS reads an alert of its own; others our words, as unlike theirs as any. */
export function refuseForeign(policy: SmtpPolicy, spoken: ForeignProtocol): readonly Action[] {
  const [refusal, alert] = refuseWithWords(policy, 'foreign-protocol', {
    id: 'FOREIGN_PROTOCOL',
    spoken,
    by: 'initiator',
  });
  const words = ownWords(spoken);
  const said: Action =
    words === undefined ? refusal : { kind: 'refuse', reason: 'foreign-protocol', how: 'words', words };
  return [said, alert];
}

export function refuseServer(policy: SmtpPolicy, reason: Reason): readonly Action[] {
  return [refuseAs(STATUS_SERVER, policy, reason), alertOf(reason)];
}

export function refuseWithReset(reason: Reason, alert?: Alert): readonly Action[] {
  return [{ kind: 'refuse', reason, how: 'reset' }, alertOf(reason, alert)];
}

function refuseAs(status: string, { hostname }: SmtpPolicy, reason: Reason): Action {
  // RFC 3207 4 gives these words.
  const why = reason === 'tls-required' ? 'Must issue a STARTTLS command first' : `refused: ${REASONS[reason]}`;
  return { kind: 'refuse', reason, how: 'words', words: `${status} ${hostname} ${why}\r\n` };
}

function alertOf(reason: Reason, alert?: Alert): Action {
  return { kind: 'alert', alert: alert ?? { id: 'PROTOCOL_VIOLATION', text: REASONS[reason] } };
}
