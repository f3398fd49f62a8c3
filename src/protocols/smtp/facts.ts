/** What lines tell of themselves (cisco-ios 3.9). Facts stand beside the actions and decide nothing here. */
import type { Fact } from '../../inspect/facts.ts';
import { envelopeAddress } from '../../mail/envelope.ts';
import { pathStart } from './command-line.ts';
import { keywordOf } from './ehlo.ts';
import { type CommandRule, EMPTY_LINE, upper } from './grammar.ts';

/** A whole command line, masked or not. */
export function lineFact(text: string): Fact {
  return { kind: 'command', verb: verbOf(text), lengthBytes: text.length, whole: true };
}

/** The first octets of one; its verb counts once a space has ended it. */
export function headFact(text: string): Fact {
  const verb = text.includes(' ') ? { verb: verbOf(text) } : {};
  return { kind: 'command', ...verb, lengthBytes: text.length, whole: false };
}

function verbOf(text: string): string {
  return upper(text.split(' ', 1)[0] ?? '');
}

/** The addresses of MAIL, RCPT and their like; nothing for other commands or where the path is missing. */
export function envelopeFacts(rule: CommandRule, argument: string): readonly Fact[] {
  const start = pathStart(rule, argument);
  if (start === undefined) return [];
  const { address, readings, route, clear } = envelopeAddress(argument.slice(start));
  if (rule.keyword === 'FROM:') return [{ kind: 'sender', addresses: [address, ...readings], clear }];
  return [{ kind: 'recipient', addresses: [address, ...readings, ...route.map((host) => `@${host}`)], clear }];
}

/** A line of the answer to EHLO behind its first, whether the client may see it or not. */
export function keywordFacts(text: string): readonly Fact[] {
  const keyword = keywordOf(text);
  return keyword === '' ? [] : [{ kind: 'ehloKeyword', keyword }];
}

export type StarttlsOffer = Exclude<Extract<Fact, { kind: 'starttls' }>['offer'], 'refused'>;

/** What firewalls that overwrite keywords leave of STARTTLS, or of another one as long: `XXXXXXXX`, `XXXXXXXA`. */
const OVERWRITTEN = /^X{7}[A-Z]$/;

/** What an answer to EHLO says of STARTTLS behind one more of its lines. Whether the client may see it is no matter. */
export function offerAfter(before: StarttlsOffer, keyword: string): StarttlsOffer {
  if (before === 'offered' || keyword === 'STARTTLS') return 'offered';
  return OVERWRITTEN.test(keyword) ? 'overwritten' : before;
}

/**
 * Told with the last line of an answer to EHLO, and to HELO where EHLO was refused: so somebody on the way has it
 * forgotten too. A client that says HELO by itself asked for no extensions. And with a refusal of STARTTLS, after which
 * a client may go on in clear (RFC 3207 4); 421 is no word about TLS, but the server going away (RFC 5321 3.8).
 */
export function starttlsFacts(
  { starttls: offer, ehloRefused }: { readonly starttls: StarttlsOffer; readonly ehloRefused: boolean },
  { answers, code, continued }: { answers: CommandRule | undefined; code: string; continued: boolean },
): readonly Fact[] {
  if (answers?.effect === 'startsTls') {
    return /^[45]/.test(code) && code !== '421' && !continued ? [{ kind: 'starttls', offer: 'refused' }] : [];
  }
  if (answers?.effect !== 'greets' || !code.startsWith('2') || continued) return [];
  return answers.verb === 'EHLO' || ehloRefused ? [{ kind: 'starttls', offer }] : [];
}

/** D-42. The enhanced code is that of RFC 3463 3.2: something is wrong with the address. */
const REFUSES_RECIPIENT = /^55[0134]$/;
const ADDRESS_STATUS = /^5\.1\.[0-9]{1,3}(?: |$)/;

/**
 * Whether the first line of a reply refuses a recipient for good. `pending`: what is unanswered, oldest first. An empty
 * line is passed over: few servers answer it, and none so.
 */
export function refusesRecipient(pending: readonly CommandRule[], code: string, text: string): boolean {
  const answered = pending.find((rule) => rule !== EMPTY_LINE);
  if (answered?.effect !== 'addsRecipient') return false;
  return REFUSES_RECIPIENT.test(code) || (code.startsWith('5') && ADDRESS_STATUS.test(text));
}
