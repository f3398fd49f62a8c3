import { LIST_LABEL_PREFIX, listLabel } from '../policy/access-entry.ts';
import { findProgram, type RunCommand, runCommand } from './run-command.ts';
import { ZONE_LABEL_PREFIX } from './zone-chains.ts';

/** What the access lists in force have done, by the kernel's counters. */
export interface AccessCounts {
  /** Packets that any list denied, entries and their end together. */
  readonly denied: number;
  /** Packets that an entry decided, by its label (`entryLabel`); entries of lists that stand nowhere are missing. */
  readonly matches: ReadonlyMap<string, number>;
}

const NO_COUNTS: AccessCounts = { denied: 0, matches: new Map() };
/** A rule that counts for a list or for a class of a zone's policy. */
const LABELLED = /^-A POSTERN-(?:ACL|ZONE)-\d+ .*--comment "((?:list|zone) [^"]*)"/;
const LINE = /^\[(\d+):(\d+)\] -A (POSTERN-ACL-\d+) .*-m comment --comment "([^"]*)" -j (RETURN|DROP)$/;

interface Counted {
  readonly packets: number;
  readonly bytes: number;
  readonly chain: string;
  readonly label: string;
  readonly drops: boolean;
}

/** Counts nothing where no rules stand, and where they cannot be read. */
export async function readAccessCounts(run: RunCommand = runCommand): Promise<AccessCounts> {
  return accessCounts(await save(run));
}

/** From the text of `iptables-save --counters`. */
export function accessCounts(saved: string): AccessCounts {
  const counted = countedLines(saved);
  if (counted.length === 0) return NO_COUNTS;
  const denied = counted.reduce((sum, line) => sum + (line.drops ? line.packets : 0), 0);
  return { denied, matches: new Map(counted.map(({ label, packets }) => [label, packets])) };
}

/** Sets the counts of one list, or of all, to nothing. Answers whether it stands anywhere. */
export async function clearAccessCounts(list: string | undefined, run: RunCommand = runCommand): Promise<boolean> {
  const program = findProgram('iptables');
  if (program === undefined) return false;
  const wanted = list === undefined ? LIST_LABEL_PREFIX : listLabel(list);
  const counted = countedLines(await save(run)).filter(({ label }) => label.startsWith(wanted));
  const chains = new Set(counted.map(({ chain }) => chain));
  let cleared = chains.size > 0;
  for (const chain of chains) {
    const result = await run(program, ['--wait', '10', '-t', 'mangle', '-Z', chain]);
    cleared = cleared && result.code === 0;
  }
  return cleared;
}

/**
 * `text` with the counts of the entries that stand: an entry that is still the same goes on counting. Packets between
 * the reading and the loading are not counted.
 */
export function keepCounts(text: string, saved: string): string {
  const before = new Map([...countedLines(saved), ...zoneLines(saved)].map((line) => [line.label, line]));
  if (before.size === 0) return text;
  const lines = text.split('\n').map((line) => {
    const label = LABELLED.exec(line)?.[1];
    const count = label === undefined ? undefined : before.get(label);
    return count === undefined ? line : `[${count.packets}:${count.bytes}] ${line}`;
  });
  return lines.join('\n');
}

/** Packets and octets that classes of zones' policies have met, by `zoneMatchKey`, both families together. */
export type ZoneMatches = ReadonlyMap<string, { readonly packets: number; readonly bytes: number }>;

/** Counts nothing where no rules stand, and where they cannot be read. */
export async function zoneMatches(run: RunCommand = runCommand): Promise<ZoneMatches> {
  const matches = new Map<string, { readonly packets: number; readonly bytes: number }>();
  for (const family of ['iptables', 'ip6tables'] as const) {
    for (const { label, packets, bytes } of zoneLines(await save(run, family))) {
      const key = label.slice(ZONE_LABEL_PREFIX.length);
      const before = matches.get(key) ?? { packets: 0, bytes: 0 };
      matches.set(key, { packets: before.packets + packets, bytes: before.bytes + bytes });
    }
  }
  return matches;
}

const ZONE_LINE = /^\[(\d+):(\d+)\] -A (POSTERN-ZONE-\d+) .*--comment "(zone [^"]*)"/;

function zoneLines(saved: string): readonly Omit<Counted, 'drops'>[] {
  return saved.split('\n').flatMap((line) => {
    const [, packets, bytes, chain = '', label = ''] = ZONE_LINE.exec(line) ?? [];
    return label === '' ? [] : [{ packets: Number(packets), bytes: Number(bytes), chain, label }];
  });
}

function countedLines(saved: string): readonly Counted[] {
  return saved.split('\n').flatMap((line) => {
    const [, packets, bytes, chain = '', label = '', target] = LINE.exec(line) ?? [];
    if (!label.startsWith(LIST_LABEL_PREFIX)) return [];
    return [{ packets: Number(packets), bytes: Number(bytes), chain, label, drops: target === 'DROP' }];
  });
}

async function save(run: RunCommand, family: 'iptables' | 'ip6tables' = 'iptables'): Promise<string> {
  const program = findProgram(`${family}-save`);
  if (program === undefined) return '';
  const saved = await run(program, ['--counters', '--table', 'mangle']);
  return saved.code === 0 ? saved.stdout : '';
}
