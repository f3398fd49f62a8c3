import type { Random } from '../random.ts';
import { lines, matches, type Step, startTls } from './steps.ts';

const SECRET = 'AHUxAHNlY3JldA==';

/** A POP3 client's steps behind the greeting. */
export function pop3Steps(random: Random): Step[] {
  const one = matches(/^(?:\+|-ERR)[^\n]*\n/);
  const many = matches(/^-ERR[^\n]*\n|\r\n\.\r\n$/);
  const steps: Step[] = [{ send: lines('CAPA'), until: many }];
  if (random.chance(20)) return [...steps, ...startTls(random, 'STLS', one)];
  if (random.chance(25)) steps.push({ send: lines(random.pick(['XTND x', 'NOOP', 'RETR 1', 'FOO'])), until: one });
  const login = random.pick(['user', 'pipelined', 'plain', 'given up', 'none'] as const);
  if (login === 'user') steps.push({ send: lines('USER u1'), until: one }, { send: lines('PASS s3cret'), until: one });
  if (login === 'pipelined')
    steps.push({ send: lines('USER u1', 'PASS s3cret'), until: matches(/(?:\+|-ERR)[^\n]*\n.*\n/) });
  if (login === 'plain') steps.push({ send: lines('AUTH PLAIN'), until: one }, { send: lines(SECRET), until: one });
  if (login === 'given up')
    steps.push({ send: lines('AUTH PLAIN'), until: one }, { send: lines('*'), until: one, what: 'AUTH given up' });
  if (login !== 'none' && login !== 'given up') {
    const verbs = ['STAT', 'LIST 1', 'DELE 1', 'RETR 1'] as const;
    for (let count = random.below(4); count > 0; count -= 1) {
      const verb = random.pick(verbs);
      steps.push({ send: lines(verb), until: verb === 'RETR 1' ? many : one });
    }
  }
  return [...steps, { send: lines('QUIT'), until: one }];
}

/** An IMAP client's steps behind the greeting. */
export function imapSteps(random: Random): Step[] {
  return new ImapClient(random).steps();
}

const GO = matches(/^\+ [^\n]*\n/m);

class ImapClient {
  readonly #random: Random;
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  steps(): Step[] {
    const random = this.#random;
    const steps: Step[] = [this.#tagged('CAPABILITY')];
    if (random.chance(15)) {
      this.#count += 1;
      return [...steps, ...startTls(random, `t${this.#count} STARTTLS`, this.#done())];
    }
    steps.push(...this.#login());
    for (let more = random.below(4); more > 0; more -= 1) {
      steps.push(this.#tagged(random.pick(['SELECT INBOX', 'FETCH 1 BODY[]', 'NOOP', 'LIST "" "*"'])));
    }
    if (random.chance(40)) steps.push(...this.#append());
    return [...steps, this.#tagged('LOGOUT')];
  }

  #tagged(command: string, what?: string): Step {
    this.#count += 1;
    const step = { send: lines(`t${this.#count} ${command}`), until: this.#done() };
    return what === undefined ? step : { ...step, what };
  }

  #done(): Step['until'] {
    return matches(new RegExp(`^t${this.#count} (?:OK|NO|BAD)[^\n]*\n`, 'm'));
  }

  #login(): Step[] {
    const kinds = ['plain', 'literal', 'plus', 'sasl', 'quoted', 'binary', 'empty', 'huge'] as const;
    switch (this.#random.pick(kinds)) {
      case 'plain':
        return [this.#tagged('LOGIN u1 s3cret')];
      case 'quoted':
        return [this.#tagged('LOGIN "u\\"1" "s3 {3}cret"')];
      case 'plus':
        return [this.#tagged('LOGIN {2+}\r\nu1 {6+}\r\ns3cret', 'literal {n+}')];
      case 'literal':
        return [
          { ...this.#tagged('LOGIN {2}', 'literal {n}'), until: GO },
          { send: 'u1 {6}\r\n', until: GO },
          { send: 's3cret\r\n', until: this.#done() },
        ];
      case 'sasl':
        return [
          { ...this.#tagged('AUTHENTICATE PLAIN'), until: GO },
          { send: lines(SECRET), until: this.#done() },
        ];
      case 'binary':
        return [this.#tagged('LOGIN ~{2+}\r\nu1 ~{6+}\r\ns3cret', 'literal ~{n+}')];
      case 'empty':
        return [
          { ...this.#tagged('LOGIN {0}', 'literal {0}'), until: GO },
          { send: ' {6+}\r\ns3cret\r\n', until: this.#done() },
        ];
      case 'huge':
        return [this.#tagged('LOGIN {4294967298+}\r\nu1 {6+}\r\ns3cret', 'literal of 4 GB')];
    }
  }

  /** The message's first line looks like a command, for whoever counts it wrongly. */
  #append(): Step[] {
    const text = 't7 LOGIN a b\r\nSubject: x\r\n\r\nbody\r\n';
    const kind = this.#random.pick(['{', '~{', '+', '~+'] as const);
    const binary = kind.startsWith('~') ? '~' : '';
    const tail = kind.endsWith('+') ? '+' : '';
    const opening = `APPEND INBOX ${binary}{${text.length}${tail}}`;
    const what = `literal ${binary}{n${tail}}`;
    if (tail === '+') return [this.#tagged(`${opening}\r\n${text}`, what)];
    return [
      { ...this.#tagged(opening, what), until: GO },
      { send: lines(text), until: this.#done() },
    ];
  }
}
