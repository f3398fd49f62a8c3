import { formatAddress } from '../engine/address.ts';
import { halfOpenEntry, halfOpenId } from '../engine/session.ts';
import type { SessionSnapshot } from '../firewall/snapshot.ts';
import { HALF_OPEN_LISTED_MAX } from '../limits.ts';
import type { Addon, HalfOpenRecord } from '../native/addon.ts';
import type { PortProtocol } from '../policy/ports.ts';

const RECORDS_A_CALL = 1_024;
/** Half-open sessions that are looked at to learn whom a flood is for. */
const FLOOD_SAMPLE = 4_096;
/** A server with at least this share of them is one. */
const FLOOD_SHARE = 1 / 16;

/** The gate's half-open sessions as `show` lists them, at most HALF_OPEN_LISTED_MAX. */
export function halfOpenSessions(
  addon: Addon,
  gate: number,
  protocols: ReadonlyMap<number, PortProtocol>,
): SessionSnapshot[] {
  return records(addon, gate, HALF_OPEN_LISTED_MAX).map((record) => snapshot(record, protocols));
}

/** Gives up the half-open session with this id, or all; answers how many there were. */
export function clearHalfOpen(addon: Addon, gate: number, id: string): number {
  if (id === 'all') return addon.clearHalfOpen(gate, -1, 0);
  const entry = halfOpenEntry(id);
  if (entry === undefined) return 0;
  const record = addon.halfOpen(gate, entry, 1).find((candidate) => candidate.entry === entry);
  // The entry may be another session's by now.
  if (record === undefined || halfOpenId(entry, record.generation) !== id.toUpperCase()) return 0;
  return addon.clearHalfOpen(gate, entry, record.generation);
}

/** The servers that a good part of the half-open sessions is for, those with most of them first. */
export function floodedHosts(addon: Addon, gate: number): readonly string[] {
  const counts = new Map<string, number>();
  const seen = records(addon, gate, FLOOD_SAMPLE);
  for (const { responderAddress } of seen) {
    const host = formatAddress(responderAddress);
    counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count >= seen.length * FLOOD_SHARE)
    .sort(([, one], [, other]) => other - one)
    .map(([host]) => host);
}

function records(addon: Addon, gate: number, most: number): HalfOpenRecord[] {
  const all: HalfOpenRecord[] = [];
  for (let from = 0; all.length < most; from = (all.at(-1)?.entry ?? 0) + 1) {
    const wanted = Math.min(RECORDS_A_CALL, most - all.length);
    const part = addon.halfOpen(gate, from, wanted);
    all.push(...part);
    if (part.length < wanted) break;
  }
  return all;
}

function snapshot(record: HalfOpenRecord, protocols: ReadonlyMap<number, PortProtocol>): SessionSnapshot {
  const seconds = Math.floor(record.createdMsAgo / 1_000);
  return {
    id: halfOpenId(record.entry, record.generation),
    protocol: protocols.get(record.responderPort) ?? 'tcp',
    state: 'SIS_OPENING',
    stage: record.answered ? 'syn-ack' : 'syn',
    initiator: { address: formatAddress(record.initiatorAddress), port: record.initiatorPort },
    responder: { address: formatAddress(record.responderAddress), port: record.responderPort },
    bytes: { initiator: 0, responder: 0 },
    createdSecondsAgo: seconds,
    lastHeardSecondsAgo: seconds,
    offloaded: false,
    rule: '',
  };
}
