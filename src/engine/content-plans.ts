import type { Addon, ContentPlan } from '../native/addon.ts';

/** A content plan as the sessions of a place hold it. */
export interface ContentPlanUse {
  /** Its number in orders (Addon.definePlan). */
  readonly plan: number;
  /** A session begins with it, and is over. */
  hold(): void;
  letGo(): void;
}

/**
 * The content plans that a packet loop knows. A plan that is the same before and after a change of configuration is
 * defined once; one that no configuration asks for any more is released with the last session that may begin a message
 * under it.
 */
export class ContentPlans {
  readonly #addon: Pick<Addon, 'definePlan' | 'releasePlan'>;
  readonly #host: number;
  /** Those of the configuration that holds, by their text. */
  #current = new Map<string, DefinedPlan>();

  constructor(addon: Pick<Addon, 'definePlan' | 'releasePlan'>, host: number) {
    this.#addon = addon;
    this.#host = host;
  }

  /**
   * The plans of a new configuration; what is not among them is on its way out. Answers why plans could not be defined:
   * too many at once, or no memory.
   */
  configure(plans: readonly ContentPlan[]): readonly string[] {
    const errors: string[] = [];
    const before = this.#current;
    const current = new Map<string, DefinedPlan>();
    for (const plan of plans) {
      const key = keyOf(plan);
      if (current.has(key)) continue;
      try {
        current.set(key, before.get(key) ?? this.#define(plan));
      } catch (error) {
        errors.push(error instanceof Error ? error.message : String(error));
      }
    }
    this.#current = current;
    for (const [key, plan] of before) if (!current.has(key)) plan.retire();
    return errors;
  }

  /** Undefined for a plan that could not be defined. */
  useOf(plan: ContentPlan): ContentPlanUse | undefined {
    return this.#current.get(keyOf(plan));
  }

  #define(plan: ContentPlan): DefinedPlan {
    const number = this.#addon.definePlan(this.#host, plan);
    return new DefinedPlan(number, () => this.#addon.releasePlan(this.#host, number));
  }
}

class DefinedPlan implements ContentPlanUse {
  readonly plan: number;
  readonly #release: () => void;
  #sessions = 0;
  #retired = false;

  constructor(plan: number, release: () => void) {
    this.plan = plan;
    this.#release = release;
  }

  hold(): void {
    this.#sessions += 1;
  }

  letGo(): void {
    this.#sessions -= 1;
    if (this.#retired && this.#sessions === 0) this.#release();
  }

  retire(): void {
    this.#retired = true;
    if (this.#sessions === 0) this.#release();
  }
}

/** Sets of patterns are numbers, so equal texts are equal plans. */
function keyOf({ header, body, decoded, contentType, encodings, headerLengths, dataLengths }: ContentPlan): string {
  return JSON.stringify([header, body, decoded, contentType, encodings, headerLengths, dataLengths]);
}
