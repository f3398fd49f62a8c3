import { upper } from './grammar.ts';
import type { SmtpPolicy } from './policy.ts';

/**
 * Service extensions whose keyword may reach the client: those whose commands and parameters the firewall knows, or
 * that add parameters only. cisco-ios 3.8 passes the first line; the others came later and add no verb. Missing on
 * purpose: CHUNKING with BINARYMIME and BURL (its text is not dot-stuffed and may not be seen), ATRN and TURN (the
 * session turns round), XCLIENT, XFORWARD and everything private.
 */
const PERMITTED: readonly string[] = [
  ...['8BITMIME', 'SIZE', 'ETRN', 'PIPELINING', 'AUTH', 'DSN', 'ENHANCEDSTATUSCODES'],
  ...['EXPN', 'HELP', 'VRFY', 'SEND', 'SOML', 'SAML'],
  // RFC 6531, 8689, 2852, 6710, 4865, 9422, 3885, 3865, 7293, 4405, 4141
  ...['SMTPUTF8', 'REQUIRETLS', 'DELIVERBY', 'MT-PRIORITY', 'FUTURERELEASE', 'LIMITS', 'MTRK', 'NO-SOLICITING', 'RRVS'],
  ...['SUBMITTER', 'CONPERM', 'CONNEG'],
];
const WITH_CHUNKING: readonly string[] = ['CHUNKING', 'BINARYMIME'];
/** What hides mail or the dialogue from the firewall; never offered, whatever else passes (RFC 4468). */
const HIDING: readonly string[] = ['BURL'];

function permitted(policy: SmtpPolicy): readonly string[] {
  return [
    ...PERMITTED,
    ...(policy.starttls === 'allow' ? ['STARTTLS'] : []),
    ...(policy.chunking === 'allow' ? WITH_CHUNKING : []),
  ];
}

/** What may not be offered where everything else may. */
function hidden(policy: SmtpPolicy): readonly string[] {
  return [
    ...HIDING,
    ...(policy.starttls === 'allow' ? [] : ['STARTTLS']),
    ...(policy.chunking === 'allow' ? [] : WITH_CHUNKING),
  ];
}

/** The extension a line of an EHLO reply names, in upper case. `AUTH=PLAIN` is how servers before RFC 2554 said it. */
export function keywordOf(line: string): string {
  const keyword = upper(line.split(' ', 1)[0] ?? '');
  return keyword.startsWith('AUTH=') ? 'AUTH' : keyword;
}

/**
 * Whether the client may see this extension; for a line under way, whether it may yet name one that the client may
 * see.
 */
export function mayOffer(line: string, whole: boolean, policy: SmtpPolicy): boolean {
  const keyword = keywordOf(line);
  // What begins with a forbidden word is forbidden from the octet that completes it, as verbs are.
  const begins = (word: string): boolean => word !== '' && keyword.startsWith(word);
  if ([...policy.maskedKeywords].some(begins)) return false;
  // Clients may skip blanks before a keyword, Postfix equals signs too (smtp_proto.c, smtp_helo).
  if (policy.verbs === 'open') return !/^[ \t=]/.test(line) && !hidden(policy).some(begins);
  if (whole || line.includes(' ') || upper(line).startsWith('AUTH=')) {
    return line === '' || permitted(policy).includes(keyword);
  }
  return permitted(policy).some((word) => word.startsWith(keyword));
}
