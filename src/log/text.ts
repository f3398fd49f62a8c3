import type { Endpoint } from '../firewall/snapshot.ts';

/** `192.0.2.1:25`, and `[2001:db8::1]:25` as IOS brackets IPv6 (cisco-ios 5.8). */
export function printEndpoint(endpoint: Endpoint): string {
  const address = endpoint.address.includes(':') ? `[${endpoint.address}]` : endpoint.address;
  return `${address}:${endpoint.port}`;
}

/**
 * Makes text from outside safe for one line of a log or a terminal: control characters, line separators and
 * bidirectional overrides are escaped (a peer must not be able to forge a line or hide one), a backslash is doubled so
 * that no escape can be imitated, and length is bounded.
 */
export function escapeText(text: string, charactersMax: number): string {
  const cut = text.length > charactersMax ? `${text.slice(0, charactersMax)}...` : text;
  return cut.replace(UNSAFE, escapeCharacter);
}

/**
 * The last line of defence for secrets in text quoted from the wire: whatever follows PASS, LOGIN, APOP, AUTH or
 * AUTHENTICATE is left out (a known SASL mechanism stays), glued to the verb or not, and so is anything that looks like
 * a SASL response. Inspectors hand in verbs and mechanisms only; this holds when one of them errs.
 */
export function redactSecrets(text: string): string {
  const verb = SECRET_VERB.exec(text);
  if (!verb) return text.replace(BASE64_RUN, REDACTED);
  const upTo = verb.index + verb[0].length;
  const head = text.slice(0, upTo).replace(BASE64_RUN, REDACTED);
  const tail = text.slice(upTo);
  if (tail.trim() === '') return head;
  const mechanism = KNOWN_MECHANISM.exec(tail)?.[0] ?? '';
  const rest = tail.slice(mechanism.length);
  if (rest.trim() === '') return head + mechanism;
  return `${head}${mechanism}${/^\s/.test(rest) ? ' ' : ''}${REDACTED}`;
}

const REDACTED = '***';
const SECRET_VERB = /(?<![A-Za-z0-9])(?:AUTHENTICATE|AUTH|PASS|LOGIN|APOP)/i;
const KNOWN_MECHANISM =
  /^\s+(?:PLAIN|LOGIN|ANONYMOUS|EXTERNAL|CRAM-MD5|DIGEST-MD5|NTLM|GSSAPI|GSS-SPNEGO|XOAUTH2|OAUTHBEARER|SCRAM-[A-Z0-9-]{1,16}|KERBEROS_V4|SKEY|OTP)(?=\s|$)/i;
/** No verb or capability is as long; a SASL response of a name and a password is. */
const BASE64_RUN = /[A-Za-z0-9+/_-]{24,}={0,2}/g;
/** C0, DEL, C1, Unicode's two line separators, what turns the direction of writing, and the escape's own backslash. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\\]/gu;

function escapeCharacter(character: string): string {
  if (character === '\\') return '\\\\';
  const code = character.charCodeAt(0);
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
