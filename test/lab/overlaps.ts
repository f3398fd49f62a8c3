/** A piece of a line, by its cells. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
}

/** Three chunks have six ends at most: five cells tell every order of them apart. */
const CELLS_MAX = 5;
const CHUNKS_MAX = 3;
const LETTERS = 'abc';
/** What the sender says in the end about every cell. */
const LAST = 'd';

/** Every way in which up to three chunks lie over another, in every order of their coming; ways that are alike once. */
export function overlaps(): (readonly Chunk[])[] {
  const single: Chunk[] = [];
  for (let from = 0; from < CELLS_MAX; from += 1) {
    for (let to = from + 1; to <= CELLS_MAX; to += 1) single.push({ from, to });
  }
  const all: (readonly Chunk[])[] = [];
  let longer: (readonly Chunk[])[] = [[]];
  for (let count = 1; count <= CHUNKS_MAX; count += 1) {
    longer = longer.flatMap((chunks) => single.map((chunk) => [...chunks, chunk]));
    all.push(...longer.filter(isPlainest));
  }
  return all;
}

/** No cell border is without an end of a chunk: the same ends farther apart are the same way. */
function isPlainest(chunks: readonly Chunk[]): boolean {
  const ends = new Set([0, ...chunks.flatMap(({ from, to }) => [from, to])]);
  return Math.max(...ends) === ends.size - 1;
}

const sizeOf = (chunks: readonly Chunk[]): number => Math.max(...chunks.map(({ to }) => to));

export interface Piece {
  readonly at: number;
  readonly octets: string;
}

/** The segments of one line: its head, the chunks, each in a letter of its own, and everything again in another. */
export function piecesOf(head: string, chunks: readonly Chunk[]): Piece[] {
  const size = sizeOf(chunks);
  return [
    { at: 0, octets: head },
    ...chunks.map(({ from, to }, index) => ({
      at: head.length + from,
      octets: (LETTERS[index] ?? '').repeat(to - from),
    })),
    { at: head.length, octets: `${LAST.repeat(size)}\r\n` },
  ];
}

/** What Postern judges: of every octet the copy that came first, in order or early. */
export function firstSeen(chunks: readonly Chunk[]): string {
  return Array.from({ length: sizeOf(chunks) }, (_, cell) => {
    const first = chunks.findIndex(({ from, to }) => from <= cell && cell < to);
    return LETTERS[first] ?? LAST;
  }).join('');
}
