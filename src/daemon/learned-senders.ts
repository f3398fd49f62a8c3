import type { Logger } from '../log/log-message.ts';
import type { Configuration } from '../policy/configuration.ts';
import type { LearnedChanges, LearnedEntry, Learning } from '../policy/learned.ts';
import { LearnedStore } from './learned-store.ts';

export interface LearnedSendersOptions {
  readonly stateDir: string;
  readonly logger: Logger;
  /** Goes to every worker. */
  tell(changes: LearnedChanges): void;
}

/** What was learned meanwhile is told together: a wave of spam must not wake every worker for each of its messages. */
const TELL_MS = 20;
/** Older than any revision: everything is told. */
const NOTHING_KNOWN = -1;

/**
 * Between the store of learned senders and the workers: what one of them learned, or the administrator cleared, all are
 * told. The store is opened when a configuration first asks for it.
 */
export class LearnedSenders {
  readonly #options: LearnedSendersOptions;
  #store: LearnedStore | undefined;
  /** Up to which the workers were told. */
  #told = 0;
  #telling: NodeJS.Timeout | undefined;

  constructor(options: LearnedSendersOptions) {
    this.#options = options;
  }

  async configure(configuration: Configuration): Promise<void> {
    if (this.#store !== undefined || !usesLearning(configuration)) return;
    const { stateDir, logger } = this.#options;
    this.#store = await LearnedStore.open(stateDir, logger);
    this.#tellSoon();
  }

  /** The action `learn` in a worker, which knows it already. */
  learn({ sender, client, minutes }: Learning): void {
    void this.#store?.record(sender, client, minutes);
    this.#tellSoon();
  }

  /** Last seen first. */
  entries(): readonly LearnedEntry[] {
    return this.#store?.entries() ?? [];
  }

  /** Forgets a sender, `@` and a domain, a client's address, or `all`; answers how many entries there were. */
  clear(which: string): number {
    const cleared = this.#store?.clear(which) ?? 0;
    if (cleared > 0) this.#tellSoon();
    return cleared;
  }

  /** Everything, for a worker that begins. */
  whole(): LearnedChanges | undefined {
    return this.#store?.changesSince(NOTHING_KNOWN);
  }

  /** Once a second: what has expired leaves. */
  tick(): void {
    this.#tell();
  }

  async close(): Promise<void> {
    clearTimeout(this.#telling);
    const store = this.#store;
    this.#store = undefined;
    await store?.close();
  }

  #tellSoon(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      this.#tell();
    }, TELL_MS);
  }

  #tell(): void {
    const changes = this.#store?.changesSince(this.#told);
    if (changes === undefined) return;
    this.#told = changes.revision;
    this.#options.tell(changes);
  }
}

/** Whether a policy has the action `learn`, or a class asks what was learned. */
export function usesLearning({ policyMaps, classMaps }: Configuration): boolean {
  return (
    policyMaps.some(({ classes }) => classes.some(({ actions }) => actions.some(([action]) => action === 'learn'))) ||
    classMaps.some(
      ({ protocol, matches }) => protocol !== undefined && matches.some(({ words }) => words[1] === 'learned'),
    )
  );
}
