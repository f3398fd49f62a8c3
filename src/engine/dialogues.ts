import type { EffectiveInspection } from '../policy/defaults.ts';
import type { PortProtocol } from '../policy/ports.ts';
import { imap } from '../protocols/imap/machine.ts';
import { pop3 } from '../protocols/pop3/machine.ts';
import { smtp } from '../protocols/smtp/machine.ts';
import { defaultSmtpPolicy } from '../protocols/smtp/policy.ts';
import { type Dialogue, startDialogue } from './session.ts';

/** The dialogue of a new session, or undefined where there is none to read (TLS ports: ciphertext, D-03). */
export function dialogueFor(
  protocol: PortProtocol,
  inspection: EffectiveInspection,
  hostname: string,
): Dialogue | undefined {
  const { reset, secureLogin, maxDataBytes } = inspection;
  switch (protocol) {
    case 'smtp':
      return startDialogue(smtp, {
        ...defaultSmtpPolicy,
        extended: inspection.protocol === 'esmtp',
        maxDataBytes,
        hostname,
      });
    case 'pop3':
      return startDialogue(pop3, { reset, secureLogin, hostname });
    case 'imap':
      return startDialogue(imap, { reset, secureLogin, hostname });
    case 'smtps':
    case 'pop3s':
    case 'imaps':
      return undefined;
  }
}
