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
  let passed = -1;
  let refusedAt = text.length + 1;
  let verdict = otherwise;
  while (refusedAt - passed > 1) {
    const length = (passed + refusedAt) >> 1;
    const head = judgeHead(text.slice(0, length));
    if (head.kind === 'refused') {
      refusedAt = length;
      verdict = head;
    } else passed = length;
  }
  return verdict;
}
