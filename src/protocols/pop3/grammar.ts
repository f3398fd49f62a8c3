import { type WordTable, wordTable } from '../../inspect/words.ts';

/** The session states of RFC 1939 3; AUTHORIZATION is the one in which the firewall judges. */
export type SessionState = 'AUTHORIZATION' | 'TRANSACTION';

/** What an affirmative answer does to the session. */
export type Effect = 'nothing' | 'authenticates' | 'startsTls' | 'ends';

export interface CommandRule {
  readonly allowedIn: readonly SessionState[];
  /** Least and most arguments, set apart by single spaces. */
  readonly argumentCount: readonly [min: number, max: number];
  /** The last argument takes the rest of the line: names and passwords may hold spaces (RFC 1939 7, PASS). */
  readonly restOfLine: boolean;
  /** Whether an affirmative answer goes on until a line with a lone dot; some do only when no argument was given. */
  readonly reply: 'single' | 'multi' | 'multiWithoutArgument';
  readonly onOk: Effect;
  /** Whether it carries a password, or the name that is about to be followed by one, in clear. */
  readonly cleartextLogin: boolean;
}

const plain = { restOfLine: false, reply: 'single', onOk: 'nothing', cleartextLogin: false } as const;
const before = { ...plain, allowedIn: ['AUTHORIZATION'] } as const;
const after = { ...plain, allowedIn: ['TRANSACTION'] } as const;
const always = { ...plain, allowedIn: ['AUTHORIZATION', 'TRANSACTION'] } as const;

/** Every command the firewall knows. A verb that is not here is an invalid command. */
export const COMMANDS: ReadonlyMap<string, CommandRule> = new Map<string, CommandRule>([
  // RFC 1939 4 and 7
  ['USER', { ...before, argumentCount: [1, 1], restOfLine: true, cleartextLogin: true }],
  ['PASS', { ...before, argumentCount: [1, 1], restOfLine: true, cleartextLogin: true, onOk: 'authenticates' }],
  ['APOP', { ...before, argumentCount: [2, 2], onOk: 'authenticates' }],
  ['QUIT', { ...always, argumentCount: [0, 0], onOk: 'ends' }],
  // RFC 1939 5 and 7. NOOP is a TRANSACTION command, but some clients send it early to keep the connection, and it is
  // mute.
  ['NOOP', { ...always, argumentCount: [0, 0] }],
  ['STAT', { ...after, argumentCount: [0, 0] }],
  ['LIST', { ...after, argumentCount: [0, 1], reply: 'multiWithoutArgument' }],
  ['RETR', { ...after, argumentCount: [1, 1], reply: 'multi' }],
  ['DELE', { ...after, argumentCount: [1, 1] }],
  ['RSET', { ...after, argumentCount: [0, 0] }],
  ['TOP', { ...after, argumentCount: [2, 2], reply: 'multi' }],
  ['UIDL', { ...after, argumentCount: [0, 1], reply: 'multiWithoutArgument' }],
  // RFC 2449 5
  ['CAPA', { ...always, argumentCount: [0, 0], reply: 'multi' }],
  // RFC 2595 4
  ['STLS', { ...before, argumentCount: [0, 0], onOk: 'startsTls' }],
  // RFC 5034 4. Without an argument servers list their mechanisms, as drafts before RFC 1734 had it.
  ['AUTH', { ...before, argumentCount: [0, 2], reply: 'multiWithoutArgument', onOk: 'authenticates' }],
  // RFC 6856 2 and 3
  ['UTF8', { ...before, argumentCount: [0, 0] }],
  ['LANG', { ...always, argumentCount: [0, 1], reply: 'multiWithoutArgument' }],
]);

/** Verbs before authentication, those that `secure-login` forbids among the permitted ones or not. */
export const AUTHORIZATION_VERBS: WordTable = verbs(() => true);
export const SECURE_AUTHORIZATION_VERBS: WordTable = verbs((rule) => !rule.cleartextLogin);
/** What is left before TLS where logins need it. */
export const BEFORE_TLS_VERBS: WordTable = verbs((rule) => !logsIn(rule));
/** After a greeting of -ERR there is nothing left to say but goodbye. */
export const CLOSED_VERBS: WordTable = wordTable(
  ['QUIT'],
  [...COMMANDS.keys()].filter((verb) => verb !== 'QUIT'),
);

/** Whether it is a login or a part of one. */
export function logsIn({ cleartextLogin, onOk }: CommandRule): boolean {
  return cleartextLogin || onOk === 'authenticates';
}

function verbs(permits: (rule: CommandRule) => boolean): WordTable {
  const isPermitted = (rule: CommandRule): boolean => rule.allowedIn.includes('AUTHORIZATION') && permits(rule);
  const names = (wanted: boolean): string[] =>
    [...COMMANDS].filter(([, rule]) => isPermitted(rule) === wanted).map(([verb]) => verb);
  return wordTable(names(true), names(false));
}
