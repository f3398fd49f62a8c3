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

  /** The plans of a new configuration; what is not among them is on its way out. Throws what definePlan throws. */
  configure(plans: readonly ContentPlan[]): void {
    const before = this.#current;
    const current = new Map<string, DefinedPlan>();
    for (const plan of plans) {
      const key = keyOf(plan);
      if (!current.has(key)) current.set(key, before.get(key) ?? this.#define(plan));
    }
    this.#current = current;
    for (const [key, plan] of before) if (!current.has(key)) plan.retire();
  }

  /** Throws for a plan that the configuration did not name. */
  useOf(plan: ContentPlan): ContentPlanUse {
    const defined = this.#current.get(keyOf(plan));
    if (defined === undefined) throw new Error('a content plan was not defined');
    return defined;
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
