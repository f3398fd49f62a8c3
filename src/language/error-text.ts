import type { Match } from './match.ts';
import { nearestWord } from './nearest.ts';

/** A refused line: where, what IOS says about it, and perhaps a better word. */
export interface LineError {
  readonly column: number;
  readonly message: string;
  readonly hint?: string;
}

/** The words of IOS for a line that did not match (cisco-ios 2). */
export function lineError<Command>(match: Exclude<Match<Command>, { kind: 'ok' }>, line: string): LineError {
  switch (match.kind) {
    case 'incomplete':
      return { column: match.column, message: '% Incomplete command.' };
    case 'ambiguous':
      return { column: match.column, message: `% Ambiguous command:  "${printable(line.trim())}"` };
    case 'invalid': {
      const typed = line.slice(match.column - 1).split(/[ \t]/, 1)[0] ?? '';
      const near = nearestWord(typed, match.expected);
      const message = "% Invalid input detected at '^' marker.";
      return near === undefined
        ? { column: match.column, message }
        : { column: match.column, message, hint: `did you mean ${near}?` };
    }
  }
}

/** The line with a caret under the column, as terminals and `postern check` show it. */
export function caretLines(line: string, column: number): string {
  return `${printable(line)}\n${' '.repeat(Math.max(0, column - 1))}^`;
}

/** Control characters would move the caret or the terminal: each is shown as one question mark, a tab as a blank. */
export function printable(text: string): string {
  let shown = '';
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x09) shown += ' ';
    else shown += code < 0x20 || (code >= 0x7f && code < 0xa0) ? '?' : text[index];
  }
  return shown;
}
