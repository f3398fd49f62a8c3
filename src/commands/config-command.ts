import type { Arguments } from '../language/match.ts';
import type { Configuration } from '../policy/configuration.ts';
import type { Draft, ModeKind } from './draft.ts';

/**
 * One command of the configuration: what may be typed, what it does, and how the running configuration prints it.
 * Commands of the global mode print whole lines; sub-modes are printed by the command that opens them. The order of
 * the table is the order in which a configuration is saved.
 */
export interface ConfigCommand {
  readonly modes: readonly ModeKind[];
  /** Several spellings of one command; the first is the one that is saved. */
  readonly grammar: readonly string[];
  readonly help: Readonly<Record<string, string>>;
  apply(draft: Draft, args: Arguments): void;
  print?(configuration: Configuration): readonly string[];
}

/** The sentences behind the words of a grammar; a command's own win over the common ones. */
export const COMMON_HELP: Readonly<Record<string, string>> = {
  no: 'Negate a command or set its defaults',
  ip: 'IP configuration',
  inspect: 'Stateful inspection of sessions',
  name: 'By name',
  tcp: 'Transmission Control Protocol',
  udp: 'User Datagram Protocol',
  icmp: 'Internet Control Message Protocol',
  smtp: 'Simple Mail Transfer Protocol',
  esmtp: 'Extended SMTP',
  pop3: 'Post Office Protocol, version 3',
  imap: 'Internet Message Access Protocol',
  smtps: 'SMTP over TLS',
  pop3s: 'POP3 over TLS',
  imaps: 'IMAP over TLS',
  alert: 'Alerts for what is refused',
  'audit-trail': 'A log line at the start and the end of each session',
  timeout: 'Idle time of a session in seconds',
  on: 'Switch on',
  off: 'Switch off',
  seconds: 'Seconds',
  vrf: 'Routing table (accepted and ignored)',
  type: 'Type of the map',
  description: 'Words of your own',
  log: 'Write a log line',
  LINE: 'The rest of the line',
  in: 'Packets that come in here',
  out: 'Packets that go out here',
};
