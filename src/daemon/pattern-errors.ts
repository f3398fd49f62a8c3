import { type Diagnostic, formatDiagnostic } from '../commands/parse-configuration.ts';
import { patternOrigin } from '../policy/application/patterns.ts';
import type { Configuration } from '../policy/configuration.ts';
import type { RefusedPattern } from './pattern-compiler.ts';

/** The text that a configuration was read from. */
export interface ConfigurationSource {
  readonly file: string;
  readonly lines: readonly string[];
}

/** Refused patterns as the terminal shows them: `FILE:LINE:COLUMN: % message`, the line, a caret; each once. */
export function patternErrors(
  configuration: Configuration,
  refused: readonly RefusedPattern[],
  source: ConfigurationSource,
): readonly string[] {
  const diagnostics = refused.map((refusal) => patternDiagnostic(configuration, refusal, source));
  const inOrder = diagnostics.sort((one, other) => one.line - other.line);
  return [...new Set(inOrder.map((diagnostic) => formatDiagnostic(diagnostic, true)))];
}

function patternDiagnostic(
  configuration: Configuration,
  refusal: RefusedPattern,
  source: ConfigurationSource,
): Diagnostic {
  const { use, index, message } = refusal;
  const nowhere = { file: source.file, line: source.lines.length, column: 1, text: '' };
  const origin = index === null ? undefined : patternOrigin(configuration, use, index);
  if (origin === undefined) return { ...nowhere, message: `% ${use} patterns: ${message}` };
  const { map, pattern } = origin;
  const said = `% Pattern "${pattern}" of parameter-map ${map}: ${message}`;
  const place = findPattern(source.lines, map, pattern);
  if (place === undefined) return { ...nowhere, message: said };
  const within = (refusal.column === null ? undefined : origin.column(refusal.column)) ?? 0;
  const column = place.column + Math.min(within, Math.max(0, pattern.length - 1));
  return { ...place, file: source.file, column, message: said };
}

/** Where a pattern of a map is written: words may be abbreviated, as everywhere. */
function findPattern(
  lines: readonly string[],
  map: string,
  pattern: string,
): { readonly line: number; readonly column: number; readonly text: string } | undefined {
  let current: string | undefined;
  for (const [index, text] of lines.entries()) {
    const [first = '', second = '', third = '', name] = text.trim().split(/\s+/);
    if (isShort(first, 'parameter-map') && isShort(second, 'type'))
      current = isShort(third, 'regex') ? name : undefined;
    if (current !== map || !isShort(first, 'pattern')) continue;
    const typed = text.slice(text.indexOf(first) + first.length).trim();
    if (unquoted(typed) !== pattern) continue;
    const start = text.indexOf(typed, text.indexOf(first) + first.length) + (typed.startsWith('"') ? 1 : 0);
    return { line: index + 1, column: start + 1, text };
  }
  return undefined;
}

function isShort(word: string, keyword: string): boolean {
  return word !== '' && keyword.startsWith(word.toLowerCase());
}

function unquoted(text: string): string {
  return text.startsWith('"') && text.endsWith('"') && text.length > 1 ? text.slice(1, -1) : text;
}
