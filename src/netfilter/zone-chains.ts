import type { Configuration, PolicyClass, ZonePair } from '../policy/configuration.ts';
import { policyOf } from '../policy/zone-classify.ts';
import { type ZoneAction, zoneMatchKey } from '../policy/zone-labels.ts';
import { type Condition, classCondition, matchText, primitivesOf, type Side } from './zone-conditions.ts';

export interface Chain {
  readonly name: string;
  readonly lines: readonly string[];
}

/** What a class does with its packets: lines without their chain; every path through them ends. */
export type ClassLines = (place: PolicyClass) => readonly string[];

/** How the comments of all rules of zones begin. */
export const ZONE_LABEL_PREFIX = 'zone ';

export function counted(zonePair: string, className: string, action: ZoneAction): string {
  return `-m comment --comment "${ZONE_LABEL_PREFIX}${zoneMatchKey(zonePair, className, action)}"`;
}

/**
 * Chains as they come to be needed. Nothing in them ever returns to the one that led there, but to where the first of
 * them was entered: a rule either decides, or goes on to the chain with what comes next. So the first class that fits
 * decides, however its conditions are nested.
 */
export class ChainBuilder {
  readonly #chains = new Map<string, string[]>();

  get chains(): readonly Chain[] {
    return [...this.#chains].map(([name, lines]) => ({ name, lines }));
  }

  /** A new chain with these lines; answers its name. */
  open(lines: readonly string[] = []): string {
    const name = `POSTERN-ZONE-${this.#chains.size + 1}`;
    this.#chains.set(name, []);
    for (const line of lines) this.add(name, line);
    return name;
  }

  add(chain: string, line: string): void {
    this.#chains.get(chain)?.push(`-A ${chain} ${line}`);
  }

  /** The chain of a pair's policy: classes in order, the first that fits decides, what is left is dropped. */
  pairChain(configuration: Configuration, pair: ZonePair, side: Side, linesOf: ClassLines): string {
    const first = this.open();
    const classes = policyOf(configuration, pair)?.classes ?? [];
    let current = first;
    for (const entry of classes.filter(({ name }) => name !== 'class-default')) {
      const condition = classCondition(configuration, entry.name, side);
      current = this.class(condition, current, side, linesOf(entry));
    }
    const rest = classes.find(({ name }) => name === 'class-default') ?? { name: 'class-default', actions: [] };
    for (const line of linesOf(rest)) this.add(current, line);
    return first;
  }

  /** Adds a class with its action to the chain; answers the chain in which the next one goes on. */
  class(condition: Condition, current: string, side: Side, lines: readonly string[]): string {
    const primitives = primitivesOf(condition);
    if (primitives?.length === 0) return current;
    const [only] = lines;
    const single = lines.length === 1 && primitives?.length === 1 && only !== undefined;
    return this.#when(condition, current, side, single ? only : `-g ${this.open(lines)}`);
  }

  #when(condition: Condition, current: string, side: Side, decision: string): string {
    const primitives = primitivesOf(condition);
    if (primitives !== undefined) {
      for (const match of primitives) this.add(current, `${matchText(match, side.family)}${decision}`);
      return current;
    }
    switch (condition.kind) {
      case 'any':
        return condition.of.reduce((chain, part) => this.#when(part, chain, side, decision), current);
      case 'list': {
        const next = this.open();
        for (const { permit, match } of condition.entries) {
          this.add(current, `${matchText(match, side.family)}${permit ? decision : `-g ${next}`}`);
        }
        this.add(current, `-g ${next}`);
        return next;
      }
      default:
        return this.#whenAll(condition, current, side, decision);
    }
  }

  /** The rest of the conditions stands in a chain of its own; whichever does not hold leads on to the next class. */
  #whenAll(condition: Condition, current: string, side: Side, decision: string): string {
    const [first, ...rest] = condition.kind === 'all' ? condition.of : [];
    if (first === undefined) return current;
    if (rest.length === 0) return this.#when(first, current, side, decision);
    const next = this.open();
    const inner = this.open();
    this.add(this.#when(first, current, side, `-g ${inner}`), `-g ${next}`);
    this.add(this.#when({ kind: 'all', of: rest }, inner, side, decision), `-g ${next}`);
    return next;
  }
}
