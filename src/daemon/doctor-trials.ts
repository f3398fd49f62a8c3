import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { PatternAddon } from '../native/addon.ts';

/** An expression, and a text that it matches. */
const TRIALS: readonly (readonly [expression: string, hit: string])[] = [
  ['q', 'q'],
  ['[67]', '7'],
  ['(spam|junk)@', 'junk@'],
  ['image/+', 'image/'],
  ['ab.*yz', 'abcyz'],
  ['UD-421590', 'UD-421590'],
];
/** Around the widths of the registers by which an engine reads. */
const LENGTHS = [17, 33, 65, 130];

/**
 * Compiles some patterns and looks for them at every place of texts without sense: there are versions of the engine
 * that overlook matches on some processors. Undefined when it found all of them, and nothing else; else what went
 * wrong.
 */
export async function tryPatterns(
  addon: Pick<PatternAddon, 'compilePatterns' | 'matchOnce' | 'releasePatterns'>,
): Promise<string | undefined> {
  for (const place of ['field', 'body'] as const) {
    const texts = TRIALS.map(([expression]) => ({ expression, caseless: false }));
    const set = await addon.compilePatterns(texts, place);
    try {
      for (const [index, [expression, hit]] of TRIALS.entries()) {
        const found = placesOf(hit).map((text) => addon.matchOnce(set, text).join());
        const overlooked = found.filter((matched) => matched !== String(index)).length;
        if (overlooked > 0) return `${overlooked} of ${found.length} texts with /${expression}/ are judged wrongly`;
      }
    } finally {
      addon.releasePatterns(set);
    }
  }
  return undefined;
}

function placesOf(hit: string): readonly string[] {
  return LENGTHS.flatMap((length) =>
    Array.from({ length: length - hit.length + 1 }, (_, at) => {
      const rest = length - hit.length - at;
      return `${'.'.repeat(at)}${hit}${'.'.repeat(rest)}`;
    }),
  );
}

/** Whether files can be made under a directory, which may have to be made itself. Makes nothing. */
export function isWritable(directory: string): boolean {
  let nearest = directory;
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
