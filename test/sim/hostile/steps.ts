import type { Random } from '../random.ts';
import type { MailProtocol } from './reader.ts';
import { APPLICATION_DATA, clientHello } from './tls.ts';

/** Octets, and what must have been answered since before the next. */
export interface Step {
  readonly send: string;
  readonly until: (heard: string) => boolean;
  /** What is odd about it, for the count of what happened. */
  readonly what?: string;
}

/** What the server says beside what it is asked. */
export type ServerFault = 'none' | 'twoAnswers' | 'answerBeforeCommand' | 'greetsAuthenticated' | 'plainOnTlsPort';

export interface Script {
  readonly protocol: MailProtocol;
  readonly rejectsData: boolean;
  readonly serverFault: ServerFault;
  /** On a port of smtps, pop3s or imaps. */
  readonly implicitTls: boolean;
  /** Too large for segments of a few octets. */
  readonly isLarge: boolean;
  readonly steps: readonly Step[];
}

export const replies = (count: number) => (heard: string) => (heard.match(/^\d{3} [^\n]*\n/gm) ?? []).length >= count;
export const matches = (pattern: RegExp) => (heard: string) => pattern.test(heard);
export const lines = (...all: readonly string[]): string => all.map((line) => `${line}\r\n`).join('');
export const nothing = () => true;

/** Some put a command behind theirs before TLS begins (CVE-2011-0411). */
export function startTls(random: Random, command: string, until: Step['until']): Step[] {
  if (random.chance(25)) {
    const send = lines(command, 'MAIL FROM:<injected@b.example>');
    return [{ send, until: nothing, what: 'command behind STARTTLS' }];
  }
  return [{ send: lines(command), until }, ...handshake(random)];
}

/** The client's hello, whole or in records as small as it likes, and then what nobody reads. */
export function handshake(random: Random): Step[] {
  const noise = Array.from({ length: 40 }, () => String.fromCharCode(random.below(256))).join('');
  const { text, what } = clientHello(random);
  return [
    { send: text, until: (heard) => heard.includes('\x16'), what },
    { send: `${APPLICATION_DATA}\x00\x28${noise}`, until: nothing },
  ];
}

/** A line of the client with another end, or an octet in it that some readers end it at. */
export function oddlyEnded(random: Random, step: Step): Step {
  const [first = ''] = step.send.split('\r\n', 1);
  if (first === '' || !step.send.startsWith(`${first}\r\n`)) return step;
  const rest = step.send.slice(first.length + 2);
  const at = random.below(first.length + 1);
  const within = (octet: string) => `${first.slice(0, at)}${octet}${first.slice(at)}\r\n${rest}`;
  const made = random.pick(['bare LF', 'bare LF', 'bare CR', 'NUL'] as const);
  const send = { 'bare LF': `${first}\n${rest}`, 'bare CR': within('\r'), NUL: within('\0') }[made];
  return { ...step, send, what: `${made} in a command` };
}
