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

export interface Drop {
  /** Absent: part of a refusal, or of holding what a retransmission brings again; it has no reason of its own. */
  readonly reason?: Reason;
  /** IOS XE's name for it (fw-oper, cisco-ios 4.3), for dashboards made for routers; absent: the counter's own. */
  readonly machineName?: string;
}

/** What stands behind a dropped packet, by the name of its native counter (native/engine/counters.h). */
export const DROPS: Readonly<Record<string, Drop>> = {
  'drop-truncated': { reason: 'invalid-header', machineName: 'l4-invalid-hdr' },
  'drop-bad-packet': { reason: 'invalid-header', machineName: 'l4-invalid-hdr' },
  'drop-bad-checksum': { reason: 'invalid-checksum' },
  'drop-midstream': { reason: 'midstream', machineName: 'l4-tcp-invalid-tcp-initiator' },
  'drop-no-flow': { reason: 'midstream', machineName: 'no-session' },
  'drop-flow-table-full': { reason: 'flow-table-full', machineName: 'l4-session-limit' },
  'drop-invalid-flags': { reason: 'invalid-flags', machineName: 'l4-tcp-invalid-flags' },
  'drop-syn-with-data': { reason: 'syn-with-data', machineName: 'l4-tcp-syn-with-data' },
  'drop-invalid-sequence': { reason: 'invalid-sequence', machineName: 'l4-tcp-invalid-seq' },
  'drop-invalid-acknowledgement': { reason: 'invalid-acknowledgement', machineName: 'l4-tcp-invalid-ack-num' },
  'drop-invalid-window-scale': { reason: 'invalid-window-scale', machineName: 'l4-tcp-invalid-win-scale-option' },
  'drop-syn-in-window': { reason: 'syn-in-window', machineName: 'l4-tcp-syn-in-win' },
  'drop-rst-in-window': { reason: 'rst-in-window', machineName: 'l4-tcp-rst-in-win' },
  'drop-old-timestamp': { reason: 'invalid-segment' },
  'drop-unexpected-option': { reason: 'invalid-options' },
  'drop-data-after-fin': { reason: 'invalid-segment', machineName: 'l4-tcp-invalid-seg-pyld-after-fin-send' },
  'drop-stray': { reason: 'stray-segment', machineName: 'l4-tcp-stray-seg' },
  'drop-turned': { reason: 'stray-segment' },
  'drop-out-of-order': { reason: 'reassembly-memory', machineName: 'l4-tcp-l7-ooo-seg' },
  'drop-duplicate-held': {},
  'drop-memory': { reason: 'reassembly-memory', machineName: 'l7-no-seg' },
  'drop-held-limit': {},
  'drop-refused': { machineName: 'l7-alg-ret-drop' },
  'drop-replaced': {},
  'drop-host-blocked': { reason: 'host-blocked', machineName: 'l4-tcp-synflood-blackout-drop' },
  'drop-host-table-full': { reason: 'host-table-full', machineName: 'l4-max-halfsession' },
  'drop-no-session': { reason: 'no-session', machineName: 'no-session' },
  'drop-access-list': { reason: 'access-list', machineName: 'policy-action-drop' },
  // The kernel's counters say how many there were and why; these came to the gate only to be told of.
  'drop-zone': { machineName: 'policy-action-drop' },
  'drop-shutdown': {},
};

let counterNames: readonly string[] = [];

/** Told once by whoever loads the binary: the counters' names in their native order. */
export function setCounterNames(names: readonly string[]): void {
  counterNames = names;
}

export function dropReason(counter: number): Reason | undefined {
  return DROPS[counterNames[counter] ?? '']?.reason;
}

/** Whether a zone policy dropped it: the gate knows no more. */
export function isZoneDrop(counter: number): boolean {
  return counterNames[counter] === 'drop-zone';
}

/** Why a packet was dropped as a watcher reads it: the reason, or the native counter's name where there is none. */
export function dropName(counter: number): string {
  return dropReason(counter) ?? counterNames[counter] ?? 'unknown';
}

/** Dropped packets, and half-open sessions that gave way, by reason, out of the native counters. */
export function refusalsOf(counters: Readonly<Record<string, number>>): Record<string, number> {
  const refusals: Record<string, number> = {};
  for (const [name, { reason }] of [...Object.entries(DROPS), ...Object.entries(EVICTIONS)]) {
    const count = counters[name] ?? 0;
    if (reason !== undefined && count > 0) refusals[reason] = (refusals[reason] ?? 0) + count;
  }
  return refusals;
}

/** Of the gate, and of the workers' datagram sessions. */
const EVICTIONS: Readonly<Record<string, Drop>> = { 'half-open-evicted': { reason: 'half-open-evicted' } };

/** Every dropped packet once, by IOS XE's names: they sum up to `dropped`. */
export function dropsByMachineName(counters: Readonly<Record<string, number>>): Record<string, number> {
  const drops: Record<string, number> = {};
  for (const [counter, { machineName }] of Object.entries(DROPS)) {
    const count = counters[counter] ?? 0;
    const name = machineName ?? counter.replace(/^drop-/, '');
    if (count > 0) drops[name] = (drops[name] ?? 0) + count;
  }
  return drops;
}
