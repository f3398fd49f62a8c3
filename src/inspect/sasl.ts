import { readWord, wordTable } from './words.ts';

/**
 * SASL as POP3 (RFC 5034) and IMAP (RFC 9051 6.2.2) share it: which mechanisms keep their secret on a line that is not
 * encrypted, and what the lines of an exchange look like.
 */

/** Mechanisms that prove a secret without sending it, or that take it from elsewhere. */
const SECURE_MECHANISMS = [
  'CRAM-MD5',
  'DIGEST-MD5',
  'SCRAM-SHA-1',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-512',
  'SCRAM-SHA-512-PLUS',
  'SCRAM-SHA3-512',
  'SCRAM-SHA3-512-PLUS',
  'NTLM',
  'GSSAPI',
  'GSS-SPNEGO',
  'GS2-KRB5',
  'GS2-KRB5-PLUS',
  'KERBEROS_V4',
  'KERBEROS_V5',
  'SRP',
  'EXTERNAL',
] as const;

/** Mechanisms whose response is the secret itself. A bearer token is as good as a password to who reads it. */
const CLEARTEXT_MECHANISMS = ['PLAIN', 'LOGIN', 'ANONYMOUS', 'XOAUTH2', 'OAUTHBEARER'] as const;

const MECHANISMS = wordTable(SECURE_MECHANISMS, CLEARTEXT_MECHANISMS);

/** RFC 4422 3.1: a mechanism's name has 1 to 20 characters. */
const MECHANISM_CHARACTERS_MAX = 20;

export type MechanismReading =
  | { readonly kind: 'growing' }
  | { readonly kind: 'mechanism'; readonly name: string; readonly end: number }
  | { readonly kind: 'malformed'; readonly at: number }
  | { readonly kind: 'cleartext'; readonly name: string; readonly at: number };

/**
 * Reads the mechanism that starts at `from`. With `secureOnly`, one that may send its secret in clear is an offence at
 * the octet that tells, and a mechanism that nobody knows counts as such.
 */
export function readMechanism(
  text: string,
  from: number,
  { secureOnly, complete }: { readonly secureOnly: boolean; readonly complete: boolean },
): MechanismReading {
  let end = from;
  while (end < text.length && text[end] !== ' ') {
    if (!/[A-Za-z0-9_-]/.test(text.charAt(end)) || end - from === MECHANISM_CHARACTERS_MAX) break;
    end += 1;
  }
  if (secureOnly) {
    const judged = readWord(text.slice(0, end), from, MECHANISMS, complete || end < text.length);
    if (judged.kind === 'forbidden') return { kind: 'cleartext', name: judged.word, at: judged.at };
    if (judged.kind === 'unknown' && end > from) {
      return {
        kind: 'cleartext',
        name: text
          .slice(from, judged.at + 1)
          .trimEnd()
          .toUpperCase(),
        at: judged.at,
      };
    }
  }
  if (end < text.length && text[end] !== ' ') return { kind: 'malformed', at: end };
  if (end === text.length && !complete) return { kind: 'growing' };
  if (end === from) return { kind: 'malformed', at: end };
  return { kind: 'mechanism', name: text.slice(from, end).toUpperCase(), end };
}

/**
 * The mechanism that starts at `from` of a whole line, upper-case, where it may send its secret in clear; nobody knows
 * what an unknown one sends.
 */
export function cleartextMechanismAt(text: string, from: number): string | undefined {
  const judged = readMechanism(text, from, { secureOnly: true, complete: true });
  if (judged.kind !== 'cleartext') return undefined;
  const named = readMechanism(text, from, { secureOnly: false, complete: true });
  return named.kind === 'mechanism' ? named.name : judged.name;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const BASE64_SO_FAR = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Whether a line can be the client's turn in an exchange: base64, nothing at all, or `*` to cancel (RFC 5034 4). Of a
 * line under way, whether it can become that.
 */
export function isSaslResponse(text: string, complete: boolean): boolean {
  return text === '*' || (complete ? BASE64 : BASE64_SO_FAR).test(text);
}

/**
 * Whether this can follow the mechanism on the command's own line: base64, or `=` for an empty response (RFC 4959 3).
 */
export function isInitialResponse(text: string, complete: boolean): boolean {
  if (text === '=') return true;
  return complete ? text !== '' && BASE64.test(text) : BASE64_SO_FAR.test(text) && text !== '==';
}
