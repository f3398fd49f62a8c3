import { SEQUENCE_STEP, sequenceNumbers } from '../policy/access-entry.ts';
import type { AccessEntry } from '../policy/configuration.ts';

const SEQUENCE_MAX = 2_147_483_647;

/**
 * Puts an entry into its place. Without a sequence number it goes to the end; with one it goes before the first larger
 * number, and the entries get the numbers written down that they had by their place. Answers what is wrong when the
 * number is taken or there is none left.
 */
export function insertEntry(
  entries: readonly AccessEntry[],
  entry: AccessEntry,
): readonly AccessEntry[] | 'taken' | 'full' {
  const wanted = entry.sequence;
  if (wanted === undefined) {
    const last = lastNumber(entries);
    if (last > SEQUENCE_MAX - SEQUENCE_STEP) return 'full';
    const longer = [...entries, entry];
    lastNumbers.set(longer, last + SEQUENCE_STEP);
    return longer;
  }
  const numbers = sequenceNumbers(entries);
  if (numbers.includes(wanted)) return 'taken';
  const at = numbers.findIndex((number) => number > wanted);
  if (at < 0) return [...entries, entry];
  const numbered: AccessEntry[] = entries.map((other, index) => ({ ...other, sequence: numbers[index] ?? wanted }));
  return numbered.toSpliced(at, 0, entry);
}

/** What was worked out for lists that grow line by line: a long one would be searched for each of its lines. */
const lastNumbers = new WeakMap<readonly AccessEntry[], number>();

/** The number of the last entry, without counting through a long list that has none written down. */
function lastNumber(entries: readonly AccessEntry[]): number {
  const known = lastNumbers.get(entries);
  if (known !== undefined) return known;
  const numbered = entries.findLastIndex((entry) => entry.sequence !== undefined);
  return (entries[numbered]?.sequence ?? 0) + (entries.length - 1 - numbered) * SEQUENCE_STEP;
}

/** Whether two entries say the same, wherever they stand. */
export function isSameEntry(left: AccessEntry, right: AccessEntry): boolean {
  return JSON.stringify(content(left)) === JSON.stringify(content(right));
}

function content(entry: AccessEntry): unknown {
  if (entry.kind === 'remark') return [entry.text];
  const { action, protocol, source, sourcePort, destination, destinationPort, established, log, rest } = entry;
  return [action, protocol, source, sourcePort, destination, destinationPort, established, log, rest];
}
