/**
 * The reference reader: what a server makes of a client's octets, written from the RFCs alone. `strict` ends message
 * data where RFC 5321 4.1.1.4 does; `lenient` takes every look-alike that some server was seen to take.
 */
export type Leniency = 'strict' | 'lenient';
export type MailProtocol = 'smtp' | 'pop3' | 'imap';

/** What the server is told of. `text` of a line is without its end; `crlf`: whether that is CRLF. */
export type Unit =
  | {
      readonly kind: 'line';
      readonly text: string;
      readonly mode: 'command' | 'sasl' | 'continued';
      readonly crlf: boolean;
    }
  | { readonly kind: 'data'; readonly text: string }
  | { readonly kind: 'counted'; readonly text: string; readonly last: boolean }
  | { readonly kind: 'tls' }
  | { readonly kind: 'noTls' };

const STRICT_END = /(?<=^|\r\n)\.\r\n/;
const LENIENT_END = /(?<=^|[\r\n])\.(?:\r\n|\n|\r(?=[^\n]))/;

type Mode =
  | { readonly kind: 'command' | 'data' | 'tls' | 'encrypted' }
  | { readonly kind: 'sasl'; readonly lines: number }
  | { readonly kind: 'counted'; readonly bytes: number; readonly last: boolean };

export class MailReader {
  readonly units: Unit[] = [];
  readonly #protocol: MailProtocol;
  readonly #end: RegExp;
  /** The server says no to DATA: what follows are commands. */
  readonly #rejectsData: boolean;
  #mode: Mode = { kind: 'command' };
  #rest = '';
  /** A line that goes on behind its literal (RFC 9051 4.3). */
  #continued = false;

  constructor(protocol: MailProtocol, leniency: Leniency, rejectsData = false, implicitTls = false) {
    this.#protocol = protocol;
    this.#end = leniency === 'strict' ? STRICT_END : LENIENT_END;
    this.#rejectsData = rejectsData;
    if (implicitTls) this.#mode = { kind: 'tls' };
  }

  /** Nothing is read any more from here on. */
  get encrypted(): boolean {
    return this.#mode.kind === 'encrypted';
  }

  /** What has no end yet. */
  get rest(): string {
    return this.#rest;
  }

  feed(text: string): readonly Unit[] {
    const before = this.units.length;
    this.#rest += text;
    while (this.#one());
    return this.units.slice(before);
  }

  #one(): boolean {
    const mode = this.#mode;
    if (mode.kind === 'data') return this.#data();
    if (mode.kind === 'counted') return this.#counted(mode.bytes, mode.last);
    if (mode.kind === 'encrypted' || this.#rest === '') return false;
    if (mode.kind === 'tls') {
      this.units.push({ kind: this.#rest.startsWith('\x16') ? 'tls' : 'noTls' });
      this.#mode = { kind: 'encrypted' };
      return false;
    }
    const end = this.#rest.indexOf('\n');
    if (end < 0) return false;
    const line = this.#take(end + 1);
    const text = line.replace(/\r?\n$/, '');
    const kind = mode.kind === 'sasl' ? 'sasl' : this.#continued ? 'continued' : 'command';
    this.units.push({ kind: 'line', text, mode: kind, crlf: line.endsWith('\r\n') });
    if (mode.kind === 'sasl')
      this.#mode = mode.lines > 1 ? { kind: 'sasl', lines: mode.lines - 1 } : { kind: 'command' };
    else if (this.#protocol === 'imap') this.#imap(text);
    else this.#command(text);
    return true;
  }

  #take(length: number): string {
    const taken = this.#rest.slice(0, length);
    this.#rest = this.#rest.slice(length);
    return taken;
  }

  #data(): boolean {
    const found = this.#end.exec(this.#rest);
    if (found === null) return false;
    this.units.push({ kind: 'data', text: this.#take(found.index + found[0].length) });
    this.#mode = { kind: 'command' };
    return true;
  }

  #counted(bytes: number, last: boolean): boolean {
    if (this.#rest.length < bytes) return false;
    this.units.push({ kind: 'counted', text: this.#take(bytes), last });
    this.#mode = { kind: 'command' };
    return true;
  }

  #command(text: string): void {
    const [verb = '', argument] = text.trim().toUpperCase().split(/\s+/);
    if (verb === 'STARTTLS' || verb === 'STLS') this.#mode = { kind: 'tls' };
    else if (verb === 'AUTH' && argument !== undefined) {
      const waits = text.trim().split(/\s+/).length < 3;
      if (waits) this.#mode = { kind: 'sasl', lines: argument === 'LOGIN' ? 2 : 1 };
    } else if (this.#protocol === 'pop3') return;
    else if (verb === 'DATA' && !this.#rejectsData) this.#mode = { kind: 'data' };
    else if (verb === 'BDAT') {
      const bytes = Number(/^\d+$/.exec(argument ?? '')?.[0] ?? Number.NaN);
      if (!Number.isNaN(bytes)) this.#mode = { kind: 'counted', bytes, last: /\sLAST$/i.test(text.trim()) };
    }
  }

  #imap(text: string): void {
    const literal = /~?\{(\d+)\+?\}$/.exec(text);
    const verb = this.#continued ? '' : (text.split(' ')[1] ?? '').toUpperCase();
    this.#continued = literal !== null;
    if (literal !== null) this.#mode = { kind: 'counted', bytes: Number(literal[1]), last: false };
    else if (verb === 'STARTTLS') this.#mode = { kind: 'tls' };
    else if (verb === 'AUTHENTICATE') this.#mode = { kind: 'sasl', lines: 1 };
  }
}
