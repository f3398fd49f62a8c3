/**
 * Other protocols told by how they open, on a port of mail in clear: a browser's cross-protocol request, an `ssh -p`,
 * TLS where no STARTTLS went before.
 *
 * An opener departs from mail's grammar before it is whole: `G` begins no command of POP3. So that it can be named,
 * what may still become one is not refused yet but treated as a line under way is: SMTP masks it as any verb that it
 * does not know, the others let it go ahead, 14 octets at most, of which no server does anything without a line end.
 * The line is refused at the octet that makes the opener sure, or at the one that no opener has at its place, and then
 * for the reason that it had without this: the verdict is the same however it was split.
 */
import { tlsAlert } from './tls-alert.ts';

export type ForeignProtocol = 'TLS' | 'HTTP' | 'SSH';

export type Opening =
  | { readonly kind: 'foreign'; readonly spoken: ForeignProtocol }
  /** The beginning of an opener. */
  | { readonly kind: 'undecided' }
  | { readonly kind: 'none' };

/** By what a text begins with: the protocol that it opens, or nothing where it may still open one. */
export type OpeningTable = ReadonlyMap<string, ForeignProtocol | undefined>;

/**
 * The types of TLS records (RFC 8446 5.1, RFC 5246 6.2.1): control characters, with which no line of mail begins. The
 * first octet is refused for what it is in any case, so it may as well be named.
 */
const RECORDS = ['\x14', '\x15', '\x16', '\x17'];
/** RFC 9110 9.3, RFC 5789: upper-case only. Behind them a path, `*` (RFC 9112 3.2) or the URI that a proxy is sent. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH'];
const TARGETS = ['/', '*', 'http:', 'https:'];
/** CONNECT has a host behind it (RFC 9112 3.2.3): a name, an address, or one in brackets. */
const HOST_BEGINNINGS = Array.from('[0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');
/** RFC 9113 3.4 */
const HTTP2_PREFACE = 'PRI *';

const requests = METHODS.flatMap((method) => TARGETS.map((target) => `${method} ${target}`));
const tunnels = HOST_BEGINNINGS.map((octet) => `CONNECT ${octet}`);

/** What no client of SMTP or POP3 begins a line with, and no client of IMAP its session. RFC 4253 4.2: `SSH-`. */
export const CLIENT_OPENINGS = openingTable({
  TLS: RECORDS,
  HTTP: [...requests, ...tunnels, HTTP2_PREFACE],
  SSH: ['SSH-'],
});
/**
 * Of those what begins no line of IMAP either, where `GET`, `CONNECT` and `SSH-1` are tags (RFC 9051 9). `/`, `*` and
 * `http:` begin no verb.
 */
export const TAGGED_OPENINGS = openingTable({ TLS: RECORDS, HTTP: [...requests, HTTP2_PREFACE], SSH: [] });
/** What no server greets with. */
export const SERVER_OPENINGS = openingTable({ TLS: RECORDS, HTTP: ['HTTP/'], SSH: ['SSH-'] });

function openingTable(openers: Readonly<Record<ForeignProtocol, readonly string[]>>): OpeningTable {
  const table = new Map<string, ForeignProtocol | undefined>();
  for (const spoken of ['TLS', 'HTTP', 'SSH'] as const) {
    for (const opener of openers[spoken]) {
      for (let length = 1; length < opener.length; length += 1) table.set(opener.slice(0, length), undefined);
      table.set(opener, spoken);
    }
  }
  return table;
}

/** Reads how a line, or the beginning of one, opens. */
export function readOpening(text: string, openings: OpeningTable): Opening {
  for (let length = 1; length <= text.length; length += 1) {
    const head = text.slice(0, length);
    if (!openings.has(head)) return { kind: 'none' };
    const spoken = openings.get(head);
    if (spoken !== undefined) return { kind: 'foreign', spoken };
  }
  return text === '' ? { kind: 'none' } : { kind: 'undecided' };
}

/** The identification of an SSH client (RFC 4253 4.2), where it is told from a tag by what follows it. */
export function isSshIdentification(line: string): boolean {
  return /^SSH-[0-9]+\.[0-9]+-/.test(line);
}

/** What a client that opened so reads as a refusal, where it is not the words of the port's own protocol. */
export function ownWords(spoken: ForeignProtocol): string | undefined {
  return spoken === 'TLS' ? tlsAlert('unexpected_message') : undefined;
}
