import type { Frame } from '../inspect/inspector.ts';
import { readContentFacts } from '../native/content-facts.ts';
import { EVENT, EVENT_FLAG, type EventReader } from '../native/event-batch.ts';
import { readTlsHello } from '../native/tls-hello.ts';

/**
 * The frame an event tells of. Throws for an event that is none: the numbers here and in the native code differ then.
 */
export function frameOf(event: EventReader): Frame {
  const from = event.side;
  switch (event.kind) {
    case EVENT.line:
      return { kind: 'line', from, text: event.text, end: event.has(EVENT_FLAG.bareLf) ? 'bareLf' : 'crlf' };
    case EVENT.partial:
      return { kind: 'partial', from, text: event.text };
    case EVENT.countedEnd:
      return { kind: 'countedEnd', from, bytes: event.number };
    case EVENT.dataEnd:
      return { kind: 'dataEnd', from, bytes: event.number };
    case EVENT.lookAlike:
      return { kind: 'endOfDataLookAlike', from, ...(event.has(EVENT_FLAG.wellFormed) ? { mendable: true } : {}) };
    case EVENT.tlsStart:
      return event.has(EVENT_FLAG.wellFormed)
        ? { kind: 'tlsStart', from, wellFormed: true, hello: readTlsHello(event.octets) }
        : { kind: 'tlsStart', from, wellFormed: false, ...(event.has(EVENT_FLAG.tlsAlert) ? { alert: true } : {}) };
    case EVENT.content:
      return { kind: 'content', from, facts: readContentFacts(event.octets), finished: event.has(EVENT_FLAG.finished) };
    case EVENT.overBudget:
      return { kind: 'overBudget', from, budgetBytes: event.number, text: event.text };
    default:
      throw new Error(`event kind ${event.kind} is no frame`);
  }
}
