import type { PatternAddon, PatternPlace, PatternRefusal } from '../native/addon.ts';
import type { PatternPlan, PatternSets, PatternText, PatternUse } from '../policy/application/pattern-sets.ts';

/** A pattern that the engine does not take. */
export interface RefusedPattern {
  readonly use: PatternUse;
  /** Of the text in the plan; null where the set as a whole was refused (its size, no memory). */
  readonly index: number | null;
  /** Where in the text's expression, from 0; null where that is not known. */
  readonly column: number | null;
  readonly message: string;
}

/** Patterns of a configuration that the engine does not take: nothing of it may be used. */
export class PatternsRefused extends Error {
  override readonly name = 'PatternsRefused';
  readonly refused: readonly RefusedPattern[];

  constructor(refused: readonly RefusedPattern[]) {
    super(refused[0]?.message ?? 'patterns were refused');
    this.refused = refused;
  }
}

type Compiling = Pick<PatternAddon, 'compilePatterns' | 'releasePatterns'>;

/** Texts that come in pieces are bodies; everything else is one field (cisco-ios 1.5, 3.9). */
const PLACES: Readonly<Record<PatternUse, PatternPlace>> = {
  sender: 'field',
  recipient: 'field',
  header: 'field',
  contentType: 'field',
  body: 'body',
  decoded: 'body',
};

/** How many refused patterns of a set are looked for; each asks the engine anew. */
const REFUSED_MAX = 20;

/**
 * Compiles the patterns of configurations, off the thread that asks, and knows what is compiled: a set of the same
 * texts for the same place is not compiled again, whichever configuration asks for it.
 */
export class PatternCompiler {
  readonly #addon: Compiling;
  /** By place and texts. */
  readonly #known = new Map<string, number>();
  readonly #pending = new Map<string, Promise<SetResult>>();

  constructor(addon: Compiling) {
    this.#addon = addon;
  }

  /** Sets for all uses of the plan. Throws PatternsRefused; what other configurations use stays as it is. */
  async compile(plan: PatternPlan): Promise<PatternSets> {
    const results = await Promise.all(
      entriesOf(plan).map(async ([use, texts]) => [use, await this.#set(PLACES[use], texts)] as const),
    );
    const refused = results.flatMap(([use, result]) =>
      typeof result === 'number' ? [] : result.map((refusal) => ({ ...refusal, use })),
    );
    if (refused.length > 0) throw new PatternsRefused(refused);
    const sets = Object.fromEntries(results) as Partial<Record<PatternUse, number>>;
    return { maps: plan.maps, sets };
  }

  /** Forgets the sets that are not among these. Who scans with one of them goes on; nobody new may ask for it. */
  keepOnly(used: readonly PatternSets[]): void {
    const numbers = new Set(used.flatMap(({ sets }) => Object.values(sets)));
    for (const [key, set] of this.#known) {
      if (numbers.has(set)) continue;
      this.#known.delete(key);
      this.#addon.releasePatterns(set);
    }
  }

  #set(place: PatternPlace, texts: readonly PatternText[]): Promise<SetResult> {
    const key = JSON.stringify([place, texts.map(({ id, expression, caseless }) => [id, expression, caseless])]);
    const known = this.#known.get(key);
    if (known !== undefined) return Promise.resolve(known);
    const pending = this.#pending.get(key) ?? this.#compileSet(key, place, texts);
    this.#pending.set(key, pending);
    return pending;
  }

  async #compileSet(key: string, place: PatternPlace, texts: readonly PatternText[]): Promise<SetResult> {
    try {
      const set = await this.#addon.compilePatterns(texts, place);
      this.#known.set(key, set);
      return set;
    } catch (error) {
      return await this.#refusals(place, texts, error);
    } finally {
      this.#pending.delete(key);
    }
  }

  /** The pattern that was refused, and those behind it: an administrator wants to see them at once. */
  async #refusals(place: PatternPlace, texts: readonly PatternText[], error: unknown): Promise<readonly Refusal[]> {
    const found: Refusal[] = [];
    let left = texts.map((text, index) => ({ text, index }));
    let refusal: Refusal | undefined = refusalOf(error);
    while (refusal !== undefined && found.length < REFUSED_MAX) {
      const of = left.map(({ text }) => text);
      const at: number | undefined = refusal.index ?? (await this.#search(place, of, 0, of.length));
      const index = at === undefined ? null : (left[at]?.index ?? null);
      found.push({ ...refusal, index });
      if (index === null) break;
      left = left.filter((one) => one.index !== index);
      refusal = await this.#try(
        place,
        left.map(({ text }) => text),
      );
    }
    return found;
  }

  /**
   * Which of a refused set's texts from `from` up to `to` is refused by itself, where the engine did not say;
   * undefined: none is, they are too much together.
   */
  async #search(
    place: PatternPlace,
    texts: readonly PatternText[],
    from: number,
    to: number,
  ): Promise<number | undefined> {
    if (to - from <= 1) return from;
    const middle = (from + to) >> 1;
    for (const [begin, end] of [
      [from, middle],
      [middle, to],
    ] as const) {
      if ((await this.#try(place, texts.slice(begin, end))) === undefined) continue;
      const found = await this.#search(place, texts, begin, end);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Why these are refused; undefined: they are not, or there are none. */
  async #try(place: PatternPlace, texts: readonly PatternText[]): Promise<Refusal | undefined> {
    if (texts.length === 0) return undefined;
    try {
      this.#addon.releasePatterns(await this.#addon.compilePatterns(texts, place));
      return undefined;
    } catch (error) {
      return refusalOf(error);
    }
  }
}

/** The set's number, or why there is none. */
type SetResult = number | readonly Refusal[];
type Refusal = Pick<PatternRefusal, 'message' | 'index' | 'column'>;

/** Throws what is no refusal: a defect must not look like a bad pattern. */
function refusalOf(error: unknown): Refusal {
  if (!(error instanceof Error) || !('index' in error) || !('column' in error)) throw error;
  const { message, index, column } = error as PatternRefusal;
  return { message, index, column };
}

function entriesOf({ uses }: PatternPlan): readonly (readonly [PatternUse, readonly PatternText[]])[] {
  const entries = Object.entries(uses) as [PatternUse, readonly PatternText[]][];
  return entries.filter(([, texts]) => texts.length > 0);
}
