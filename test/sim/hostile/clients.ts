import type { Random } from '../random.ts';
import type { MailProtocol } from './reader.ts';
import { CLIENT_HELLO } from './tls.ts';

/** Octets, and what must have been answered since before the next. */
export interface Step {
  readonly send: string;
  readonly until: (heard: string) => boolean;
}

export interface Script {
  readonly protocol: MailProtocol;
  readonly rejectsData: boolean;
  readonly steps: readonly Step[];
}

const replies = (count: number) => (heard: string) => (heard.match(/^\d{3} [^\n]*\n/gm) ?? []).length >= count;
const matches = (pattern: RegExp) => (heard: string) => pattern.test(heard);
const lines = (...all: readonly string[]): string => all.map((line) => `${line}\r\n`).join('');
const nothing = () => true;

export function scriptOf(random: Random): Script {
  const protocol = random.pick(['smtp', 'smtp', 'smtp', 'pop3', 'imap'] as const);
  const rejectsData = protocol === 'smtp' && random.chance(8);
  const greeting = { smtp: replies(1), pop3: matches(/^\+OK[^\n]*\n/), imap: matches(/^\* OK[^\n]*\n/) }[protocol];
  const made = { smtp: smtpSteps, pop3: pop3Steps, imap: imapSteps }[protocol](random);
  return { protocol, rejectsData, steps: [{ send: '', until: greeting }, ...made] };
}

function smtpSteps(random: Random): Step[] {
  const steps: Step[] = [{ send: lines(random.chance(85) ? 'EHLO c.example' : 'HELO c.example'), until: replies(1) }];
  if (random.chance(15)) return [...steps, ...startTls(random, 'STARTTLS', replies(1))];
  for (let count = random.below(3); count > 0; count -= 1)
    steps.push({ send: lines(oddCommand(random)), until: replies(1) });
  if (random.chance(20)) steps.push(...auth(random));
  for (let count = 1 + random.below(2); count > 0; count -= 1) steps.push(...transaction(random));
  if (random.chance(85)) steps.push({ send: lines('QUIT'), until: replies(1) });
  return steps;
}

function oddCommand(random: Random): string {
  const odd = [
    'VRFY root',
    'EXPN all',
    'WIZ',
    'DEBUG',
    'ETRN x.example',
    'XEXCH50 1 2',
    'TURN',
    'vrfy  root',
    'NOOP',
  ] as const;
  return random.pick([
    ...odd,
    'RSET',
    'XCLIENT ADDR=1.2.3.4',
    `NOOP ${'x'.repeat(random.below(90))}`,
    'HELP',
    'BURL x',
  ]);
}

function auth(random: Random): Step[] {
  if (random.chance(50)) return [{ send: lines('AUTH PLAIN AHUxAHNlY3JldA=='), until: replies(1) }];
  return [
    { send: lines('AUTH PLAIN'), until: replies(1) },
    { send: lines('AHUxAHNlY3JldA=='), until: replies(1) },
  ];
}

function transaction(random: Random): Step[] {
  const sender = random.pick(['a@b.example', 'evil@b.example', '', '"x y"@b.example'] as const);
  const to = Array.from({ length: 1 + random.below(3) }, () => random.pick(['u', 'nobody', 'v', '|sh'] as const));
  const envelope = [`MAIL FROM:<${sender}>`, ...to.map((name) => `RCPT TO:<${name}@c.example>`)];
  const message = messageOf(random);
  if (random.chance(30)) {
    const cut = random.below(message.length);
    const chunk = (text: string, last: boolean) => `BDAT ${text.length}${last ? ' LAST' : ''}\r\n${text}`;
    const chunks = chunk(message.slice(0, cut), false) + chunk(message.slice(cut), true);
    return [
      { send: lines(...envelope), until: replies(envelope.length) },
      { send: chunks, until: replies(2) },
    ];
  }
  const data = `${message.replace(/^\./gm, '..')}${random.chance(12) ? lookAlike(random) : ''}.\r\n`;
  const steps = random.chance(60)
    ? [{ send: lines(...envelope, 'DATA'), until: replies(envelope.length + 1) }]
    : [...envelope, 'DATA'].map((line) => ({ send: lines(line), until: replies(1) }));
  // Octets behind DATA wait in the firewall until the server has said what they are.
  if (random.chance(15)) return [{ send: lines(...envelope, 'DATA') + data, until: replies(envelope.length + 2) }];
  return [...steps, { send: data, until: replies(1) }];
}

function lookAlike(random: Random): string {
  const end = random.pick(['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r\n', '\r.\r', '\r\n.\r'] as const);
  return `${end}MAIL FROM:<smuggled@b.example>\r\nRCPT TO:<u@c.example>\r\nDATA\r\nsmuggled\r\n`;
}

function messageOf(random: Random): string {
  const body = Array.from({ length: 1 + random.below(8) }, () =>
    random.pick([
      'plain words',
      '.',
      '..',
      'UD-42 stands here',
      'VRFY root',
      'x'.repeat(120),
      '',
      'UD-4',
      'QUIT',
    ] as const),
  );
  return lines(`Subject: ${random.pick(['hello', 'a lottery', 'lott'] as const)}`, 'From: a@b.example', '', ...body);
}

/** Some put a command behind theirs before TLS begins (CVE-2011-0411). */
function startTls(random: Random, command: string, until: Step['until']): Step[] {
  const noise = Array.from({ length: 40 }, () => String.fromCharCode(random.below(256))).join('');
  if (random.chance(25)) return [{ send: lines(command, 'MAIL FROM:<injected@b.example>'), until: nothing }];
  return [
    { send: lines(command), until },
    { send: CLIENT_HELLO, until: (heard) => heard.includes('\x16') },
    { send: `\x17\x03\x03\x00\x28${noise}`, until: nothing },
  ];
}

function pop3Steps(random: Random): Step[] {
  const one = matches(/^(?:\+|-ERR)[^\n]*\n/);
  const many = matches(/^-ERR[^\n]*\n|\r\n\.\r\n$/);
  const steps: Step[] = [{ send: lines('CAPA'), until: many }];
  if (random.chance(20)) return [...steps, ...startTls(random, 'STLS', one)];
  if (random.chance(25)) steps.push({ send: lines(random.pick(['XTND x', 'NOOP', 'RETR 1', 'FOO'])), until: one });
  const login = random.pick(['user', 'pipelined', 'plain', 'none'] as const);
  if (login === 'user') steps.push({ send: lines('USER u1'), until: one }, { send: lines('PASS s3cret'), until: one });
  if (login === 'pipelined')
    steps.push({ send: lines('USER u1', 'PASS s3cret'), until: matches(/(?:\+|-ERR)[^\n]*\n.*\n/) });
  if (login === 'plain')
    steps.push({ send: lines('AUTH PLAIN'), until: one }, { send: lines('AHUxAHNlY3JldA=='), until: one });
  if (login !== 'none') {
    const verbs = ['STAT', 'LIST 1', 'DELE 1', 'RETR 1'] as const;
    for (let count = random.below(4); count > 0; count -= 1) {
      const verb = random.pick(verbs);
      steps.push({ send: lines(verb), until: verb === 'RETR 1' ? many : one });
    }
  }
  return [...steps, { send: lines('QUIT'), until: one }];
}

function imapSteps(random: Random): Step[] {
  let count = 0;
  const tagged = (command: string): Step => {
    count += 1;
    return { send: lines(`t${count} ${command}`), until: matches(new RegExp(`^t${count} (?:OK|NO|BAD)[^\n]*\n`, 'm')) };
  };
  const go = matches(/^\+ [^\n]*\n/m);
  const done = () => matches(new RegExp(`^t${count} (?:OK|NO|BAD)[^\n]*\n`, 'm'));
  const steps: Step[] = [tagged('CAPABILITY')];
  if (random.chance(15)) {
    count += 1;
    return [...steps, ...startTls(random, `t${count} STARTTLS`, done())];
  }
  const login = random.pick(['plain', 'literal', 'plus', 'sasl', 'quoted'] as const);
  if (login === 'plain') steps.push(tagged('LOGIN u1 s3cret'));
  if (login === 'quoted') steps.push(tagged('LOGIN "u\\"1" "s3 {3}cret"'));
  if (login === 'plus') steps.push({ ...tagged('LOGIN {2+}\r\nu1 {6+}\r\ns3cret') });
  if (login === 'literal') {
    steps.push({ ...tagged('LOGIN {2}'), until: go }, { send: 'u1 {6}\r\n', until: go });
    steps.push({ send: 's3cret\r\n', until: done() });
  }
  if (login === 'sasl') {
    steps.push({ ...tagged('AUTHENTICATE PLAIN'), until: go }, { send: lines('AHUxAHNlY3JldA=='), until: done() });
  }
  for (let more = random.below(4); more > 0; more -= 1) {
    steps.push(tagged(random.pick(['SELECT INBOX', 'FETCH 1 BODY[]', 'NOOP', 'LIST "" "*"'])));
  }
  if (random.chance(30)) {
    const text = 'Subject: x\r\n\r\nt7 LOGIN a b\r\n';
    steps.push({ ...tagged(`APPEND INBOX {${text.length}}`), until: go }, { send: lines(text), until: done() });
  }
  return [...steps, tagged('LOGOUT')];
}
