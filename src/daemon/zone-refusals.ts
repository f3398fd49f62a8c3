import type { Reason } from '../inspect/reasons.ts';
import type { ZoneMatches } from '../netfilter/counters.ts';
import { NO_PLACE, NO_ZONE_PAIR, NOT_ZONED } from '../policy/zone-labels.ts';

type Refusals = Readonly<Partial<Record<Reason, number>>>;

/** What zone policies have dropped, by reason: the kernel's rules do it, and only they know how many there were. */
export class ZoneRefusals {
  readonly #read: () => Promise<ZoneMatches>;
  #before: Refusals = {};

  constructor(read: () => Promise<ZoneMatches>) {
    this.#read = read;
  }

  /** Since they were cleared; no reason that no packet has. */
  async counts(): Promise<Refusals> {
    const now = refusalsOf(await this.#read());
    const since = Object.entries(now).map(
      ([reason, count]) => [reason, count - this.#beforeOf(reason, count)] as const,
    );
    return Object.fromEntries(since.filter(([, count]) => count > 0));
  }

  async clear(): Promise<void> {
    this.#before = refusalsOf(await this.#read());
  }

  /** Counters that fell were loaded or cleared anew. */
  #beforeOf(reason: string, count: number): number {
    const before = this.#before[reason as Reason] ?? 0;
    return before <= count ? before : 0;
  }
}

function refusalsOf(matches: ZoneMatches): Refusals {
  const refusals: Partial<Record<Reason, number>> = {};
  for (const [key, { packets }] of matches) {
    const reason = reasonOf(key);
    if (reason !== undefined) refusals[reason] = (refusals[reason] ?? 0) + packets;
  }
  return refusals;
}

/** Keys are `PAIR CLASS ACTION` (policy/zone-labels.ts). */
function reasonOf(key: string): Reason | undefined {
  if (key.endsWith(' police')) return 'police';
  if (!key.endsWith(' drop')) return undefined;
  if (key.startsWith(`${NO_PLACE} ${NO_ZONE_PAIR} `)) return NO_ZONE_PAIR;
  return key.startsWith(`${NO_PLACE} ${NOT_ZONED} `) ? NOT_ZONED : 'zone-drop';
}
