import { type WordTable, wordTable } from '../../inspect/words.ts';
import type { Place } from './arguments.ts';

/** RFC 9051 3. The firewall judges in the first; after that only what ends or undoes authentication matters. */
export type SessionState = 'notAuthenticated' | 'authenticated' | 'selected';

/** What a tagged OK does to the session. */
export type Effect = 'nothing' | 'authenticates' | 'startsTls' | 'ends' | 'unauthenticates';

export interface CommandRule {
  readonly allowedIn: readonly SessionState[];
  /** Where its arguments begin; `unread` for those that are never judged, `sasl` for a mechanism with its response. */
  readonly arguments: Place | 'sasl' | 'unread';
  readonly onOk: Effect;
  /** Whether a password goes on its line. */
  readonly cleartextLogin: boolean;
}

const plain = { onOk: 'nothing', cleartextLogin: false } as const;
const any = { ...plain, allowedIn: ['notAuthenticated', 'authenticated', 'selected'] } as const;
const before = { ...plain, allowedIn: ['notAuthenticated'] } as const;
const after = { ...plain, allowedIn: ['authenticated', 'selected'], arguments: 'unread' } as const;
const selected = { ...plain, allowedIn: ['selected'], arguments: 'unread' } as const;

const rows = <Rule extends CommandRule>(rule: Rule, verbs: string): [string, CommandRule][] =>
  verbs.split(' ').map((verb) => [verb, rule]);

/** Every command the firewall knows. A verb that is not here is an invalid command. */
export const COMMANDS: ReadonlyMap<string, CommandRule> = new Map<string, CommandRule>([
  // RFC 9051 6.1, any state
  ['CAPABILITY', { ...any, arguments: 'end' }],
  ['NOOP', { ...any, arguments: 'end' }],
  ['LOGOUT', { ...any, arguments: 'end', onOk: 'ends' }],
  // RFC 2971 3, any state
  ['ID', { ...any, arguments: 'id' }],
  // RFC 5255 3.2, any state
  ['LANGUAGE', { ...any, arguments: 'language' }],
  // RFC 9051 6.2, not authenticated
  ['STARTTLS', { ...before, arguments: 'end', onOk: 'startsTls' }],
  ['AUTHENTICATE', { ...before, arguments: 'sasl', onOk: 'authenticates' }],
  ['LOGIN', { ...before, arguments: 'login', onOk: 'authenticates', cleartextLogin: true }],
  // RFC 8437
  ['UNAUTHENTICATE', { ...after, onOk: 'unauthenticates' }],
  // RFC 9051 6.3, RFC 3501 6.3 (LSUB)
  ...rows(after, 'ENABLE SELECT EXAMINE CREATE DELETE RENAME SUBSCRIBE UNSUBSCRIBE LIST LSUB NAMESPACE STATUS'),
  ...rows(after, 'APPEND IDLE'),
  // RFC 9051 6.4, RFC 3501 6.4.1 (CHECK), RFC 3691, RFC 6851
  ...rows(selected, 'CHECK CLOSE UNSELECT EXPUNGE SEARCH FETCH STORE COPY MOVE UID'),
  // RFC 4978
  ...rows(after, 'COMPRESS'),
  // RFC 9208, RFC 4314, RFC 5464
  ...rows(after, 'GETQUOTA GETQUOTAROOT SETQUOTA SETACL DELETEACL GETACL LISTRIGHTS MYRIGHTS GETMETADATA SETMETADATA'),
  // RFC 5256, RFC 5267, RFC 7377, RFC 5259, RFC 8508
  ...rows(selected, 'SORT THREAD CANCELUPDATE CONVERT REPLACE'),
  ...rows(after, 'ESEARCH CONVERSIONS'),
  // RFC 5465, RFC 5255 (COMPARATOR), RFC 4467, RFC 2193, RFC 9698
  ...rows(after, 'NOTIFY COMPARATOR GENURLAUTH RESETKEY URLFETCH RLIST RLSUB GETJMAPACCESS'),
]);

/**
 * LANGUAGE is one only where the server listed it (RFC 5255 3.1). To another it is unknown, and Stalwart answers an
 * unknown verb at the blank behind it: what comes in the next segment is a command of its own there.
 */
export interface VerbTables {
  readonly usual: WordTable;
  readonly withLanguage: WordTable;
}

/** Verbs before authentication, those that `secure-login` forbids among the permitted ones or not. */
export const NOT_AUTHENTICATED_VERBS: VerbTables = verbs(() => true);
export const SECURE_NOT_AUTHENTICATED_VERBS: VerbTables = verbs((rule) => !rule.cleartextLogin);
/** What is left before TLS where logins need it. */
export const BEFORE_TLS_VERBS: VerbTables = verbs((rule) => rule.onOk !== 'authenticates');
/** After a greeting of BYE there is nothing left to say but goodbye. */
export const CLOSED_VERBS: WordTable = wordTable(
  ['LOGOUT'],
  [...COMMANDS.keys()].filter((verb) => verb !== 'LOGOUT'),
);

function verbs(permits: (rule: CommandRule) => boolean): VerbTables {
  const isPermitted = (rule: CommandRule): boolean => rule.allowedIn.includes('notAuthenticated') && permits(rule);
  const names = (wanted: boolean): string[] =>
    [...COMMANDS].filter(([, rule]) => isPermitted(rule) === wanted).map(([verb]) => verb);
  const usual = names(true).filter((verb) => verb !== 'LANGUAGE');
  return { usual: wordTable(usual, names(false)), withLanguage: wordTable(names(true), names(false)) };
}
