import type { Random } from '../random.ts';
import { lines, replies, type Step, startTls } from './steps.ts';

/** An SMTP client's steps behind the greeting. */
export function smtpSteps(random: Random, largeBytes: number): Step[] {
  const steps: Step[] = [{ send: lines(random.chance(85) ? 'EHLO c.example' : 'HELO c.example'), until: replies(1) }];
  if (random.chance(15)) return [...steps, ...startTls(random, 'STARTTLS', replies(1))];
  for (let count = random.below(3); count > 0; count -= 1)
    steps.push({ send: lines(oddCommand(random)), until: replies(1) });
  if (random.chance(20)) steps.push(...auth(random));
  for (let count = 1 + random.below(2); count > 0; count -= 1) steps.push(...transaction(random, largeBytes));
  if (random.chance(85)) steps.push({ send: lines('QUIT'), until: replies(1) });
  return steps;
}

const ODD = [
  ...['VRFY root', 'EXPN all', 'WIZ', 'DEBUG', 'ETRN x.example', 'XEXCH50 1 2', 'TURN', 'vrfy  root', 'NOOP', 'RSET'],
  ...['XCLIENT ADDR=1.2.3.4', 'HELP', 'BURL x'],
];

function oddCommand(random: Random): string {
  const at = random.below(ODD.length + 1);
  return ODD[at] ?? `NOOP ${'x'.repeat(random.below(90))}`;
}

function auth(random: Random): Step[] {
  if (random.chance(50)) return [{ send: lines('AUTH PLAIN AHUxAHNlY3JldA=='), until: replies(1) }];
  return [
    { send: lines('AUTH PLAIN'), until: replies(1) },
    { send: lines('AHUxAHNlY3JldA=='), until: replies(1) },
  ];
}

function transaction(random: Random, largeBytes: number): Step[] {
  const sender = random.pick(['a@b.example', 'evil@b.example', '', '"x y"@b.example'] as const);
  const to = Array.from({ length: 1 + random.below(3) }, () => random.pick(['u', 'nobody', 'v', '|sh'] as const));
  const envelope = [`MAIL FROM:<${sender}>`, ...to.map((name) => `RCPT TO:<${name}@c.example>`)];
  const message = messageOf(random, largeBytes);
  if (random.chance(30)) return chunked(random, envelope, message);
  const isSmuggled = random.chance(12);
  const what = isSmuggled ? { what: 'look-alike of the end of data' } : {};
  const data = `${message.replace(/^\./gm, '..')}${isSmuggled ? lookAlike(random) : ''}.\r\n`;
  const steps = random.chance(60)
    ? [{ send: lines(...envelope, 'DATA'), until: replies(envelope.length + 1) }]
    : [...envelope, 'DATA'].map((line) => ({ send: lines(line), until: replies(1) }));
  // Octets behind DATA wait in the firewall until the server has said what they are.
  if (random.chance(15))
    return [{ send: lines(...envelope, 'DATA') + data, until: replies(envelope.length + 2), ...what }];
  return [...steps, { send: data, until: replies(1), ...what }];
}

const chunk = (text: string, last: boolean): string => `BDAT ${text.length}${last ? ' LAST' : ''}\r\n${text}`;

/** BDAT (RFC 3030 2), as it should be or not. */
function chunked(random: Random, envelope: readonly string[], message: string): Step[] {
  const cut = random.below(message.length);
  const [first, second] = [message.slice(0, cut), message.slice(cut)];
  const begin: Step = { send: lines(...envelope), until: replies(envelope.length) };
  const data = `${lines('DATA')}${message.replace(/^\./gm, '..')}.\r\n`;
  const odd = random.pick(['usual', 'usual', 'zero', 'twice', 'beforeData', 'behindData', 'zeros'] as const);
  switch (odd) {
    case 'usual':
      return [begin, { send: chunk(first, false) + chunk(second, true), until: replies(2) }];
    case 'zero':
      return [
        begin,
        { send: chunk('', false) + chunk(message, false) + chunk('', true), until: replies(3), what: 'BDAT 0' },
      ];
    case 'twice':
      return [begin, { send: chunk(first, true) + chunk(second, true), until: replies(2), what: 'BDAT LAST twice' }];
    case 'beforeData':
      return [begin, { send: chunk(first, false) + data, until: replies(3), what: 'DATA behind BDAT' }];
    case 'behindData':
      return [
        begin,
        { send: data, until: replies(2) },
        { send: chunk(second, true), until: replies(1), what: 'BDAT behind DATA' },
      ];
    case 'zeros':
      return [
        begin,
        { send: `BDAT 0${message.length} LAST\r\n${message}`, until: replies(1), what: 'BDAT with a leading zero' },
      ];
  }
}

function lookAlike(random: Random): string {
  const ends = ['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r\n', '\r.\r', '\r\n.\r', '\r\n.\0\r\n'] as const;
  return `${random.pick(ends)}MAIL FROM:<smuggled@b.example>\r\nRCPT TO:<u@c.example>\r\nDATA\r\nsmuggled\r\n`;
}

const BODY = ['plain words', '.', '..', 'UD-42 stands here', 'VRFY root', 'x'.repeat(120), '', 'UD-4', 'QUIT'] as const;
const LONG_LINE = 'y'.repeat(900);

function messageOf(random: Random, largeBytes: number): string {
  const body = Array.from({ length: 1 + random.below(8) }, () => random.pick(BODY));
  const filling = Array.from({ length: Math.ceil(largeBytes / LONG_LINE.length) }, () => LONG_LINE);
  const subject = random.pick(['hello', 'a lottery', 'lott'] as const);
  return lines(`Subject: ${subject}`, 'From: a@b.example', '', ...body, ...filling);
}
