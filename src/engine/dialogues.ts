import type { EffectiveInspection } from '../policy/defaults.ts';
import type { PortProtocol } from '../policy/ports.ts';
import { imap } from '../protocols/imap/machine.ts';
import { pop3 } from '../protocols/pop3/machine.ts';
import { smtp } from '../protocols/smtp/machine.ts';
import { defaultSmtpPolicy } from '../protocols/smtp/policy.ts';
import { type Dialogue, type DialogueScript, startDialogue } from './session.ts';

/** Starts the dialogue of a new session. */
export type StartDialogue = () => Dialogue;

/** How sessions of this inspection begin; undefined where there is nothing to read (TLS ports: ciphertext, D-03;
 * generic inspection). */
export function dialogueFor(
  protocol: PortProtocol,
  inspection: EffectiveInspection,
  hostname: string,
): StartDialogue | undefined {
  const { reset, secureLogin, maxDataBytes } = inspection;
  switch (protocol) {
    case 'smtp': {
      const policy = { ...defaultSmtpPolicy, extended: inspection.protocol === 'esmtp', maxDataBytes, hostname };
      return starting({ inspector: smtp, policy });
    }
    case 'pop3':
      return starting({ inspector: pop3, policy: { reset, secureLogin, hostname } });
    case 'imap':
      return starting({ inspector: imap, policy: { reset, secureLogin, hostname } });
    case 'smtps':
    case 'pop3s':
    case 'imaps':
    case 'tcp':
    case 'udp':
    case 'icmp':
      return undefined;
  }
}

function starting<State, Policy>(script: DialogueScript<State, Policy>): StartDialogue {
  return () => startDialogue(script);
}
