/**
 * The verdict on the shortest beginning of `text` that `judgeHead` refuses, or `otherwise` when it refuses none. A
 * line with two faults is refused for the one that came first, however it was split. Once refused, longer beginnings
 * must be refused too.
 */
export function firstRefusal<Verdict extends { readonly kind: string }>(
  text: string,
  judgeHead: (head: string) => Verdict,
  otherwise: Verdict,
): Verdict {
  const length = passedLength(text, judgeHead);
  return length === text.length ? otherwise : judgeHead(text.slice(0, length + 1));
}

/** The length of the longest beginning of `text` that `judgeHead` does not refuse; -1 when it refuses even none. */
export function passedLength(text: string, judgeHead: (head: string) => { readonly kind: string }): number {
  let passed = -1;
  let refusedAt = text.length + 1;
  while (refusedAt - passed > 1) {
    const length = (passed + refusedAt) >> 1;
    if (judgeHead(text.slice(0, length)).kind === 'refused') refusedAt = length;
    else passed = length;
  }
  return passed;
}
