import {
  countSessions,
  makeSessionCounts,
  type SessionCounts,
  type SessionLimitLayout,
} from '../engine/session-limits.ts';
import { zoneCountName } from '../engine/zone-places.ts';
import { COUNTED_RULES_MAX } from '../limits.ts';
import type { Configuration } from '../policy/configuration.ts';
import { effectiveGlobals } from '../policy/defaults.ts';
import { zoneInspection } from '../policy/zone-inspection.ts';

/**
 * Which rule, or class of a zone-pair, is counted at which place of the shared counters: over reloads it keeps its
 * place while it exists.
 */
export class SessionPlaces {
  readonly counts: SessionCounts;
  #places = new Map<string, number>();
  /** Of rules that the reload before took away: a worker that has not heard of it may still count there. */
  #leaving = new Map<string, number>();

  constructor(workers: number) {
    this.counts = makeSessionCounts(workers);
  }

  /** The workers' limits under this configuration, and the rules and classes that found no place. */
  layout(configuration: Configuration): { readonly limits: SessionLimitLayout; readonly placeless: readonly string[] } {
    const counted = countedMaximums(configuration);
    const names = new Set(counted.keys());
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
    return { limits: this.#limits(configuration, counted), placeless };
  }

  #limits(configuration: Configuration, counted: ReadonlyMap<string, number>): SessionLimitLayout {
    return {
      maximum: effectiveGlobals(configuration).sessionsMaximum,
      rules: [...counted].flatMap(([rule, maximum]) => {
        const place = this.#places.get(rule);
        return place === undefined ? [] : [{ rule, place, maximum }];
      }),
    };
  }
}

/** How many sessions a rule may have (`parameter max-sessions`), and a class that inspects (`sessions maximum`). */
function countedMaximums(configuration: Configuration): ReadonlyMap<string, number> {
  const maximums = new Map<string, number>();
  for (const { name, maxSessions } of configuration.rules) maximums.set(name, maxSessions ?? Number.POSITIVE_INFINITY);
  for (const { name: zonePair, policy } of configuration.zonePairs) {
    const map = configuration.policyMaps.find((one) => one.name === policy && one.protocol === undefined);
    for (const { name: className, actions } of map?.classes ?? []) {
      const inspect = actions.find(([action]) => action === 'inspect');
      if (inspect === undefined) continue;
      const { sessionsMaximum } = zoneInspection(configuration, inspect[1]);
      maximums.set(zoneCountName({ zonePair, className }), sessionsMaximum);
    }
  }
  return maximums;
}
