import { nearestWord } from '../language/nearest.ts';

/**
 * `| include TEXT` and its like. The text is compared as it stands; `a|b` gives alternatives, `^` and `$` tie it to an
 * end.
 */
export interface OutputFilter {
  readonly kind: 'include' | 'exclude' | 'begin';
  readonly alternatives: readonly string[];
}

const KINDS: readonly OutputFilter['kind'][] = ['include', 'exclude', 'begin'];

export interface FilteredCommand {
  readonly command: string;
  readonly filter?: OutputFilter;
  readonly error?: string;
}

export function splitFilter(line: string): FilteredCommand {
  const bar = line.indexOf('|');
  if (bar < 0) return { command: line };
  const command = line.slice(0, bar);
  const rest = line.slice(bar + 1).trim();
  const [typed = ''] = rest.split(/\s/, 1);
  const kinds = KINDS.filter((kind) => typed !== '' && kind.startsWith(typed.toLowerCase()));
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const near = nearestWord(typed, KINDS);
    const hint = near === undefined ? '' : ` (did you mean ${near}?)`;
    return { command, error: `% Expected include, exclude or begin after '|'${hint}` };
  }
  const pattern = rest.slice(typed.length).trim();
  if (pattern === '') return { command, error: '% Incomplete command.' };
  return { command, filter: { kind, alternatives: pattern.split('|') } };
}

/** Time grows with the text's length times the pattern's: nothing here backtracks. */
export function filterLines(text: string, filter: OutputFilter): string {
  const lines = text.split('\n');
  const matches = (line: string): boolean => filter.alternatives.some((alternative) => matchesText(line, alternative));
  if (filter.kind === 'begin') {
    const at = lines.findIndex(matches);
    return at < 0 ? '' : lines.slice(at).join('\n');
  }
  return lines.filter((line) => matches(line) === (filter.kind === 'include')).join('\n');
}

function matchesText(line: string, pattern: string): boolean {
  const atStart = pattern.startsWith('^');
  const atEnd = pattern.length > 1 && pattern.endsWith('$');
  const text = pattern.slice(atStart ? 1 : 0, atEnd ? -1 : undefined);
  if (atStart && atEnd) return line === text;
  if (atStart) return line.startsWith(text);
  return atEnd ? line.endsWith(text) : line.includes(text);
}
