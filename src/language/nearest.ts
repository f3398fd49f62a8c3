/** Longer words are not compared: a keyword is never that long, and the cost is the product of the lengths. */
const COMPARED_CHARACTERS_MAX = 32;

/**
 * The candidate that a typing slip away from `word`, or undefined. One slip for short words, two from five letters on.
 */
export function nearestWord(word: string, candidates: Iterable<string>): string | undefined {
  const typed = word.toLowerCase();
  const slipsMax = typed.length >= 5 ? 2 : 1;
  let best: string | undefined;
  let bestSlips = slipsMax + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - typed.length) > slipsMax) continue;
    const slips = slipsBetween(typed, candidate.toLowerCase());
    if (slips > 0 && slips < bestSlips) {
      best = candidate;
      bestSlips = slips;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function slipsBetween(left: string, right: string): number {
  if (left.length > COMPARED_CHARACTERS_MAX || right.length > COMPARED_CHARACTERS_MAX) return Number.POSITIVE_INFINITY;
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      let slips = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (row > 1 && column > 1 && swapped) slips = Math.min(slips, (beforeLast[column - 2] ?? 0) + 1);
      current.push(slips);
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length] ?? Number.POSITIVE_INFINITY;
}
