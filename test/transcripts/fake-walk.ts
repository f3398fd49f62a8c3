import type { ContentFact } from '../../src/inspect/facts.ts';
import type { FrameMode } from '../../src/inspect/inspector.ts';

/**
 * What the walk over a message would tell: given its octets so far, in order all that is told by then; `ended` asks for
 * what is told at its end too. What was told of fewer octets stays told.
 */
export type ContentScript = (message: string, ended: boolean) => readonly ContentFact[];

/** A script that finds each text the first time it stands in the message, with its last octet. */
export function findsTexts(texts: readonly (readonly [text: string, fact: ContentFact])[]): ContentScript {
  return (message) =>
    texts
      .map(([text, fact]) => ({ at: message.indexOf(text) + text.length, found: message.includes(text), fact }))
      .filter(({ found }) => found)
      .sort((one, two) => one.at - two.at)
      .map(({ fact }) => fact);
}

/** Stands where the native walk does: sees each octet of a message once, in the framing that brings it. */
export class FakeWalk {
  readonly #script: ContentScript;
  readonly #mode: FrameMode['kind'];
  #message = '';
  #told = 0;
  /** Octets of the initiator's stream before this were seen, or were none of the message's. */
  #seen = 0;

  constructor(script: ContentScript, form: 'beginData' | 'beginChunks') {
    this.#script = script;
    this.#mode = form === 'beginData' ? 'mailData' : 'counted';
  }

  /** Takes octets from `from` up to `to` of the stream, as far as they tell nothing: where it stopped, and what it tells. */
  take(
    mode: FrameMode['kind'],
    stream: string,
    from: number,
    to: number,
  ): { readonly at: number; readonly facts: readonly ContentFact[] } | undefined {
    if (mode !== this.#mode) return undefined;
    for (let at = Math.max(from, this.#seen); at < to; at += 1) {
      this.#message += stream[at];
      this.#seen = at + 1;
      const facts = this.#new(false);
      if (facts.length > 0) return { at, facts };
    }
    return undefined;
  }

  finish(): readonly ContentFact[] {
    return this.#new(true);
  }

  #new(ended: boolean): readonly ContentFact[] {
    const facts = this.#script(this.#message, ended).slice(this.#told);
    this.#told += facts.length;
    return facts;
  }
}
