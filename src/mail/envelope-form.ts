/**
 * Which paths every server reads as the same mailbox. Parsers of addresses differ in what an open comment, a bracket
 * out of place, a group or a quote in the middle of a word means (Postfix tok822_parse, Exim parse_extract_address,
 * OpenSMTPD smtp_mailaddr), and some look where others do not: no one reading of ours would be theirs. So what is
 * written as the RFC has it counts as clear, with the few liberties that all of them take alike, and nothing else.
 */

/** Octets of a word: no specials (RFC 5321 4.1.2), no blank or control character, none that means a way to go. */
const WORD = String.raw`[^\x00-\x20\x7f"(),:;<>@[\\\]%!]`;
/** The local part alone may have ways to go in it, which are readings of their own (`otherReadings`). */
const LOCAL = String.raw`[^\x00-\x20\x7f"(),:;<>@[\\\]]+`;
const QUOTED = `"(?:${WORD}| )+"`;
/** Two dots in a row, or one at the beginning: servers differ in whether they drop them. */
const DOMAIN = String.raw`(?!\.|${WORD}*\.\.)${WORD}+`;
const LITERAL = String.raw`\[[^\x00-\x20\x7f"(),;<>@[\\\]%!]+\]`;
const ROUTE = `@${DOMAIN}(?:,@${DOMAIN})*:`;
/** Without a domain nothing may stand for one: Postfix makes `user@host` of `user%host` and of `host!user`. */
const MAILBOX = `(?:(?:${LOCAL}|${QUOTED})@(?:${DOMAIN}|${LITERAL})|${WORD}+|${QUOTED})`;
const PARAMETERS = String.raw`(?: +[A-Za-z0-9][A-Za-z0-9-]*(?:=[^\x00-\x20\x7f"()\\]*)?)* *`;
const PARAMETERS_WITHOUT_BRACKETS = String.raw`(?: +[A-Za-z0-9][A-Za-z0-9-]*(?:=[^\x00-\x20\x7f"()\\<>]*)?)* *`;

const BRACKETED = new RegExp(`^ *<(?:(?:${ROUTE})?${MAILBOX})?>${PARAMETERS}$`);
const BARE = new RegExp(`^ *(?:${ROUTE})?${MAILBOX}${PARAMETERS_WITHOUT_BRACKETS}$`);

/** Ways to go that are read one after the other. */
const READINGS_MAX = 4;

/** Whether what follows `FROM:` or `TO:` is one mailbox to every server. Text is latin-1, one character an octet. */
export function isClear(argument: string): boolean {
  if (!BRACKETED.test(argument) && !BARE.test(argument)) return false;
  return (argument.match(/[%!](?=[^@]*@)/g)?.length ?? 0) < READINGS_MAX;
}

/**
 * What servers deliver to for which `domain` is their own: of `user%host@domain` and `host!user@domain` Postfix and
 * Sendmail take `user@host` (Postfix rewrite_tree, allow_percent_hack, swap_bangpath; both default to yes), and so on
 * while there is one left.
 */
export function otherReadings(mailbox: string): readonly string[] {
  const found: string[] = [];
  let local = mailbox.slice(0, Math.max(mailbox.lastIndexOf('@'), 0));
  while (!local.startsWith('"') && found.length < READINGS_MAX) {
    const bang = local.indexOf('!');
    const percent = local.lastIndexOf('%');
    if (bang < 0 && percent < 0) break;
    const [user, host] =
      bang >= 0 ? [local.slice(bang + 1), local.slice(0, bang)] : [local.slice(0, percent), local.slice(percent + 1)];
    found.push(`${user}@${host}`);
    local = user;
  }
  return found;
}
