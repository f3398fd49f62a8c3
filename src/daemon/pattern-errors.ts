import { formatDiagnostic } from '../commands/parse-configuration.ts';
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
  return [...new Set(refused.map((refusal) => patternError(configuration, refusal, source)))];
}

function patternError(configuration: Configuration, refusal: RefusedPattern, source: ConfigurationSource): string {
  const { map, expression, column = 0, message } = refusal;
  const pattern = map === undefined ? undefined : patternText(configuration, map, refusal.pattern ?? 0);
  if (map === undefined || pattern === undefined) {
    return formatDiagnostic({ file: source.file, line: 1, column: 1, text: '', message: `% ${message}` }, true);
  }
  const said = `% Pattern "${pattern}" of parameter-map ${map}: ${message}`;
  const place = findPattern(source.lines, map, pattern);
  if (place === undefined) {
    return formatDiagnostic({ file: source.file, line: source.lines.length, column: 1, text: '', message: said }, true);
  }
  // What was read as a glob is another text than the engine's: its start is all that can be pointed at.
  const within = expression === pattern ? Math.min(column, pattern.length - 1) : 0;
  return formatDiagnostic({ ...place, file: source.file, column: place.column + within, message: said }, true);
}

function patternText({ parameterMaps }: Configuration, name: string, index: number): string | undefined {
  const map = parameterMaps.find((one) => one.kind === 'regex' && one.name === name);
  const quoted = map?.lines.filter(([word]) => word === 'pattern')[index]?.[1];
  return quoted === undefined ? undefined : unquoted(quoted);
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
