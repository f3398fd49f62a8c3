import type { Reason } from '../inspect/reasons.ts';
import type { EndReason } from '../native/event-batch.ts';

/** The reason behind an end that Postern brought about; undefined for ends the peers chose. */
export function refusalReason(end: EndReason): Reason | undefined {
  switch (end) {
    case 'closed':
    case 'reset-by-initiator':
    case 'reset-by-responder':
    case 'refused':
    case 'port-reused':
    case 'shutdown':
      return undefined;
    case 'synwait-timeout':
    case 'finwait-timeout':
    case 'idle-timeout':
    case 'reassembly-timeout':
    case 'held-too-long':
    case 'cleared':
    case 'engine-error':
    case 'worker-restarted':
      return end;
  }
}

/**
 * The reason for which a packet was dropped, by the name of its native counter (native/engine/counters.h). Drops that
 * are part of a refusal, or of holding what a retransmission brings again, have no reason of their own.
 */
const DROP_REASONS: Readonly<Record<string, Reason>> = {
  'drop-truncated': 'invalid-header',
  'drop-bad-packet': 'invalid-header',
  'drop-bad-checksum': 'invalid-segment',
  'drop-midstream': 'midstream',
  'drop-no-flow': 'midstream',
  'drop-flow-table-full': 'flow-table-full',
  'drop-invalid-flags': 'invalid-segment',
  'drop-syn-with-data': 'invalid-segment',
  'drop-invalid-sequence': 'invalid-segment',
  'drop-invalid-acknowledgement': 'invalid-segment',
  'drop-invalid-window-scale': 'invalid-segment',
  'drop-syn-in-window': 'invalid-segment',
  'drop-rst-in-window': 'invalid-segment',
  'drop-old-timestamp': 'invalid-segment',
  'drop-unexpected-option': 'invalid-segment',
  'drop-data-after-fin': 'invalid-segment',
  'drop-stray': 'invalid-segment',
  'drop-out-of-order': 'reassembly-memory',
  'drop-memory': 'reassembly-memory',
  'drop-host-blocked': 'host-blocked',
  'drop-host-table-full': 'host-table-full',
  'drop-no-session': 'no-session',
  'drop-access-list': 'access-list',
};

let counterNames: readonly string[] = [];

/** Told once by whoever loads the binary: the counters' names in their native order. */
export function setCounterNames(names: readonly string[]): void {
  counterNames = names;
}

export function dropReason(counter: number): Reason | undefined {
  return DROP_REASONS[counterNames[counter] ?? ''];
}

/** Why a packet was dropped as a watcher reads it: the reason, or the native counter's name where there is none. */
export function dropName(counter: number): string {
  return dropReason(counter) ?? counterNames[counter] ?? 'unknown';
}

/** Dropped packets by reason, out of the native counters. */
export function dropsByReason(counters: Readonly<Record<string, number>>): Record<string, number> {
  const drops: Record<string, number> = {};
  for (const [name, reason] of Object.entries(DROP_REASONS)) {
    const count = counters[name] ?? 0;
    if (count > 0) drops[reason] = (drops[reason] ?? 0) + count;
  }
  return drops;
}
