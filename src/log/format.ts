import type { Endpoint } from '../firewall/snapshot.ts';
import { REASONS, type Reason } from '../inspect/reasons.ts';
import { LOG_OWN_TEXT_CHARACTERS_MAX, LOG_WIRE_TEXT_CHARACTERS_MAX } from './limits.ts';
import type { LogMessage, MessageFields } from './log-message.ts';
import { type CatalogueEntry, type Facility, MESSAGES, type MessageId, type Severity } from './messages.ts';
import { SHADOW } from './policy-messages.ts';
import { DROP_REASONS } from './reason-messages.ts';
import { escapeText, printEndpoint, redactSecrets } from './text.ts';

export interface FormattedMessage {
  readonly facility: Facility;
  readonly severity: Severity;
  readonly mnemonic: string;
  /** One line, safe to print: no control characters, no secret. */
  readonly text: string;
  /** The same facts for the structured log, endpoints as `address:port`. */
  readonly fields: Readonly<Record<string, string | number>>;
}

/** A message as it is written. Never throws: a field that a caller without types left out prints as `-`. */
export function formatMessage<Id extends MessageId>(id: Id, fields: MessageFields<Id>): FormattedMessage {
  return format(id, fields);
}

/** The same for a message that came as one value. */
export function formatLogMessage(message: LogMessage): FormattedMessage {
  return format(message.id, message.fields);
}

function format(id: MessageId, fields: object): FormattedMessage {
  const entry: CatalogueEntry = MESSAGES[id];
  const printed = printFields(fields);
  const derived = new Map([...printed, ...deriveFields(printed)]);
  const body = entry.text.replace(/\{(\w+)\}/g, (_, name: string) => String(derived.get(name) ?? '-'));
  return {
    facility: entry.facility,
    severity: entry.severity,
    mnemonic: id,
    text: zonePrefix(entry, printed) + body,
    fields: Object.fromEntries(printed),
  };
}

/** `%FW-6-SESS_AUDIT_TRAIL: …` */
export function iosLine(message: FormattedMessage): string {
  return `%${message.facility}-${message.severity}-${message.mnemonic}: ${message.text}`;
}

type Printed = ReadonlyMap<string, string | number>;

/** Quoted from a peer, so a secret could hide in it. */
const WIRE_TEXT = new Set(['text', 'mechanism']);
/** Quoted from a peer where no secret stands: an address, a type, the name of a header field, a number. */
const WIRE_WORD = new Set(['matched']);

function printFields(fields: object): Printed {
  const printed = new Map<string, string | number>();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'number') printed.set(name, value);
    else if (typeof value === 'string') printed.set(name, printText(name, value));
    else if (isEndpoint(value)) printed.set(name, escapeText(printEndpoint(value), LOG_WIRE_TEXT_CHARACTERS_MAX));
  }
  return printed;
}

function printText(name: string, value: string): string {
  if (WIRE_TEXT.has(name)) return escapeText(redactSecrets(value), LOG_WIRE_TEXT_CHARACTERS_MAX);
  return escapeText(value, WIRE_WORD.has(name) ? LOG_WIRE_TEXT_CHARACTERS_MAX : LOG_OWN_TEXT_CHARACTERS_MAX);
}

function isEndpoint(value: unknown): value is Endpoint {
  return typeof value === 'object' && value !== null && 'address' in value && 'port' in value;
}

/** Parts of IOS's texts that follow from other fields. */
function deriveFields(printed: Printed): [string, string][] {
  const derived: [string, string][] = [];
  const reason = printed.get('reason');
  if (isReason(reason)) derived.push(['reasonText', REASONS[reason]], ['dropReason', DROP_REASONS[reason]]);
  derived.push(['minutesWord', printed.get('minutes') === 1 ? 'minute' : 'minutes']);
  const zonePair = printed.get('zonePair');
  derived.push([
    'place',
    zonePair === undefined ? '' : `on zone-pair ${zonePair} class ${printed.get('class') ?? '-'} `,
  ]);
  derived.push(['tcpDetail', tcpDetail(printed)]);
  const action = String(printed.get('action') ?? '');
  derived.push(['shadowDetail', action.startsWith(SHADOW) ? ` - ${action} session` : '']);
  return derived;
}

function isReason(value: unknown): value is Reason {
  return typeof value === 'string' && Object.hasOwn(REASONS, value);
}

function tcpDetail(printed: Printed): string {
  const flags = printed.get('tcpFlags');
  if (typeof flags !== 'number') return '';
  return ` tcpflags 0x${flags.toString(16)} seq.no ${printed.get('sequence') ?? 0} ack ${printed.get('acknowledgement') ?? 0}`;
}

/** Sessions of a zone pair carry it before the text, unless the text itself names it (cisco-ios 4). */
function zonePrefix(entry: CatalogueEntry, printed: Printed): string {
  const zonePair = printed.get('zonePair');
  if (zonePair === undefined || /\{(?:place|zonePair)\}/.test(entry.text)) return '';
  return `(target:class)-(${zonePair}:${printed.get('class') ?? '-'}):`;
}
