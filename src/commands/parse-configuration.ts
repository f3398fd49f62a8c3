import { caretLines, printable } from '../language/error-text.ts';
import { CONFIGURATION_LINE_CHARACTERS_MAX, CONFIGURATION_LINES_MAX, CONFIGURATION_MESSAGES_MAX } from '../limits.ts';
import { type Configuration, EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { findIdleParts } from './attachments.ts';
import { createDraft, type Diagnostic, type Draft, type Finding } from './draft.ts';
import { openBanner } from './foreign.ts';
import { type Reading, readConfigLine } from './read-line.ts';
import { findReferenceErrors } from './validate.ts';

export type { Diagnostic } from './draft.ts';

export interface ParsedConfiguration {
  /** What the lines without an error add up to; only to be used when `errors` is empty. */
  readonly configuration: Configuration;
  readonly errors: readonly Diagnostic[];
  readonly notices: readonly Diagnostic[];
}

/**
 * Reads a whole configuration file. All errors are found at once; lines outside the firewall are skipped with one
 * notice.
 */
export function parseConfiguration(text: string, fileName: string): ParsedConfiguration {
  const draft = createDraft(EMPTY_CONFIGURATION, fileName);
  return readLines({ draft, tolerant: true, headerIndent: 0, skipped: { count: 0, firstLine: 0 } }, splitLines(text));
}

/** Types lines into a running configuration; here a line that nobody knows is an error. */
export function applyLines(configuration: Configuration, lines: readonly string[]): ParsedConfiguration {
  const draft = createDraft(configuration, 'terminal');
  return readLines({ draft, tolerant: false, headerIndent: 0, skipped: { count: 0, firstLine: 0 } }, lines);
}

function splitLines(text: string): readonly string[] {
  // Editors of other systems put a byte order mark in front.
  return text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
}

/** `FILE:LINE:COLUMN: % message`, for an error with the line, a caret under the word and perhaps a hint. */
export function formatDiagnostic(diagnostic: Diagnostic, withLine: boolean): string {
  const { file, line, column, message, text, hint } = diagnostic;
  const head = `${file}:${line}:${column}: ${printable(message)}`;
  if (!withLine || text === '') return head;
  const tail = hint === undefined ? '' : ` ${printable(hint)}`;
  return `${head}\n${caretLines(text, column)}${tail}`;
}

function readLines(reading: Reading, lines: readonly string[]): ParsedConfiguration {
  const { draft, tolerant } = reading;
  const { file } = draft.position;
  let bannerEnd: string | undefined;
  for (const [index, text] of lines.entries()) {
    const line = index + 1;
    if (index >= CONFIGURATION_LINES_MAX || draft.errors.length >= CONFIGURATION_MESSAGES_MAX) {
      draft.errors.push({
        file,
        line,
        column: 1,
        text: '',
        message: '% Too many lines or errors, the rest was not read',
      });
      break;
    }
    if (bannerEnd !== undefined) {
      if (text.includes(bannerEnd)) bannerEnd = undefined;
      continue;
    }
    if (text.length > CONFIGURATION_LINE_CHARACTERS_MAX) {
      const message = `% A line has at most ${CONFIGURATION_LINE_CHARACTERS_MAX} characters`;
      draft.errors.push({ file, line, column: CONFIGURATION_LINE_CHARACTERS_MAX + 1, text: '', message });
      continue;
    }
    readConfigLine(reading, text, line);
    if (tolerant) bannerEnd = openBanner(text);
  }
  if (bannerEnd !== undefined) {
    draft.errors.push({ file, line: lines.length, column: 1, text: '', message: '% A banner is not closed' });
  }
  finish(reading);
  return { configuration: draft.configuration, errors: draft.errors, notices: draft.notices };
}

function finish({ draft, skipped }: Reading): void {
  addReferenceErrors(draft);
  for (const found of findIdleParts(draft.configuration)) draft.notices.push(placed(draft, found));
  if (skipped.count === 0) return;
  const lines = skipped.count === 1 ? '1 line' : `${skipped.count} lines`;
  const message = `% notice: ${lines} outside the firewall skipped, the first is line ${skipped.firstLine}`;
  draft.notices.push({ file: draft.position.file, line: skipped.firstLine, column: 1, text: '', message });
}

function addReferenceErrors(draft: Draft): void {
  for (const found of findReferenceErrors(draft.configuration)) draft.errors.push(placed(draft, found));
  draft.errors.sort((left, right) => left.line - right.line);
}

/** At the line that named what is missing; lines that came before what is read now have no place any more. */
function placed({ origins, position }: Draft, { key, message }: Finding): Diagnostic {
  return { ...(origins.get(key) ?? { ...position, column: 1, text: '' }), message };
}
