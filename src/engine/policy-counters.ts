import type { ApplicationClassCounts, HitCounts, PolicyStatistics, ZoneClassCounts } from '../firewall/snapshot.ts';
import type { PolicyHit } from '../inspect/policy-hit.ts';
import { APPLICATION_CLASSES_COUNTED_MAX, ZONE_CLASSES_COUNTED_MAX } from '../limits.ts';
import type { PortProtocol } from '../policy/ports.ts';
import { addRecords } from './tally.ts';

export type { PolicyStatistics } from '../firewall/snapshot.ts';

/** A class of a zone-pair's policy: a `ZonePlace` will do. */
export interface CountedPlace {
  readonly zonePair: string;
  readonly className: string;
}

const MINUTE_MS = 60_000;
export const NO_POLICY_STATISTICS: PolicyStatistics = { classes: [], applications: [], uncounted: 0 };

/** What one worker's sessions met of zone policies. Pure: times are arguments, in milliseconds of any one clock. */
export class PolicyCounters {
  readonly #classes = new Map<string, ZoneClassTally>();
  readonly #applications = new Map<string, ApplicationTally>();
  #uncounted = 0;

  /** A session was established in this class. */
  opened(place: CountedPlace, nowMs: number): void {
    const tally = this.#classOf(place);
    if (tally === undefined) this.#uncounted += 1;
    else tally.opened(nowMs);
  }

  /** A session that was `opened` is over; `packets` of both its sides came to the queue and went on. */
  closed(place: CountedPlace, protocol: PortProtocol, packets: number): void {
    this.#classes.get(keyOf(place))?.closed(protocol, packets);
  }

  /** A class of the application policy matched. */
  add(place: CountedPlace, hit: PolicyHit): void {
    const key = `${keyOf(place)} ${hit.policy} ${hit.class}`;
    let tally = this.#applications.get(key);
    if (tally === undefined) {
      if (this.#applications.size >= APPLICATION_CLASSES_COUNTED_MAX) {
        this.#uncounted += 1;
        return;
      }
      const { zonePair, className } = place;
      tally = new ApplicationTally({ zonePair, className, policy: hit.policy, applicationClass: hit.class });
      this.#applications.set(key, tally);
    }
    tally.add(hit);
  }

  /** Counts begin again, of one zone-pair or of all; sessions that are open stay so. */
  clear(nowMs: number, zonePair?: string): void {
    const isMeant = (of: { readonly zonePair: string }): boolean => zonePair === undefined || of.zonePair === zonePair;
    for (const tally of this.#classes.values()) if (isMeant(tally.place)) tally.clear(nowMs);
    for (const [key, { names }] of this.#applications) if (isMeant(names)) this.#applications.delete(key);
    if (zonePair === undefined) this.#uncounted = 0;
  }

  toRecord(nowMs: number): PolicyStatistics {
    return {
      classes: [...this.#classes.values()].map((tally) => tally.toRecord(nowMs)),
      applications: [...this.#applications.values()].map((tally) => tally.toRecord()),
      uncounted: this.#uncounted,
    };
  }

  #classOf({ zonePair, className }: CountedPlace): ZoneClassTally | undefined {
    const key = keyOf({ zonePair, className });
    const known = this.#classes.get(key);
    if (known !== undefined || this.#classes.size >= ZONE_CLASSES_COUNTED_MAX) return known;
    const tally = new ZoneClassTally({ zonePair, className });
    this.#classes.set(key, tally);
    return tally;
  }
}

/** Names have no blanks, so a blank parts them. */
function keyOf({ zonePair, className }: CountedPlace): string {
  return `${zonePair} ${className}`;
}

class ZoneClassTally {
  readonly place: CountedPlace;
  readonly #packets = new Map<PortProtocol, number>();
  #created = 0;
  #open = 0;
  #maxOpen = 0;
  #lastCreatedMs: number | undefined;
  #clearedMs: number | undefined;
  /** The minute that is being counted, the one before it, and the busiest. */
  #minute = 0;
  #inMinute = 0;
  #rate = 0;
  #maxRate = 0;

  constructor(place: CountedPlace) {
    this.place = place;
  }

  opened(nowMs: number): void {
    this.#turnMinute(nowMs);
    this.#created += 1;
    this.#inMinute += 1;
    this.#open += 1;
    this.#maxOpen = Math.max(this.#maxOpen, this.#open);
    this.#lastCreatedMs = nowMs;
  }

  closed(protocol: PortProtocol, packets: number): void {
    this.#open = Math.max(0, this.#open - 1);
    this.#packets.set(protocol, (this.#packets.get(protocol) ?? 0) + packets);
  }

  clear(nowMs: number): void {
    this.#packets.clear();
    this.#created = 0;
    this.#maxOpen = this.#open;
    this.#inMinute = 0;
    this.#rate = 0;
    this.#maxRate = 0;
    this.#clearedMs = nowMs;
  }

  toRecord(nowMs: number): ZoneClassCounts {
    this.#turnMinute(nowMs);
    const secondsSince = (thenMs: number): number => Math.max(0, Math.floor((nowMs - thenMs) / 1_000));
    return {
      ...this.place,
      packets: Object.fromEntries(this.#packets),
      created: this.#created,
      open: this.#open,
      maxOpen: this.#maxOpen,
      ...(this.#lastCreatedMs === undefined ? {} : { lastCreatedSecondsAgo: secondsSince(this.#lastCreatedMs) }),
      creationRate: this.#rate,
      maxCreationRate: Math.max(this.#maxRate, this.#inMinute),
      ...(this.#clearedMs === undefined ? {} : { clearedSecondsAgo: secondsSince(this.#clearedMs) }),
    };
  }

  #turnMinute(nowMs: number): void {
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (minute === this.#minute) return;
    this.#rate = minute === this.#minute + 1 ? this.#inMinute : 0;
    this.#maxRate = Math.max(this.#maxRate, this.#inMinute);
    this.#minute = minute;
    this.#inMinute = 0;
  }
}

type ApplicationNames = Pick<ApplicationClassCounts, 'zonePair' | 'className' | 'policy' | 'applicationClass'>;

class ApplicationTally {
  readonly names: ApplicationNames;
  #hits = NO_HITS;
  #shadow = NO_HITS;
  /** As many as there are events. */
  readonly #events = new Map<string, HitCounts>();

  constructor(names: ApplicationNames) {
    this.names = names;
  }

  add({ event, bytes, shadow }: PolicyHit): void {
    const one = { count: 1, bytes };
    if (shadow) this.#shadow = sum(this.#shadow, one);
    else this.#hits = sum(this.#hits, one);
    this.#events.set(event, sum(this.#events.get(event) ?? NO_HITS, one));
  }

  toRecord(): ApplicationClassCounts {
    return { ...this.names, hits: this.#hits, shadow: this.#shadow, events: Object.fromEntries(this.#events) };
  }
}

const NO_HITS: HitCounts = { count: 0, bytes: 0 };

function sum(one: HitCounts, other: HitCounts): HitCounts {
  return { count: one.count + other.count, bytes: one.bytes + other.bytes };
}

/** The workers' counts as one. Peaks are summed up: an upper bound, the workers may not have had them together. */
export function combinePolicyStatistics(list: readonly PolicyStatistics[]): PolicyStatistics {
  const classes = new Map<string, ZoneClassCounts>();
  const applications = new Map<string, ApplicationClassCounts>();
  for (const counts of list.flatMap((statistics) => statistics.classes)) {
    const before = classes.get(keyOf(counts));
    classes.set(keyOf(counts), before === undefined ? counts : addClass(before, counts));
  }
  for (const counts of list.flatMap((statistics) => statistics.applications)) {
    const key = `${keyOf(counts)} ${counts.policy} ${counts.applicationClass}`;
    const before = applications.get(key);
    applications.set(key, before === undefined ? counts : addApplication(before, counts));
  }
  return {
    classes: [...classes.values()],
    applications: [...applications.values()],
    uncounted: list.reduce((all, { uncounted }) => all + uncounted, 0),
  };
}

function addClass(one: ZoneClassCounts, other: ZoneClassCounts): ZoneClassCounts {
  const created = earliest(one.lastCreatedSecondsAgo, other.lastCreatedSecondsAgo);
  const cleared = earliest(one.clearedSecondsAgo, other.clearedSecondsAgo);
  return {
    zonePair: one.zonePair,
    className: one.className,
    packets: addRecords(one.packets, other.packets),
    created: one.created + other.created,
    open: one.open + other.open,
    maxOpen: one.maxOpen + other.maxOpen,
    ...(created === undefined ? {} : { lastCreatedSecondsAgo: created }),
    creationRate: one.creationRate + other.creationRate,
    maxCreationRate: one.maxCreationRate + other.maxCreationRate,
    ...(cleared === undefined ? {} : { clearedSecondsAgo: cleared }),
  };
}

function earliest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

function addApplication(one: ApplicationClassCounts, other: ApplicationClassCounts): ApplicationClassCounts {
  const events = { ...one.events };
  for (const [event, hits] of Object.entries(other.events)) events[event] = sum(events[event] ?? NO_HITS, hits);
  return { ...one, hits: sum(one.hits, other.hits), shadow: sum(one.shadow, other.shadow), events };
}
