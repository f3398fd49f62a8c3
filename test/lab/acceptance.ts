import { readFileSync } from 'node:fs';
import { exchange, type Step } from './dialogue.ts';
import { ADDRESSES } from './lab.ts';
import { inRepository } from './repository.ts';
import { TASKS } from './tasks.ts';
import { betweenZones, membersOf, zoned } from './zone-policy.ts';

/** A configuration of the acceptance library (cisco-ios 6), and what it does to a dialogue. */
export interface Exercise {
  readonly name: string;
  readonly configuration: string;
  readonly port: number;
  readonly steps: readonly Step[];
  readonly client?: readonly RegExp[];
  readonly clientNot?: readonly RegExp[];
  readonly server?: readonly RegExp[];
  readonly serverNot?: readonly RegExp[];
  /** How the session ended for the client; absent: however the script ended it. */
  readonly end?: 'fin' | 'reset';
  readonly log?: RegExp;
}

const library = (name: string): string => readFileSync(inRepository('test', 'config', `${name}.ios`), 'utf8');

const GREETED: readonly Step[] = [{ expect: '^220 ' }, ...exchange(['EHLO client.lab.example', '^250 '])];
const REFUSED = /^554 5\.7\.1 guard refused: /m;
const END: readonly Step[] = [{ waitForEnd: true }];
const BYE = exchange(['QUIT', '^221 ']);
const LONG = 'a'.repeat(600);

function smtp(name: string, policy: string, steps: readonly Step[], rest: Partial<Exercise>): Exercise {
  const configuration = zoned({ application: library(name), policy });
  return { name, configuration, port: 25, steps: [...GREETED, ...steps], ...rest };
}

/** The dialogue of one of the fourteen tasks under the library's own text. */
function likeTask(name: string, policy: string, number: number): Exercise {
  const task = TASKS.find((one) => one.number === number);
  if (task === undefined) throw new Error(`there is no task ${number}`);
  const { steps, client, server, clientNot = [], serverNot = [], log } = task;
  return smtp(name, policy, steps, { client, server, clientNot, serverNot, ...(log === undefined ? {} : { log }) });
}

function mailbox(name: string, protocol: 'pop3' | 'imap', policy: string, line: string): Exercise {
  const greeting = { expect: protocol === 'pop3' ? '^\\+OK' : '^\\* OK' };
  return {
    name: `${name}: ${protocol} ${line}`,
    configuration: zoned({ application: library(name), protocol, policy }),
    port: protocol === 'pop3' ? 110 : 143,
    steps: [greeting, { send: `${line}\r\n` }, ...END],
    serverNot: [new RegExp(line.split(' ').at(-1) ?? '')],
    end: 'reset',
  };
}

/** C24 is written for other addresses and interfaces than the lab's, and needs the maps of C21 and C23. */
const WHOLE = ['hostname guard', 'C21-spam-suite', 'C23-pop3-imap-l7', 'C24-full-zbfw']
  .map((name) => (name.startsWith('C') ? library(name) : name))
  .join('\n')
  .replaceAll('192.0.2.25', ADDRESSES.server.v4)
  .replaceAll('GigabitEthernet0/0', 'outside0')
  .replaceAll('GigabitEthernet0/1', 'inside0');

const RECIPIENT = exchange(['MAIL FROM:<a@example.org>', '^250 '], ['RCPT TO:<u@example.com>', '^250 ']);

export const EXERCISES: readonly Exercise[] = [
  smtp('C08-seed-pinhole-verbatim', 'c1', BYE, { client: [/^250[- ]PIPELINING/m] }),
  {
    ...smtp('C09-pinhole-canonical', 'p1', BYE, { client: [/^250[- ]PIPELINING/m, /^250[- ]CHUNKING/m] }),
    configuration: [library('C09-pinhole-canonical'), ...betweenZones('p1'), ''].join('\n'),
  },
  {
    ...smtp('C10-seed-prevent-esmtp-verbatim', 'c1', [], { serverNot: [/EHLO/] }),
    steps: [{ expect: '^220 ' }, ...exchange(['EHLO x.example', '^50\\d '], ['HELO x.example', '^250 ']), ...BYE],
  },
  smtp('C11-seed-cmd-length', 'p1', [...exchange([`MAIL FROM:<${LONG}@example.org>`, '^554 ']), ...END], {
    client: [REFUSED],
    serverNot: [/a{300}@/],
    end: 'fin',
  }),
  smtp('C13-cmd-length-match-any-ok', 'p-any', [...exchange(['VRFY u', '^554 ']), ...END], {
    client: [REFUSED],
    serverNot: [/VRFY u/],
    log: /CMD_VERB/,
    end: 'fin',
  }),
  smtp('C13-cmd-length-match-any-ok', 'p-any', [...exchange([`NOOP ${LONG}`, '^554 ']), ...END], { client: [REFUSED] }),
  likeTask('C15-seed-mime-jpeg', 'p1', 9),
  likeTask('C16-seed-mime-encoding', 'p1', 10),
  likeTask('C17-seed-body-text', 'p1', 11),
  likeTask('C18-seed-subject-lottery', 'p1', 12),
  likeTask('C19-seed-ehlo-mask', 'p1', 13),
  likeTask('C20-seed-log-atrn', 'p1', 14),
  smtp('C21-spam-suite', 'mail-policy', [...exchange(['MAIL FROM:<x@bulk.example>', '^554 ']), ...END], {
    client: [REFUSED],
    log: /SENDER_ADDR_MATCHED/,
  }),
  smtp('C21-spam-suite', 'mail-policy', [...exchange(['MAIL FROM:<x@bulk.example.org>', '^250 ']), ...BYE], {
    server: [/bulk\.example\.org/],
  }),
  smtp('C22-private-verbs', 'hide', [...exchange(['XEXCH50 1 2', '^50\\d '], ['ETRN x', '^50\\d ']), ...BYE], {
    client: [/^250[- ]X{8}\r?$/m],
    clientNot: [/8BITMIME/],
    serverNot: [/XEXCH50|ETRN/],
  }),
  mailbox('C23-pop3-imap-l7', 'pop3', 'pop-pol', 'XYZZY'),
  mailbox('C23-pop3-imap-l7', 'pop3', 'pop-pol', 'USER nobody'),
  mailbox('C23-pop3-imap-l7', 'imap', 'imap-pol', 'a1 XYZZY'),
  mailbox('C23-pop3-imap-l7', 'imap', 'imap-pol', 'a1 LOGIN nobody secret'),
  {
    name: 'C24-full-zbfw with C21 and C23: SMTP',
    configuration: WHOLE,
    port: 25,
    steps: [...GREETED, ...exchange(['MAIL FROM:<x@hotdeals.com>', '^554 ']), ...END],
    client: [REFUSED],
    serverNot: [/hotdeals/],
    end: 'fin',
  },
  {
    name: 'C24-full-zbfw with C21 and C23: POP3',
    configuration: WHOLE,
    port: 110,
    steps: [{ expect: '^\\+OK' }, { send: 'XYZZY\r\n' }, ...END],
    serverNot: [/XYZZY/],
    end: 'reset',
  },
  {
    name: 'C24-full-zbfw with C21 and C23: mail passes',
    configuration: WHOLE,
    port: 25,
    steps: [...GREETED, ...RECIPIENT, ...BYE],
    log: /Start smtp session/,
  },
  {
    name: 'C30-port-map-submission',
    configuration: zoned({
      globals: [library('C30-port-map-submission')],
      application: library('C20-seed-log-atrn'),
      policy: 'p1',
    }),
    port: 587,
    steps: [...GREETED, ...exchange(['ATRN example.com', '^50\\d ']), ...BYE],
    log: /CMD_VERB/,
  },
  {
    ...smtp('C31-aliases-from-seed-prose', 'P', [...exchange([`NOOP ${LONG}`, '^250 ']), ...BYE], {
      log: /CMD_LINE_LENGTH/,
    }),
    configuration: zoned({
      application: [
        library('C31-aliases-from-seed-prose'),
        'policy-map type inspect smtp P\n class type inspect smtp alias1\n  log',
      ].join('\n'),
      policy: 'P',
    }),
  },
];

/** C25 names zones that it does not define. */
export const POLICED = [
  'zone security inside\nzone security outside',
  library('C25-police-and-pass'),
  ...membersOf('inside', 'outside'),
  '',
].join('\n');

export const SELF_ZONE = [
  'zone security outside',
  library('C27-self-zone'),
  ...membersOf('outside', 'outside'),
  '',
].join('\n');
