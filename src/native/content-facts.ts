import { isContentLimit } from '../inspect/content-limits.ts';
import type { ContentFact } from '../inspect/facts.ts';

/** Kinds of the records in a `content` event (native/engine/content_scan.h, ContentFactKind). */
export const CONTENT_FACT = {
  header: 1,
  body: 2,
  decoded: 3,
  contentType: 4,
  encoding: 5,
  headerLength: 6,
  dataLength: 7,
  limit: 8,
} as const;

/** Octets of a record before its text: kind, zero, length of the text (two), number (eight), big-endian. */
const HEAD_BYTES = 12;
const TWO_TO_32 = 4_294_967_296;

/** Reads the records of a `content` event. Throws where they are none: the numbers of both sides differ then. */
export function readContentFacts(octets: Buffer): readonly ContentFact[] {
  const facts: ContentFact[] = [];
  for (let at = 0; at < octets.length; ) {
    const end = at + HEAD_BYTES > octets.length ? Infinity : at + HEAD_BYTES + octets.readUInt16BE(at + 2);
    if (end > octets.length) throw new Error(`the content record at octet ${at} is cut off`);
    const number = octets.readUInt32BE(at + 4) * TWO_TO_32 + octets.readUInt32BE(at + 8);
    facts.push(factOf(octets[at] ?? 0, number, octets.toString('latin1', at + HEAD_BYTES, end)));
    at = end;
  }
  return facts;
}

function factOf(kind: number, number: number, text: string): ContentFact {
  switch (kind) {
    case CONTENT_FACT.header:
      return { kind: 'header', map: number, field: text };
    case CONTENT_FACT.body:
    case CONTENT_FACT.decoded:
      return { kind: 'body', map: number, decoded: kind === CONTENT_FACT.decoded };
    case CONTENT_FACT.contentType:
      return { kind: 'contentType', map: number, type: text };
    case CONTENT_FACT.encoding:
      return { kind: 'encoding', token: text };
    case CONTENT_FACT.headerLength:
      return { kind: 'headerLength', over: number };
    case CONTENT_FACT.dataLength:
      return { kind: 'dataLength', over: number };
    case CONTENT_FACT.limit:
      if (!isContentLimit(text)) throw new Error(`content record names no limit: ${text}`);
      return { kind: 'limit', name: text };
    default:
      throw new Error(`content record kind ${kind} is no fact`);
  }
}
