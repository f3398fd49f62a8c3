/**
 * The addresses of MAIL and RCPT as policy is to see them (cisco-ios 3.9, D-40): what a server delivers to or from,
 * however it is written. Servers drop comments, blanks, needless quotes and backslashes before they look an address up
 * (RFC 5322 3.2.2, RFC 5321 4.1.2), so that a rule for `eve@evil.test` has to meet `<"eve" @evil.test.>`.
 */
import { leadingSpaces, parsePath, trimSpaces } from './address.ts';
import { isClear, otherReadings } from './envelope-form.ts';

export interface EnvelopeAddress {
  /** The mailbox; empty for `<>`. Where it cannot be read, what stands between the brackets, as sent. */
  readonly address: string;
  /** What it is to servers that take a domain of their own off it: `user@host` of `user%host@domain`. */
  readonly readings: readonly string[];
  /** Hosts of a source route, first one first. */
  readonly route: readonly string[];
  /** Every server reads it so. Else it is the most likely of several readings. */
  readonly clear: boolean;
}

/** Reads what follows `FROM:` or `TO:`, parameters included. Text is latin-1, one character an octet. */
export function envelopeAddress(argument: string): EnvelopeAddress {
  const path = pathText(argument);
  const { route, mailbox } = withoutRoutes(canonical(path) ?? path);
  return { route, address: mailbox, readings: otherReadings(mailbox), clear: isClear(argument) };
}

/**
 * What stands in the brackets, of which there may be two, or a name or address before them that counts for nothing;
 * without brackets the first word. A quote or bracket that nobody closes ends with the word. Nothing in a comment or a
 * quoted string is a bracket: Postfix delivers `(<a@b.example>)eve@evil.test` and `"<a@b.example>"<eve@evil.test>` to
 * eve.
 */
function pathText(argument: string): string {
  const plain = withoutComments(argument) ?? argument;
  const open = openingBracket(plain);
  if (open < 0) return upTo(plain, ' ');
  const text = plain.slice(open).replace(/^[< ]+/, '');
  const inner = upTo(text, '>');
  if (inner === '') return /^>+([^ ]*)/.exec(text)?.[1] ?? '';
  for (let path = inner; ; ) {
    const next = unquotedIndex(path, '<', 0);
    if (next < 0) return path;
    path = trimSpaces(path.slice(next + 1));
  }
}

function upTo(text: string, end: ' ' | '>'): string {
  const at = unquotedIndex(text, end, end === ' ' ? leadingSpaces(text) : 0);
  if (at >= 0) return trimSpaces(text.slice(0, at));
  return text.slice(leadingSpaces(text)).split(/[ >]/, 1)[0] ?? '';
}

/** Where the path's bracket opens, or -1. That of a parameter does not count: `u@c.example AUTH=<x@d.example>`. */
function openingBracket(argument: string): number {
  const open = unquotedIndex(argument, '<', 0);
  const before = argument.slice(leadingSpaces(argument), Math.max(open, 0));
  const blank = unquotedIndex(before, ' ', 0);
  if (blank < 0) return open;
  const isPath = unquotedIndex(before.slice(0, blank), '@', 0) >= 0;
  return isPath || before.endsWith('=') ? -1 : open;
}

/** Nothing where a quote or comment stays open. */
function withoutComments(argument: string): string | undefined {
  let text = '';
  let depth = 0;
  for (let i = 0; i < argument.length; i += 1) {
    const octet = argument.charAt(i);
    let end = octet === '\\' ? i + 1 : i;
    if (octet === '(') depth += 1;
    else if (octet === ')' && depth > 0) {
      depth -= 1;
      continue;
    } else if (octet === '"' && depth === 0) {
      end = closingQuote(argument, i);
      if (end < 0) return undefined;
    }
    if (depth === 0) text += argument.slice(i, end + 1);
    i = end;
  }
  return depth > 0 ? undefined : text;
}

/** Where `wanted` stands outside quotes, from `start` on, or -1. */
function unquotedIndex(text: string, wanted: string, start: number): number {
  let quoted = false;
  for (let i = start; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') quoted = !quoted;
    else if (!quoted && text[i] === wanted) return i;
  }
  return -1;
}

/** Without comments, blanks, needless quotes and backslashes; nothing where quotes or comments stay open. */
function canonical(path: string): string | undefined {
  let text = '';
  let depth = 0;
  for (let i = 0; i < path.length; i += 1) {
    const octet = path.charAt(i);
    if (octet === '(') depth += 1;
    else if (octet === ')' && depth > 0) depth -= 1;
    else if (octet === '\\') {
      i += 1;
      if (depth === 0) text += path.charAt(i);
    } else if (depth > 0 || octet === ' ') continue;
    else if (octet === '"') {
      const end = closingQuote(path, i);
      if (end < 0) return undefined;
      text += plainly(path.slice(i, end + 1));
      i = end;
    } else text += octet;
  }
  return depth > 0 ? undefined : text;
}

function closingQuote(text: string, open: number): number {
  for (let i = open + 1; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') return i;
  }
  return -1;
}

/** A quoted string without its quotes where it would be the same without them (RFC 5321 4.1.2). */
function plainly(quoted: string): string {
  const content = quoted.slice(1, -1).replace(/\\(.)/gs, '$1');
  return /^[^ "(),:;<>@[\\\]]+$/.test(content) ? content : quoted;
}

/**
 * RFC 5321 appendix C: routes are ignored. The last mailbox counts; a dot behind its domain and commas around it do
 * not.
 */
function withoutRoutes(path: string): { readonly route: readonly string[]; readonly mailbox: string } {
  const route: string[] = [];
  let mailbox = path;
  for (;;) {
    const read = parsePath(`<${mailbox}>`);
    if (read.route.length === 0) break;
    route.push(...read.route.filter((host) => host !== ''));
    mailbox = read.address;
  }
  const bare = mailbox.replace(/^[,;]+/, '').replace(/[,;]+$/, '');
  return { route, mailbox: bare.replace(/(?<=@[^"]*[^.])\.$/, '') };
}
