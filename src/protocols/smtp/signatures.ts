import type { Alert } from '../../inspect/alerts.ts';
import { envelopeAddress } from '../../mail/envelope.ts';
import { pathStart } from './command-line.ts';
import { COMMANDS, type CommandRule, upper } from './grammar.ts';
import type { SmtpPolicy } from './policy.ts';

/** The sendmail-era signatures of the IOS firewall (cisco-ios 3.8). */
const NAMES = {
  3100: 'Smail Attack',
  3101: 'Sendmail Invalid Recipient',
  3102: 'Sendmail Invalid Sender',
  3103: 'Sendmail Reconnaissance',
  3104: 'Archaic Sendmail Attacks',
  3105: 'Sendmail Decode Alias',
  3106: 'Mail Spam',
} as const;

type Signature = keyof typeof NAMES;

export function signatureAlert(signature: Signature): Alert {
  return { id: 'SMTP_SIGNATURE', signature, name: NAMES[signature] };
}

/** What a legal command is worth telling: `recipients` counts the RCPT commands of this message, this one included. */
export function signaturesOf(
  rule: CommandRule,
  argument: string,
  recipients: number,
  policy: SmtpPolicy,
): readonly Signature[] {
  const found: Signature[] = rule.signature === undefined ? [] : [rule.signature];
  if (rule.keyword !== 'TO:') return found;
  const { address } = envelopeAddress(argument.slice(pathStart(rule, argument) ?? argument.length));
  if (/^(?:UU)?DECODE(?:@|$)/.test(upper(address))) found.push(3105);
  if (recipients === policy.spamRecipients + 1) found.push(3106);
  return found;
}

/** Verbs of old break-ins, masked like every illegal one. */
export function signatureOfIllegal(verb: string): Signature | undefined {
  return COMMANDS.get(upper(verb))?.signature;
}
