import { type Case, textOf } from './cases.ts';
import type { PlayStep } from './cutting.ts';

/** A step of `actor.mjs`. */
export type ActorStep = { readonly send: readonly string[] } | { readonly hear: true } | { readonly finish: true };

const BOUNDARY = '\x01';

/** Both sides' parts of a dialogue: each speaks when it has heard something since the other's last words. */
export function scriptOf({ dialogue = [] }: Case): { steps: PlayStep[]; server: ActorStep[] } {
  const steps: PlayStep[] = [];
  const server: ActorStep[] = [];
  let before = '';
  for (const [side, text] of dialogue) {
    const writes = textOf(text).split(BOUNDARY);
    if (side === 'C') {
      if (before === 'S') steps.push({ wait: true });
      steps.push({ writes, gapMs: 4 });
    } else {
      if (before === 'C') server.push({ hear: true });
      server.push(text === 'FIN' ? { finish: true } : { send: writes });
    }
    before = side;
  }
  return { steps, server };
}
