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

/** Reads what follows `FROM:` or `TO:`. */
export function parsePath(argument: string): MailPath {
  const end = pathEnd(argument);
  const path = argument.slice(0, end).replace(/^ *<?/, '').replace(/>$/, '').trimEnd();
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
    .map((host) => host.trim().replace(/^@/, ''));
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
