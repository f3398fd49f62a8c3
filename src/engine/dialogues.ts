import type { EffectiveInspection } from '../policy/defaults.ts';
import type { PortProtocol } from '../policy/ports.ts';
import { imap } from '../protocols/imap/machine.ts';
import { pop3 } from '../protocols/pop3/machine.ts';
import { smtp } from '../protocols/smtp/machine.ts';
import { defaultSmtpPolicy, type SmtpPolicy } from '../protocols/smtp/policy.ts';
import { type TlsState, tls } from '../protocols/tls/machine.ts';
import type { OpenedFlow } from './opening.ts';
import { type Dialogue, type DialogueScript, startDialogue } from './session.ts';

/** Starts the dialogue of a new session. */
export type StartDialogue = (opened: Pick<OpenedFlow, 'initiator' | 'responder'>) => Dialogue;

/** What holds for the dialogues of a whole configuration. */
export interface DialogueSettings {
  readonly hostname: string;
  /** `postern chunking`: whether SMTP may send a message in chunks. */
  readonly chunking: SmtpPolicy['chunking'];
}

/** How sessions of this inspection begin; undefined where there is nothing to read: generic inspection. */
export function dialogueFor(
  protocol: PortProtocol,
  inspection: EffectiveInspection,
  { hostname, chunking }: DialogueSettings,
): StartDialogue | undefined {
  const { reset, secureLogin, maxDataBytes } = inspection;
  switch (protocol) {
    case 'smtp': {
      const extended = inspection.protocol === 'esmtp';
      return starting({
        inspector: smtp,
        policy: { ...defaultSmtpPolicy, extended, maxDataBytes, hostname, chunking, ...smtpLines(inspection) },
      });
    }
    case 'pop3':
      return starting({ inspector: pop3, policy: { reset, secureLogin, hostname, ...mailboxLines(inspection) } });
    case 'imap':
      return starting({ inspector: imap, policy: { reset, secureLogin, hostname, ...mailboxLines(inspection) } });
    case 'smtps':
    case 'pop3s':
    case 'imaps':
      return startTls;
    case 'tcp':
    case 'udp':
    case 'icmp':
      return undefined;
  }
}

/** On a TLS port, under a rule or a class alike. */
export function startTls(): Dialogue {
  return startDialogue(TLS_SCRIPT);
}

const TLS_SCRIPT: DialogueScript<TlsState, undefined> = { inspector: tls, policy: undefined };

/** One script for all the sessions that begin so. */
function starting<State, Policy>(script: DialogueScript<State, Policy>): StartDialogue {
  return () => startDialogue(script);
}

/** `line-endings` and `require-tls` of a session, in the terms of its machine. */
export type LineSettings = Pick<EffectiveInspection, 'lineEndings' | 'requireTls'>;

export function smtpLines({ lineEndings, requireTls }: LineSettings): Pick<SmtpPolicy, 'lineEndings' | 'requireTls'> {
  return { lineEndings, requireTls: requireTls === 'login' ? 'never' : requireTls };
}

export function mailboxLines({ lineEndings, requireTls }: LineSettings) {
  return { lineEndings, requireTls: requireTls === 'login' };
}
