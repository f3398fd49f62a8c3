/**
 * Paths of SMTP envelopes (RFC 5321 4.1.2), read as servers read them rather than as the RFC writes them: brackets may
 * be missing and spaces may stand before them. Nothing is refused here; who asks decides.
 */

export interface MailPath {
  /** The mailbox without brackets and route; empty for `<>`. */
  readonly address: string;
  readonly localPart: string;
  /** Without the `@`; empty when there is none. */
  readonly domain: string;
  /** Hosts of a source route `@a,@b:`, first one first (RFC 5321 appendix C). */
  readonly route: readonly string[];
  /** `KEYWORD=value` and bare keywords that follow the path, as sent. */
  readonly parameters: readonly string[];
}

/** How many spaces stand at the beginning. Text is octets: to JavaScript 0xA0 is a blank, to UTF-8 half a letter. */
export function leadingSpaces(text: string): number {
  let count = 0;
  while (text[count] === ' ') count += 1;
  return count;
}

export function trimSpacesAtEnd(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === ' ') end -= 1;
  return text.slice(0, end);
}

export function trimSpaces(text: string): string {
  return trimSpacesAtEnd(text.slice(leadingSpaces(text)));
}

/** Reads what follows `FROM:` or `TO:`. */
export function parsePath(argument: string): MailPath {
  const end = pathEnd(argument);
  const path = trimSpacesAtEnd(argument.slice(0, end).replace(/^ *<?/, '').replace(/>$/, ''));
  const { route, mailbox } = splitRoute(path);
  const at = lastUnquoted(mailbox, '@');
  return {
    address: mailbox,
    localPart: at < 0 ? mailbox : mailbox.slice(0, at),
    domain: at < 0 ? '' : mailbox.slice(at + 1),
    route,
    parameters: argument
      .slice(end)
      .split(' ')
      .filter((word) => word !== ''),
  };
}

/** Where the path ends and parameters begin: behind the `>`, or at the space that follows a path without brackets. */
export function pathEnd(argument: string): number {
  let start = 0;
  while (argument[start] === ' ') start += 1;
  const bracketed = argument[start] === '<';
  let quoted = false;
  for (let i = start; i < argument.length; i += 1) {
    const octet = argument[i];
    if (octet === '\\') i += 1;
    else if (octet === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (bracketed && octet === '>') return i + 1;
    else if (!bracketed && octet === ' ') return i;
  }
  return argument.length;
}

function splitRoute(path: string): { readonly route: readonly string[]; readonly mailbox: string } {
  // A colon of an address literal (`@[IPv6:...]`) ends no route.
  const colon = path.startsWith('@') ? path.replace(/\[[^\]]*\]/g, (host) => '-'.repeat(host.length)).indexOf(':') : -1;
  if (colon < 0) return { route: [], mailbox: path };
  const route = path
    .slice(0, colon)
    .split(',')
    .map((host) => trimSpaces(host).replace(/^@/, ''));
  return { route, mailbox: path.slice(colon + 1) };
}

function lastUnquoted(text: string, wanted: string): number {
  let found = -1;
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') quoted = !quoted;
    else if (!quoted && text[i] === wanted) found = i;
  }
  return found;
}
