import { type NonSynchronising, nonSynchronisingOf } from './literals.ts';

/** What the server's list of capabilities lets a client send before a login. */
export interface Offers {
  readonly nonSynchronising: NonSynchronising;
  /** RFC 5255 3.1. */
  readonly language: boolean;
}

/** Until the server has said so, nothing is offered. */
export const NO_OFFERS: Offers = { nonSynchronising: 'none', language: false };

export function offersOf(capabilities: readonly string[]): Offers {
  return {
    nonSynchronising: nonSynchronisingOf(capabilities),
    language: capabilities.some((name) => name.toUpperCase() === 'LANGUAGE'),
  };
}
