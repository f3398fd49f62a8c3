import { type MailProtocol, MailReader, type Unit } from './reader.ts';
import type { Script, ServerFault } from './steps.ts';
import { SERVER_HELLO } from './tls.ts';

const KEYWORDS = ['mx.example', 'PIPELINING', 'SIZE 1000000', 'CHUNKING', 'XEXCH50', 'AUTH PLAIN'];

/** Which answer a server that answers twice gives so. */
const TWICE_AT = 1;

/** A server of the simulation: reads by the reference reader, answers what the RFCs say, knows no state beyond it. */
export class ServerScript {
  readonly reader: MailReader;
  /** It says goodbye. */
  over = false;
  readonly #protocol: MailProtocol;
  readonly #rejectsData: boolean;
  readonly #fault: ServerFault;
  readonly #implicitTls: boolean;
  #tag = '';
  #answers = 0;

  constructor({ protocol, rejectsData, serverFault, implicitTls }: Script) {
    this.#protocol = protocol;
    this.#rejectsData = rejectsData;
    this.#fault = serverFault;
    this.#implicitTls = implicitTls;
    this.reader = new MailReader(protocol, 'strict', rejectsData, implicitTls);
  }

  greeting(): string {
    if (this.#implicitTls && this.#fault !== 'plainOnTlsPort') return '';
    if (this.#fault === 'greetsAuthenticated') return '* PREAUTH ready\r\n';
    return `${this.#welcome()}${this.#fault === 'answerBeforeCommand' ? this.#unasked() : ''}`;
  }

  #unasked(): string {
    return { smtp: '250 2.0.0 unasked\r\n', pop3: '+OK unasked\r\n', imap: 't2 OK unasked\r\n' }[this.#protocol];
  }

  #welcome(): string {
    if (this.#protocol === 'smtp') return '220 mx.example ESMTP\r\n';
    return this.#protocol === 'pop3' ? '+OK ready\r\n' : '* OK [CAPABILITY IMAP4rev1 STARTTLS LITERAL+] ready\r\n';
  }

  /** What it answers to octets of the client. */
  hear(text: string): string {
    return this.reader
      .feed(text)
      .map((unit) => (this.over ? '' : this.#answer(unit)))
      .join('');
  }

  #answer(unit: Unit): string {
    const answer = this.#asked(unit);
    if (answer === '' || this.#fault !== 'twoAnswers' || this.#answers++ !== TWICE_AT) return answer;
    return `${answer}${this.#unasked()}`;
  }

  #asked(unit: Unit): string {
    if (unit.kind === 'tls') return SERVER_HELLO;
    if (unit.kind === 'noTls') return '';
    if (this.#protocol === 'smtp') return this.#smtp(unit);
    return this.#protocol === 'pop3' ? this.#pop3(unit) : this.#imap(unit);
  }

  #smtp(unit: Unit): string {
    if (unit.kind === 'data' || unit.kind === 'counted') return '250 2.0.0 taken\r\n';
    if (unit.kind !== 'line') return '';
    if (unit.mode === 'sasl') return unit.text.length % 3 === 0 ? '535 5.7.8 no\r\n' : '235 2.7.0 yes\r\n';
    // Of a recipient that is masked, more or less went ahead.
    if (/x$/.test(unit.text) && /^RCPT/i.test(unit.text)) return '500 5.5.1 what\r\n';
    const verb = unit.text.trim().split(/\s/)[0]?.toUpperCase() ?? '';
    switch (verb) {
      case 'EHLO':
        return `${KEYWORDS.map((word) => `250-${word}\r\n`).join('')}250 STARTTLS\r\n`;
      case 'DATA':
        return this.#rejectsData ? '503 5.5.1 no\r\n' : '354 go on\r\n';
      case 'AUTH':
        return unit.text.trim().split(/\s+/).length < 3 ? '334 \r\n' : '235 2.7.0 yes\r\n';
      case 'STARTTLS':
        return '220 2.0.0 go on\r\n';
      case 'BDAT':
        return '';
      case 'QUIT':
        this.over = true;
        return '221 2.0.0 bye\r\n';
      case 'RCPT':
        return unit.text.includes('nobody') ? '550 5.1.1 unknown\r\n' : '250 2.1.5 ok\r\n';
      default:
        return /^(?:HELO|MAIL|RSET|NOOP|VRFY|EXPN|ETRN|HELP)$/.test(verb) ? '250 2.0.0 ok\r\n' : '500 5.5.1 what\r\n';
    }
  }

  #pop3(unit: Unit): string {
    if (unit.kind !== 'line') return '';
    if (unit.mode === 'sasl') return '+OK in\r\n';
    const [verb = '', argument, initial] = unit.text.trim().toUpperCase().split(/\s+/);
    switch (verb) {
      case 'CAPA':
        return '+OK\r\nUSER\r\nSTLS\r\nTOP\r\nSASL PLAIN\r\n.\r\n';
      case 'RETR':
        return '+OK\r\nSubject: hello\r\n\r\n..stuffed\r\nUSER fake\r\n.\r\n';
      case 'AUTH':
        return initial === undefined && argument !== undefined ? '+ \r\n' : '+OK in\r\n';
      case 'STLS':
        return '+OK go on\r\n';
      case 'QUIT':
        this.over = true;
        return '+OK bye\r\n';
      default:
        return /^(?:USER|PASS|STAT|NOOP|DELE|LIST|RSET|UIDL)$/.test(verb) ? '+OK 1 2\r\n' : '-ERR what\r\n';
    }
  }

  #imap(unit: Unit): string {
    if (unit.kind !== 'line') return '';
    if (unit.mode === 'sasl') return `${this.#tag} OK in\r\n`;
    if (unit.mode === 'command') this.#tag = unit.text.split(' ')[0] ?? '*';
    const literal = /\{\d+(\+?)\}$/.exec(unit.text);
    if (literal !== null) return literal[1] === '+' ? '' : '+ go on\r\n';
    const verb = unit.mode === 'command' ? (unit.text.split(' ')[1] ?? '').toUpperCase() : '';
    if (verb === 'AUTHENTICATE') return '+ \r\n';
    if (verb === 'CAPABILITY') return `* CAPABILITY IMAP4rev1 STARTTLS LITERAL+\r\n${this.#tag} OK done\r\n`;
    if (verb === 'FETCH') return `* 1 FETCH (BODY[] {14}\r\nt9 OK smuggled)\r\n${this.#tag} OK done\r\n`;
    if (verb !== 'LOGOUT') return `${this.#tag} OK done\r\n`;
    this.over = true;
    return `* BYE\r\n${this.#tag} OK bye\r\n`;
  }
}
