import {
  countSessions,
  makeSessionCounts,
  type SessionCounts,
  type SessionLimitLayout,
} from '../engine/session-limits.ts';
import { COUNTED_RULES_MAX } from '../limits.ts';
import type { Configuration } from '../policy/configuration.ts';
import { effectiveGlobals } from '../policy/defaults.ts';

/** Which rule is counted at which place of the shared counters: over reloads a rule keeps its place while it exists. */
export class SessionPlaces {
  readonly counts: SessionCounts;
  #places = new Map<string, number>();
  /** Of rules that the reload before took away: a worker that has not heard of it may still count there. */
  #leaving = new Map<string, number>();

  constructor(workers: number) {
    this.counts = makeSessionCounts(workers);
  }

  /** The workers' limits under this configuration, and the rules that found no place. */
  layout(configuration: Configuration): { readonly limits: SessionLimitLayout; readonly placeless: readonly string[] } {
    const names = new Set(configuration.rules.map(({ name }) => name));
    const before = this.#places;
    const left = [...this.#leaving, ...before].filter(([name]) => !names.has(name));
    // A place is given away when nothing is counted there and it was free for a whole reload.
    const leaving = new Map(left.filter(([name, place]) => before.has(name) || countSessions(this.counts, place) > 0));
    const kept = [...this.#leaving, ...before].filter(([name]) => names.has(name));
    const taken = new Set([...leaving.values(), ...kept.map(([, place]) => place)]);
    this.#places = new Map(kept);
    this.#leaving = leaving;
    const placeless: string[] = [];
    let next = 1;
    for (const name of names) {
      if (this.#places.has(name)) continue;
      while (taken.has(next)) next += 1;
      if (next > COUNTED_RULES_MAX) placeless.push(name);
      else {
        this.#places.set(name, next);
        taken.add(next);
      }
    }
    return { limits: this.#limits(configuration), placeless };
  }

  #limits(configuration: Configuration): SessionLimitLayout {
    return {
      maximum: effectiveGlobals(configuration).sessionsMaximum,
      rules: configuration.rules.flatMap(({ name, maxSessions }) => {
        const place = this.#places.get(name);
        return place === undefined ? [] : [{ rule: name, place, maximum: maxSessions ?? Number.POSITIVE_INFINITY }];
      }),
    };
  }
}
