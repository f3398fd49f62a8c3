import type { Frame, FrameMode, Side } from '../../src/inspect/inspector.ts';
import { readTls, type TlsReading } from './tls-octets.ts';

/** Octets a tolerant line framing keeps of a line's end. */
const TOLERANT_TAIL_BYTES = 64;

/** Where a frame ended in the octets that were offered: `octets` of them belong to it. */
export interface Cut {
  readonly frame: Frame;
  readonly octets: number;
}

/**
 * The native framer's contract once more, written to be read rather than fast: given everything of a frame that has come
 * so far, says whether the frame ends in it.
 */
export function cut(from: Side, mode: FrameMode, pending: string): Cut | undefined {
  switch (mode.kind) {
    case 'lines':
      return cutLine(from, mode, pending);
    case 'counted':
      return pending.length < mode.bytes
        ? undefined
        : { frame: { kind: 'countedEnd', from, bytes: mode.bytes }, octets: mode.bytes };
    case 'mailData':
      return cutMailData(from, mode, pending);
    case 'tls':
      return cutTlsStart(from, mode, pending);
    case 'opaque':
      return undefined;
  }
}

type LinesMode = Extract<FrameMode, { kind: 'lines' }>;

function cutLine(from: Side, { budgetBytes, tolerant }: LinesMode, pending: string): Cut | undefined {
  const newline = pending.indexOf('\n');
  const whole = newline < 0 ? pending : pending.slice(0, newline);
  // A CR is the line's own octet only when something else than LF follows it.
  const text = whole.endsWith('\r') ? whole.slice(0, -1) : whole;
  if (text.length > budgetBytes && tolerant !== true) {
    return {
      frame: { kind: 'overBudget', from, budgetBytes, text: text.slice(0, budgetBytes) },
      octets: budgetBytes + 1,
    };
  }
  if (newline < 0) return undefined;
  const kept = text.length > budgetBytes ? joinHeadAndTail(text, budgetBytes) : text;
  const end = whole.endsWith('\r') ? 'crlf' : 'bareLf';
  return { frame: { kind: 'line', from, text: kept, end }, octets: newline + 1 };
}

function joinHeadAndTail(text: string, budgetBytes: number): string {
  return text.slice(0, budgetBytes) + text.slice(Math.max(budgetBytes, text.length - TOLERANT_TAIL_BYTES));
}

/** The line so far, or nothing when there is no line under way or a tolerant one is past its budget. */
export function partialLine(from: Side, mode: FrameMode, pending: string): Frame | undefined {
  if (mode.kind !== 'lines' || pending === '') return undefined;
  if (pending.replace(/\r$/, '').length > mode.budgetBytes) return undefined;
  return { kind: 'partial', from, text: pending };
}

/** The end of data (RFC 5321 4.1.1.4), or a dot behind CRLF that something else than CRLF follows, but a line end somewhere. */
const DOT_BEHIND_CRLF = /(?:^|\r\n)\.(?:\r\n|\n|\0|\r[^\n])/;
/** A dot behind what only some servers take for a line end: bare CR or LF, or any with NULs behind it. */
const DOT_BEHIND_LOOSE_END = /(?:(?:^|[\r\n])\0+|(?<!\r)\n|\r)\.[\r\n\0]/;
/** With `tolerant` the dot alone: it can still be overwritten, and what follows need not be waited for. */
const LOOSE_DOT = /(?:(?:^|[\r\n])\0+|(?<!\r)\n|\r)\./;
const END_OF_DATA = '.\r\n';

type MailDataMode = Extract<FrameMode, { kind: 'mailData' }>;

function cutMailData(from: Side, { budgetBytes, tolerant }: MailDataMode, pending: string): Cut | undefined {
  const loose = tolerant === true ? LOOSE_DOT : DOT_BEHIND_LOOSE_END;
  const ends = [DOT_BEHIND_CRLF, loose].flatMap((pattern) => {
    const found = pattern.exec(pending);
    return found === null ? [] : [{ octets: found.index + found[0].length, dotLine: found[0] }];
  });
  const [first] = ends.sort((one, two) => one.octets - two.octets);
  // The end itself is outside the budget, and an octet that may begin it is not yet over it.
  const content =
    first === undefined ? pending.replace(/(?<=^|\r\n)\.\r?$/, '').length : first.octets - END_OF_DATA.length;
  if (content > budgetBytes) {
    return { frame: { kind: 'overBudget', from, budgetBytes, text: '' }, octets: budgetBytes + 1 };
  }
  if (first === undefined) return undefined;
  const canonical = /^(?:\r\n)?\.\r\n$/.test(first.dotLine);
  const { octets } = first;
  if (canonical) return { frame: { kind: 'dataEnd', from, bytes: octets }, octets };
  // Behind CRLF and dot a CR may have gone ahead when the octet behind it tells.
  const mendable = tolerant === true && !/\.\r.$/s.test(first.dotLine);
  return { frame: { kind: 'endOfDataLookAlike', from, ...(mendable ? { mendable } : {}) }, octets };
}

/** A whole hello, at its last octet, or the first octet that none can have; an alert where one may come. */
function cutTlsStart(
  from: Side,
  { alerts = false }: Extract<FrameMode, { kind: 'tls' }>,
  pending: string,
): Cut | undefined {
  for (let octets = 1; octets <= pending.length; octets += 1) {
    const reading = readTls(pending.slice(0, octets), alerts);
    if (reading.kind === 'undecided') continue;
    return { frame: tlsStart(from, reading), octets };
  }
  return undefined;
}

function tlsStart(from: Side, reading: TlsReading): Frame {
  const frame = { kind: 'tlsStart', from, wellFormed: false } as const;
  if (reading.kind === 'alert') return { ...frame, alert: true };
  if (reading.kind !== 'hello' || (reading.hello.type === 'client') !== (from === 'initiator')) return frame;
  return { ...frame, wellFormed: true, hello: reading.hello };
}
