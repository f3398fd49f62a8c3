import { MailReader, type Unit } from './reader.ts';
import type { Script } from './steps.ts';

const FINAL = { smtp: /^\d{3}(?: [^\n]*)?\r?\n/gm, pop3: /^(?:\+OK|-ERR|\+ )[^\n]*\n/gm } as const;

/**
 * Whether the client is ever let hear more answers than the server was let hear commands by then. Only SMTP and POP3
 * without lists of several lines count one for one; nothing is said of other sessions.
 */
export class AnswerWatch {
  readonly problems: string[] = [];
  readonly #protocol: 'smtp' | 'pop3' | undefined;
  readonly #reader: MailReader;
  #read = 0;
  #asked = 0;
  #listed = false;
  /** The greeting, and the one answer too many: it is found out when nothing waits for an answer. */
  readonly #unasked: number;

  constructor({ protocol, rejectsData, implicitTls, serverFault }: Script) {
    this.#unasked = serverFault === 'twoAnswers' || serverFault === 'answerBeforeCommand' ? 2 : 1;
    this.#protocol = implicitTls || protocol === 'imap' ? undefined : protocol;
    this.#reader = new MailReader(protocol, 'strict', rejectsData);
  }

  /** What both sides were let hear until now; `refused`: the firewall speaks for itself. */
  look(toServer: string, toClient: string, refused: boolean): void {
    if (this.#protocol === undefined || this.#listed || this.problems.length > 0) return;
    for (const unit of this.#reader.feed(toServer.slice(this.#read))) this.#asked += this.#answersTo(unit);
    this.#read = toServer.length;
    if (refused || this.#listed || this.#reader.encrypted) return;
    // A line is sent at its CR: nothing but LF goes on behind it.
    const asked = this.#asked + (this.#reader.rest.endsWith('\r') ? 1 : 0);
    const answers = [...toClient.matchAll(FINAL[this.#protocol])].filter(([text]) => !text.startsWith('421'));
    if (answers.length > asked + this.#unasked) this.problems.push(`${answers.length} answers to ${asked} commands`);
  }

  #answersTo(unit: Unit): number {
    if (unit.kind === 'tls' || unit.kind === 'noTls') return 0;
    if (this.#protocol === 'pop3' && unit.kind === 'line' && /^(?:RETR|CAPA|LIST|UIDL|TOP)/i.test(unit.text)) {
      this.#listed = unit.text.toUpperCase() !== 'CAPA';
      return 1;
    }
    // The chunk is answered, not its line.
    return unit.kind === 'line' && unit.mode === 'command' && /^BDAT \d+/i.test(unit.text) ? 0 : 1;
  }
}
