import type { PolicyHit, PolicyVerb } from '../inspect/policy-hit.ts';
import type { LogMessage } from './log-message.ts';
import type { SessionContext } from './reason-messages.ts';

/** How the action of a class with `shadow` begins: `- resetting session` tells of a session that was reset. */
export const SHADOW = 'shadow, would be ';

/** What a class did, or would have done, in the words of D-50. */
export function actionWords({ verb, shadow }: { readonly verb: PolicyVerb; readonly shadow: boolean }): string {
  return shadow ? `${SHADOW}${verb}` : verb;
}

/**
 * The message of a match of an application class: of SMTP one of its own an event (D-50); of POP3 and IMAP the one that
 * inspection rules write too. Which matches are written is the caller's to decide (`hit.log`, `hit.shadow`).
 */
export function hitMessage(hit: PolicyHit, session: SessionContext): LogMessage {
  const { zonePair = '-', class: className = '-' } = session;
  const names = { policy: hit.policy, applClass: hit.class, action: actionWords(hit) };
  const fields = { ...session, zonePair, class: className, ...names };
  switch (hit.event) {
    case 'INVALID_COMMAND': {
      const id = session.protocol === 'imap' ? 'IMAP_INVALID_COMMAND' : 'POP3_INVALID_COMMAND';
      return { id, fields: { ...fields, text: hit.detail } };
    }
    case 'CLEAR_TEXT_LOGIN': {
      const id = session.protocol === 'imap' ? 'IMAP_NON_SECURE_LOGIN' : 'POP3_NON_SECURE_LOGIN';
      return { id, fields: { ...fields, text: hit.detail, mechanism: hit.mechanism ?? '-' } };
    }
    case 'CMD_VERB':
    case 'CMD_LINE_LENGTH':
      return { id: `SMTP_${hit.event}`, fields: { ...fields, text: hit.detail } };
    case 'CONNECTION':
      return { id: 'SMTP_CONNECTION', fields };
    default:
      return { id: `SMTP_${hit.event}`, fields: { ...fields, matched: hit.detail } };
  }
}
