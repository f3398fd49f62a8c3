/** A word of a typed line; the column counts characters from 1, as editors and carets do. */
export interface Word {
  readonly text: string;
  readonly column: number;
}

/**
 * Cuts a line at white space. Quotes mean nothing here: what may hold blanks is a LINE token, which takes the raw
 * rest.
 */
export function splitWords(line: string): readonly Word[] {
  const words: Word[] = [];
  let start = -1;
  for (let index = 0; index <= line.length; index += 1) {
    const inside = index < line.length && !isBlank(line.charCodeAt(index));
    if (inside && start < 0) start = index;
    if (!inside && start >= 0) {
      words.push({ text: line.slice(start, index), column: start + 1 });
      start = -1;
    }
  }
  return words;
}

/** How many blanks a line begins with; a tab counts as one, which is enough to tell a sub-line from its header. */
export function indentOf(line: string): number {
  let indent = 0;
  while (indent < line.length && isBlank(line.charCodeAt(indent))) indent += 1;
  return indent;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
