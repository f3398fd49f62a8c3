import { exchange, type Step } from './dialogue.ts';

/** One of the fourteen tasks of the guide to the SMTP firewall (cisco-ios 1.11), as it is tried on the wire. */
export interface Task {
  readonly number: number;
  readonly title: string;
  /** The application part as an administrator types it; the policy is `P`. Empty: layer 4 only. */
  readonly configuration: string;
  /** Behind the greeting and EHLO. */
  readonly steps: readonly Step[];
  /** What is sent, for the table. */
  readonly sent: string;
  /** What the client must have read, and must not have read. */
  readonly client: readonly RegExp[];
  readonly clientNot?: readonly RegExp[];
  /** The same of what went to the server. */
  readonly server: readonly RegExp[];
  readonly serverNot?: readonly RegExp[];
  readonly log?: RegExp;
  /** The task ends the session: FIN with words for the client, RST for the server. */
  readonly resets: boolean;
}

interface Filter {
  readonly match: readonly string[];
  readonly actions: readonly string[];
  readonly pattern?: readonly [map: string, pattern: string];
  readonly combine?: 'match-any' | 'match-all';
}

function application({ match, actions, pattern, combine }: Filter): string {
  return [
    ...(pattern === undefined ? [] : [`parameter-map type regex ${pattern[0]}`, ` pattern "${pattern[1]}"`]),
    `class-map type inspect smtp ${combine === undefined ? '' : `${combine} `}C`,
    ...match.map((words) => ` match ${words}`),
    'policy-map type inspect smtp P',
    ' class type inspect smtp C',
    ...actions.map((words) => `  ${words}`),
  ].join('\n');
}

const GOODBYE = exchange(['QUIT', '^221 ']);
const ENVELOPE = exchange(['MAIL FROM:<a@example.org>', '^250 '], ['RCPT TO:<u@example.com>', '^250 ']);

function mail(header: readonly string[], body: readonly string[], answer = '^250 '): readonly Step[] {
  const message = [...header, '', ...body, '.', ''].join('\r\n');
  return [...ENVELOPE, ...exchange(['DATA', '^354 ']), { send: message }, { expect: answer }];
}

function recipients(count: number, name: (index: number) => string, answer: string): Step[] {
  return Array.from({ length: count }, (_, index) => exchange([`RCPT TO:<${name(index)}>`, answer])).flat();
}

const HEADER = ['From: <a@example.org>', 'To: <u@example.com>'];
const TEXT = ['Good morning.'];
const REFUSED = /^554 5\.7\.1 guard refused: /m;
const PASSED = [/^250 2\.0\.0 /m, /^221 /m];
const MULTIPART = ['MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary="b"'];
const JPEG = ['--b', 'Content-Type: image/jpeg', 'Content-Transfer-Encoding: base64', '', '/9j/4AAQ', '--b--'];
const LONG = 'a'.repeat(260);

export const TASKS: readonly Task[] = [
  {
    number: 1,
    title: 'Inspect SMTP by default',
    configuration: '',
    sent: 'EHLO, a message',
    steps: [...mail([...HEADER, 'Subject: default'], TEXT), ...GOODBYE],
    client: [/^250[- ]PIPELINING/m, ...PASSED],
    server: [/^EHLO /m, /^Good morning\./m],
    resets: false,
  },
  {
    number: 2,
    title: 'A suspicious sender or domain',
    configuration: application({
      pattern: ['bad-guys', '*deals\\.com'],
      match: ['sender address regex bad-guys'],
      actions: ['log', 'reset'],
    }),
    sent: 'MAIL FROM:<offers@hotdeals.com>',
    steps: [...exchange(['MAIL FROM:<offers@hotdeals.com>', '^554 ']), { waitForEnd: true }],
    client: [REFUSED],
    server: [/^EHLO /m],
    serverNot: [/hotdeals/],
    log: /%APPFW-4-SMTP_SENDER_ADDR_MATCHED: .*resetting session/,
    resets: true,
  },
  {
    number: 3,
    title: 'Many recipients',
    configuration: application({ match: ['recipient count gt 25'], actions: ['reset'] }),
    sent: '26 RCPT commands',
    steps: [
      ...exchange(['MAIL FROM:<a@example.org>', '^250 ']),
      ...recipients(25, (index) => `u+${index}@example.com`, '^250 '),
      ...exchange(['RCPT TO:<u+25@example.com>', '^554 ']),
      { waitForEnd: true },
    ],
    client: [REFUSED],
    server: [/u\+24@example\.com/],
    serverNot: [/u\+25@example\.com/],
    resets: true,
  },
  {
    number: 4,
    title: 'Invalid recipients',
    configuration: application({ match: ['recipient invalid count gt 5'], actions: ['reset'] }),
    sent: 'six RCPT commands that the server answers with 550, then a seventh',
    steps: [
      ...exchange(['MAIL FROM:<a@example.org>', '^250 ']),
      ...recipients(6, (index) => `nobody-${index}@example.com`, '^550 '),
      ...exchange(['RCPT TO:<u@example.com>', '^554 ']),
      { waitForEnd: true },
    ],
    client: [/^550 5\.1\.1 /m, REFUSED],
    server: [/nobody-5@example\.com/],
    serverNot: [/<u@example\.com>/],
    resets: true,
  },
  {
    number: 5,
    title: 'A recipient that is a honeypot',
    configuration: application({
      pattern: ['known-unknown-users', '^username@example\\.com$'],
      match: ['recipient address regex known-unknown-users'],
      actions: ['log'],
    }),
    sent: 'RCPT TO:<username@example.com>',
    steps: [
      ...exchange(['MAIL FROM:<a@example.org>', '^250 '], ['RCPT TO:<username@example.com>', '^250 ']),
      ...GOODBYE,
    ],
    client: [/^221 /m],
    server: [/^RCPT TO:<username@example\.com>/m],
    log: /%APPFW-4-SMTP_RECIPIENT_ADDR_MATCHED: .*logging session/,
    resets: false,
  },
  {
    number: 6,
    title: 'Hide verbs',
    configuration: application({
      combine: 'match-any',
      match: ['cmd verb ETRN', 'cmd verb ATRN', 'cmd verb BDAT'],
      actions: ['mask'],
    }),
    sent: 'ETRN example.com, ATRN example.com',
    steps: [...exchange(['ETRN example.com', '^50\\d '], ['ATRN example.com', '^50\\d ']), ...GOODBYE],
    client: [/^50\d /m, /^221 /m],
    server: [/^x{16}\r?$/m],
    serverNot: [/TRN/],
    resets: false,
  },
  {
    number: 7,
    title: 'A header that is too long',
    configuration: application({ match: ['header length gt 16000'], actions: ['reset'] }),
    sent: 'a message whose header has 16,600 octets',
    steps: [
      ...mail(
        [...HEADER, ...Array.from({ length: 83 }, (_, index) => `X-Filler-${index}: `.padEnd(198, 'x'))],
        TEXT,
        '^554 ',
      ),
      { waitForEnd: true },
    ],
    client: [/^354 /m, REFUSED],
    server: [/^DATA/m],
    serverNot: [/Good morning/],
    resets: true,
  },
  {
    number: 8,
    title: 'A command line that is too long, by its verb',
    configuration: application({
      combine: 'match-all',
      match: ['cmd line length gt 256', 'cmd verb MAIL'],
      actions: ['reset'],
    }),
    sent: 'NOOP with 260 octets behind it, then MAIL FROM with an address of 272',
    steps: [...exchange([`NOOP ${LONG}`, '^250 '], [`MAIL FROM:<${LONG}@example.org>`, '^554 ']), { waitForEnd: true }],
    client: [REFUSED],
    server: [/^NOOP a{260}/m],
    serverNot: [/MAIL FROM:<a{260}@/],
    resets: true,
  },
  {
    number: 9,
    title: 'A MIME type',
    configuration: application({
      pattern: ['jpeg', '*image//*'],
      match: ['mime content-type regex jpeg'],
      actions: ['log'],
    }),
    sent: 'a multipart message with an image/jpeg part',
    steps: [...mail([...HEADER, ...MULTIPART], [...JPEG]), ...GOODBYE],
    client: PASSED,
    server: [/image\/jpeg/],
    log: /%APPFW-4-SMTP_MIME_CONTENT_TYPE: .*logging session/,
    resets: false,
  },
  {
    number: 10,
    title: 'A transfer encoding',
    configuration: application({ match: ['mime encoding quoted-printable'], actions: ['log'] }),
    sent: 'a message in quoted-printable',
    steps: [...mail([...HEADER, 'Content-Transfer-Encoding: quoted-printable'], ['G=C3=BC=C3=9Fe']), ...GOODBYE],
    client: PASSED,
    server: [/quoted-printable/],
    log: /%APPFW-4-SMTP_MIME_ENCODING: .*logging session/,
    resets: false,
  },
  {
    number: 11,
    title: 'Text in the body',
    configuration: application({
      pattern: ['doc-data', '*UD-421590*'],
      match: ['body regex doc-data'],
      actions: ['log'],
    }),
    sent: 'a message with `document UD-421590, draft` in its text',
    steps: [...mail([...HEADER, 'Subject: draft'], ['See document UD-421590, draft.']), ...GOODBYE],
    client: PASSED,
    server: [/UD-421590/],
    log: /%APPFW-4-SMTP_BODY_REGEX_MATCHED: .*logging session/,
    resets: false,
  },
  {
    number: 12,
    title: 'A subject',
    configuration: application({
      pattern: ['lottery-spam', 'Subject:*lottery*'],
      match: ['header regex lottery-spam'],
      actions: ['reset'],
    }),
    sent: 'a message with `Subject: You won the lottery`',
    steps: [...mail([...HEADER, 'Subject: You won the lottery'], TEXT, '^554 '), { waitForEnd: true }],
    client: [/^354 /m, REFUSED],
    server: [/^DATA/m],
    serverNot: [/Good morning/],
    resets: true,
  },
  {
    number: 13,
    title: 'A parameter of the EHLO reply',
    configuration: application({ match: ['reply ehlo ETRN'], actions: ['log', 'mask'] }),
    sent: 'EHLO, to which the server answers ETRN among others',
    steps: GOODBYE,
    client: [/^250-XXXX\r?$/m, /^221 /m],
    clientNot: [/ETRN/],
    server: [/^EHLO /m],
    log: /%APPFW-4-SMTP_EHLO_REPLY: .*masking session/,
    resets: false,
  },
  {
    number: 14,
    title: 'Log a command',
    configuration: application({ match: ['cmd verb ATRN'], actions: ['log'] }),
    sent: 'ATRN example.com',
    steps: [...exchange(['ATRN example.com', '^50\\d ']), ...GOODBYE],
    client: [/^50\d /m],
    server: [/^ATRN example\.com/m],
    log: /%APPFW-4-SMTP_CMD_VERB: .*logging session/,
    resets: false,
  },
];
