/** What classes are held against: one event, and what conditions say of it (cisco-ios 3.9). */
import type { ContentFact, Fact } from '../../inspect/facts.ts';
import type { LearnedView } from './environment.ts';
import { countOf, type PolicyMemory } from './memory.ts';
import type { ApplicationProgram, ProgramCondition } from './program.ts';

/** A command line, whole or its first octets, with the addresses of the same line. */
export interface LineOccurrence {
  readonly kind: 'line';
  /** Absent while the octets do not show it. */
  readonly verb?: string | undefined;
  readonly lengthBytes: number;
  readonly whole: boolean;
  readonly sender?: AddressOccurrence | undefined;
  readonly recipient?: AddressOccurrence | undefined;
}

export interface AddressOccurrence {
  /** As it stands, then its other readings. */
  readonly addresses: readonly string[];
  /** Indexes of the maps that it matches. */
  readonly maps: readonly number[];
}

type SingleFact = Extract<Fact, { kind: 'recipientRefused' | 'ehloKeyword' | 'invalidCommand' | 'clearTextLogin' }>;

type StarttlsOffer = Extract<Fact, { kind: 'starttls' }>['offer'];

export type Occurrence =
  /** The client begins to speak. */
  | { readonly kind: 'connection'; readonly client: string | undefined }
  | LineOccurrence
  | SingleFact
  /** The server's list of extensions is complete, or it refuses STARTTLS. `before`: it offered it before that. */
  | { readonly kind: 'starttls'; readonly offer: StarttlsOffer; readonly before: boolean }
  | Exclude<ContentFact, { kind: 'limit' }>;

/** Of a line under way something may not be known yet. */
export type Truth = 'yes' | 'no' | 'unknown';

export interface JudgedBy {
  readonly program: ApplicationProgram;
  readonly memory: PolicyMemory;
  readonly learned: LearnedView;
}

/** RFC 821 3.4: SEND, SOML and SAML open a transaction as MAIL does. */
const SENDER_VERBS: readonly string[] = ['MAIL', 'SEND', 'SOML', 'SAML'];
const RECIPIENT_VERBS: readonly string[] = ['RCPT'];

/** Names of `match mime encoding` by the tokens that they stand for (RFC 2045 6.1). */
const ENCODING_NAMES: Readonly<Record<string, string>> = {
  '7bit': '7-bit',
  '8bit': '8-bit',
  base64: 'base64',
  binary: 'binary',
  'quoted-printable': 'quoted-printable',
  'x-uuencode': 'x-uuencode',
  uuencode: 'x-uuencode',
  'x-uue': 'x-uuencode',
};

/** Whether a condition holds at this event, whatever held before. */
export function holds(condition: ProgramCondition, occurrence: Occurrence, by: JudgedBy): Truth {
  switch (occurrence.kind) {
    case 'line':
      return holdsOnLine(condition, occurrence, by);
    case 'connection':
      return truth(holdsOnConnection(condition, occurrence.client, by));
    case 'recipientRefused':
      return truth(condition.kind === 'recipientInvalidCount' && isCountNew(condition, by));
    case 'ehloKeyword':
      return truth(condition.kind === 'ehloKeyword' && condition.keyword === occurrence.keyword);
    case 'starttls':
      return truth(condition.kind === 'starttls' && isStarttls(condition.what, occurrence.offer, occurrence.before));
    case 'invalidCommand':
    case 'clearTextLogin':
      return truth(condition.kind === occurrence.kind);
    case 'header':
    case 'contentType':
      return truth(condition.kind === occurrence.kind && condition.mapIndex === occurrence.map);
    case 'body':
      return truth(
        condition.kind === 'body' && condition.decoded === occurrence.decoded && condition.mapIndex === occurrence.map,
      );
    case 'encoding':
      return truth(condition.kind === 'encoding' && isEncoding(condition.name, occurrence.token));
    case 'headerLength':
    case 'dataLength':
      return truth(condition.kind === occurrence.kind && condition.over === occurrence.over);
  }
}

function isStarttls(what: 'missing' | 'stripped', offer: StarttlsOffer, before: boolean): boolean {
  if (offer === 'offered') return false;
  return what === 'missing' || offer === 'overwritten' || before;
}

/** The name that IOS has for a Content-Transfer-Encoding; undefined for one that is not among its own. */
export function encodingNameOf(token: string): string | undefined {
  return Object.hasOwn(ENCODING_NAMES, token) ? ENCODING_NAMES[token] : undefined;
}

function isEncoding(name: string, token: string): boolean {
  const known = encodingNameOf(token.toLowerCase());
  if (name === 'unknown') return known === undefined;
  return known === name || (known === undefined && token.toLowerCase() === name);
}

function holdsOnConnection(condition: ProgramCondition, client: string | undefined, { learned }: JudgedBy): boolean {
  if (condition.kind === 'everyConnection') return true;
  return condition.kind === 'clientLearned' && client !== undefined && learned.client(client);
}

function holdsOnLine(condition: ProgramCondition, line: LineOccurrence, by: JudgedBy): Truth {
  switch (condition.kind) {
    case 'verb':
      if (line.verb === undefined) return line.whole ? 'no' : 'unknown';
      return truth(line.verb === condition.verb);
    case 'lineLength':
      if (line.lengthBytes > condition.over) return 'yes';
      return line.whole ? 'no' : 'unknown';
    case 'sender':
      if (!line.whole) return mayCome(line, SENDER_VERBS);
      return truth(line.sender?.maps.includes(condition.mapIndex) ?? false);
    case 'senderLearned':
      if (!line.whole) return mayCome(line, SENDER_VERBS);
      return truth((line.sender?.addresses ?? []).some((address) => isLearned(address, condition.domain, by)));
    case 'recipient':
      if (!line.whole) return mayCome(line, RECIPIENT_VERBS);
      return truth(line.recipient?.maps.includes(condition.mapIndex) ?? false);
    case 'recipientCount':
      if (!line.whole) return mayCome(line, RECIPIENT_VERBS);
      return truth(line.recipient !== undefined && isCountNew(condition, by));
    default:
      return 'no';
  }
}

/** Addresses are judged with the whole line only; what a verb does not bring cannot come any more. */
function mayCome({ verb }: LineOccurrence, verbs: readonly string[]): Truth {
  return verb === undefined || verbs.includes(verb) ? 'unknown' : 'no';
}

/** The null path is nobody's address: bounces come from everywhere. */
function isLearned(address: string, domain: boolean, { learned }: JudgedBy): boolean {
  if (address === '') return false;
  return domain ? learned.domain(address.slice(address.lastIndexOf('@') + 1)) : learned.sender(address);
}

/**
 * A count is told once, by the first event past it at which its class came to be tried: an earlier class may have
 * decided the very event that passed it.
 */
function isCountNew(condition: ProgramCondition, { program, memory }: JudgedBy): boolean {
  const count = countOf(condition, program, memory);
  return count.value > count.over && (count.told & condition.bit) === 0n;
}

function truth(value: boolean): Truth {
  return value ? 'yes' : 'no';
}
