import type { PatternUse } from './pattern-sets.ts';

/** What a program asks while it judges, handed in by the engine: the same answer for the same question. */
export interface PolicyEnvironment {
  /**
   * Indexes (in PatternSets.maps) of the maps that the text matches. A text is octets, latin-1. Throws when it failed.
   */
  matches(use: Extract<PatternUse, 'sender' | 'recipient'>, text: string): readonly number[];
  readonly learned: LearnedView;
  /** Whether a server, by its name in `ApplicationPolicy`, offered STARTTLS in an earlier session; absent: none did. */
  offeredStarttls?(server: string): boolean;
}

/** What was learned (`learn sender`), as a worker sees it. Addresses in any case of letters. */
export interface LearnedView {
  sender(address: string): boolean;
  domain(domain: string): boolean;
  /** A network address as `show` prints it. */
  client(address: string): boolean;
}

export const NOTHING_LEARNED: LearnedView = { sender: () => false, domain: () => false, client: () => false };
