/** A match of a class as it is counted, logged and told to the client. */
import type { PolicyEvent, PolicyHit, PolicyVerb } from '../../inspect/policy-hit.ts';
import type { Reason } from '../../inspect/reasons.ts';
import { quotable } from '../../inspect/words.ts';
import type { Condition } from './conditions.ts';
import type { Occurrence } from './occurrence.ts';
import type { ApplicationProgram, ClassActions, ProgramClass, ProgramCondition } from './program.ts';

const ADDRESS_CHARACTERS_MAX = 64;

interface Naming {
  readonly event: PolicyEvent;
  readonly reason: Reason;
}

const NAMING: Readonly<Record<Condition['kind'], Naming>> = {
  everyConnection: { event: 'CONNECTION', reason: 'policy-command' },
  sender: { event: 'SENDER_ADDR_MATCHED', reason: 'policy-sender' },
  recipient: { event: 'RECIPIENT_ADDR_MATCHED', reason: 'policy-recipient' },
  senderLearned: { event: 'SENDER_LEARNED', reason: 'policy-learned' },
  clientLearned: { event: 'CLIENT_LEARNED', reason: 'policy-learned' },
  recipientCount: { event: 'RECIPIENT_COUNT', reason: 'policy-recipient-count' },
  recipientInvalidCount: { event: 'RECIPIENT_INVALID_COUNT', reason: 'policy-recipient-invalid' },
  verb: { event: 'CMD_VERB', reason: 'policy-command' },
  lineLength: { event: 'CMD_LINE_LENGTH', reason: 'policy-line-length' },
  headerLength: { event: 'HEADER_LENGTH', reason: 'policy-header-length' },
  header: { event: 'HEADER_REGEX_MATCHED', reason: 'policy-header' },
  body: { event: 'BODY_REGEX_MATCHED', reason: 'policy-body' },
  contentType: { event: 'MIME_CONTENT_TYPE', reason: 'policy-content-type' },
  encoding: { event: 'MIME_ENCODING', reason: 'policy-encoding' },
  ehloKeyword: { event: 'EHLO_REPLY', reason: 'policy-ehlo' },
  starttls: { event: 'STARTTLS', reason: 'policy-starttls' },
  dataLength: { event: 'DATA_LENGTH', reason: 'policy-data-length' },
  invalidCommand: { event: 'INVALID_COMMAND', reason: 'invalid-command' },
  clearTextLogin: { event: 'CLEAR_TEXT_LOGIN', reason: 'cleartext-login' },
};

/** The name under which matches of a condition are counted and told. */
export function eventOf({ kind }: Pick<Condition, 'kind'>): PolicyEvent {
  return NAMING[kind].event;
}

/** Why a session is refused for a condition. */
export function reasonOf({ kind }: Condition): Reason {
  return NAMING[kind].reason;
}

/**
 * The hit of a class by the condition that completed it. What shadow would have done is always logged: nothing else
 * would tell of it.
 */
export function hitOf(
  { policy }: ApplicationProgram,
  { name, actions }: ProgramClass,
  condition: ProgramCondition,
  occurrence: Occurrence,
): PolicyHit {
  return {
    policy,
    class: name,
    event: eventOf(condition),
    detail: detailOf(condition, occurrence),
    ...(occurrence.kind === 'clearTextLogin' ? { mechanism: occurrence.mechanism } : {}),
    verb: verbOf(actions),
    log: actions.log || actions.shadow,
    shadow: actions.shadow,
    bytes: bytesOf(condition, occurrence),
  };
}

/** The strongest action. */
function verbOf({ reset, mask, learn, allow }: ClassActions): PolicyVerb {
  if (reset) return 'resetting';
  if (mask) return 'masking';
  if (learn !== undefined) return 'learning';
  return allow ? 'allowing' : 'logging';
}

function detailOf(condition: ProgramCondition, occurrence: Occurrence): string {
  switch (condition.kind) {
    case 'everyConnection':
      return 'smtp';
    case 'sender':
    case 'senderLearned':
      return occurrence.kind === 'line' ? addressOf(occurrence.sender?.addresses[0]) : '';
    case 'recipient':
      return occurrence.kind === 'line' ? addressOf(occurrence.recipient?.addresses[0]) : '';
    case 'clientLearned':
      return occurrence.kind === 'connection' ? (occurrence.client ?? '') : '';
    case 'recipientCount':
      return `${condition.over + 1} recipients`;
    case 'recipientInvalidCount':
      return `${condition.over + 1} refused recipients`;
    case 'verb':
      return quotable(condition.verb);
    case 'lineLength':
      return `line ${condition.over + 1} octets`;
    case 'headerLength':
      return `header ${condition.over + 1} octets`;
    case 'dataLength':
      return `message ${condition.over + 1} octets`;
    case 'starttls':
      return occurrence.kind === 'starttls' && occurrence.offer === 'refused' ? 'refused' : condition.what;
    case 'body':
      return condition.map;
    default:
      return factDetail(occurrence);
  }
}

function factDetail(occurrence: Occurrence): string {
  switch (occurrence.kind) {
    case 'header':
      return quotable(occurrence.field);
    case 'contentType':
      return quotable(occurrence.type, ADDRESS_CHARACTERS_MAX);
    case 'encoding':
      return quotable(occurrence.token);
    case 'ehloKeyword':
      return quotable(occurrence.keyword);
    case 'invalidCommand':
    case 'clearTextLogin':
      return quotable(occurrence.text);
    default:
      return '';
  }
}

function addressOf(address = ''): string {
  return address === '' ? '<>' : quotable(address, ADDRESS_CHARACTERS_MAX);
}

/** Of a line under way no more is known than what told. */
function bytesOf(condition: ProgramCondition, occurrence: Occurrence): number {
  if (occurrence.kind !== 'line') return 0;
  return condition.kind === 'lineLength' && !occurrence.whole ? condition.over + 1 : occurrence.lengthBytes;
}
