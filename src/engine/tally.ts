/** Counts by label. Labels may come from the wire, so there is a bound: what is beyond it is counted as `other`. */
export class Tally {
  readonly #counts = new Map<string, number>();
  readonly #labelsMax: number;

  constructor(labelsMax: number) {
    this.#labelsMax = labelsMax;
  }

  add(label: string): void {
    const known = this.#counts.has(label) || this.#counts.size < this.#labelsMax;
    const key = known ? label : 'other';
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  toRecord(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}

/** Adds the second record's numbers to the first's, label by label. */
export function addRecords(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum: Record<string, number> = { ...one };
  for (const [label, count] of Object.entries(other)) sum[label] = (sum[label] ?? 0) + count;
  return sum;
}

/** Native counters that say what is, or the most that ever was. */
const GAUGE = /^(held|flows-half-open|flows-established|flows-terminating|max-.*|.*-peak-.*|out-of-order-bytes)$/;

/** What was counted since the baseline was taken; gauges and peaks are what they are. */
export function countedSince(
  now: Readonly<Record<string, number>>,
  baseline: Readonly<Record<string, number>>,
): Record<string, number> {
  const since = ([name, value]: readonly [string, number]): [string, number] => [
    name,
    GAUGE.test(name) ? value : value - (baseline[name] ?? 0),
  ];
  return Object.fromEntries(Object.entries(now).map(since));
}
