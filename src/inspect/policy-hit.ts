/** The conditions of application classes as their messages name them (D-50), ours at the end. */
export const POLICY_EVENTS = [
  'SENDER_ADDR_MATCHED',
  'RECIPIENT_ADDR_MATCHED',
  'RECIPIENT_COUNT',
  'RECIPIENT_INVALID_COUNT',
  'CMD_VERB',
  'CMD_LINE_LENGTH',
  'HEADER_LENGTH',
  'HEADER_REGEX_MATCHED',
  'BODY_REGEX_MATCHED',
  'MIME_CONTENT_TYPE',
  'MIME_ENCODING',
  'EHLO_REPLY',
  'STARTTLS',
  'DATA_LENGTH',
  'SENDER_LEARNED',
  'CLIENT_LEARNED',
  'CONNECTION',
  'INVALID_COMMAND',
  'CLEAR_TEXT_LOGIN',
] as const;
export type PolicyEvent = (typeof POLICY_EVENTS)[number];

export type PolicyVerb = 'resetting' | 'masking' | 'logging' | 'allowing' | 'learning';

/** One match of a class of an application policy. */
export interface PolicyHit {
  /** The application policy and its class. */
  readonly policy: string;
  readonly class: string;
  readonly event: PolicyEvent;
  /** What matched, for the log: an address, a verb, a count. Quotable; never a secret, never body text. */
  readonly detail: string;
  /** Of CLEAR_TEXT_LOGIN: how it would have logged in. */
  readonly mechanism?: string;
  readonly verb: PolicyVerb;
  readonly log: boolean;
  /** Would have been; nothing was carried out. */
  readonly shadow: boolean;
  /** Octets of the line or field that matched; 0 where that is not a line. */
  readonly bytes: number;
}
