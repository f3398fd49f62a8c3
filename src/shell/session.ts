import { createDraft } from '../commands/draft.ts';
import { type Reading, readConfigLine } from '../commands/read-line.ts';
import { type LineError, lineError } from '../language/error-text.ts';
import { matchLine } from '../language/match.ts';
import type { Configuration } from '../policy/configuration.ts';
import { afterDo, promptMark, shellGraph } from './modes.ts';

/** What the person at the prompt has done so far. Plain data: the terminal and the daemon are the driver's. */
export interface ShellSession {
  readonly hostname: string;
  readonly privileged: boolean;
  /** Present in the configuration mode. */
  readonly editing?: Editing;
}

export interface Editing {
  readonly reading: Reading;
  /** Lines that were accepted, to be sent when the mode is left. */
  readonly lines: readonly string[];
}

/** What a line asks the driver to do, with the session that holds afterwards. */
export type Effect =
  | { readonly kind: 'print'; readonly text: string; readonly failed: boolean }
  | { readonly kind: 'exec' | 'debug'; readonly command: string }
  /** Fetch the running configuration and call `beginEditing`. */
  | { readonly kind: 'edit' }
  /** Send the lines; when they are refused, the mode stays and nothing is lost. */
  | { readonly kind: 'apply'; readonly lines: readonly string[] }
  | { readonly kind: 'leave' };

export interface Interpreted {
  readonly session: ShellSession;
  readonly effects: readonly Effect[];
}

const DEFAULT_HOSTNAME = 'Router';

export function createSession(hostname: string | undefined): ShellSession {
  return { hostname: hostname ?? DEFAULT_HOSTNAME, privileged: false };
}

export function promptOf({ hostname, privileged, editing }: ShellSession): string {
  const mark = promptMark(editing?.reading.draft.mode.kind, privileged);
  if (editing === undefined) return `${hostname}${mark}`;
  return `${editing.reading.draft.configuration.hostname ?? DEFAULT_HOSTNAME}${mark} `;
}

/** Enters the configuration mode upon what is running now; each line is checked against it as it is typed. */
export function beginEditing(session: ShellSession, running: Configuration): ShellSession {
  const draft = createDraft(running, 'terminal');
  const reading: Reading = { draft, tolerant: false, headerIndent: 0, skipped: { count: 0, firstLine: 0 } };
  return { ...session, editing: { reading, lines: [] } };
}

/** Leaves the configuration mode, with the name that the configuration now gives. */
export function endEditing(session: ShellSession): ShellSession {
  const { editing, ...rest } = session;
  const hostname = editing?.reading.draft.configuration.hostname ?? DEFAULT_HOSTNAME;
  return { ...rest, hostname };
}

export function interpretLine(session: ShellSession, line: string): Interpreted {
  if (line.trim() === '' || line.trimStart().startsWith('!')) return { session, effects: [] };
  const { editing } = session;
  if (editing === undefined) return interpretExec(session, line);
  const outside = afterDo(editing.reading.draft.mode.kind, line);
  return outside === undefined ? interpretConfig(session, editing, line) : interpretExec(session, outside);
}

function interpretExec(session: ShellSession, line: string): Interpreted {
  const command = line.split('|', 1)[0] ?? '';
  const match = matchLine(shellGraph(session.privileged), command);
  if (match.kind !== 'ok') return { session, effects: [mismatch(session, match, line)] };
  switch (match.command) {
    case 'exec':
    case 'debug':
      return { session, effects: [{ kind: match.command, command: line.trim() }] };
    case 'enable':
      return { session: { ...session, privileged: true }, effects: [] };
    case 'disable':
      return { session: { ...session, privileged: false }, effects: [] };
    case 'configure':
      return { session, effects: session.editing === undefined ? [{ kind: 'edit' }] : [] };
    case 'leave':
      return { session, effects: [{ kind: 'leave' }] };
    case 'nothing':
      return { session, effects: [] };
  }
}

/** At a prompt the caret stands under the word as it was typed, prompt included, as IOS has it. */
function mismatch(
  session: ShellSession,
  match: Exclude<ReturnType<typeof matchLine>, { kind: 'ok' }>,
  line: string,
): Effect {
  return { kind: 'print', text: refusal(session, lineError(match, line)), failed: true };
}

function refusal(session: ShellSession, { column, message, hint }: LineError): string {
  const caret = message.includes("'^'") ? `${' '.repeat(promptOf(session).length + column - 1)}^\n` : '';
  const tail = hint === undefined ? '' : ` (${hint})`;
  return `${caret}${message}${tail}\n`;
}

function interpretConfig(session: ShellSession, editing: Editing, line: string): Interpreted {
  const typed = line.trim().toLowerCase();
  const { draft } = editing.reading;
  if (typed === 'abort') return { session: endUnchanged(session), effects: [] };
  if (typed === 'end' || (typed === 'exit' && draft.mode.kind === 'global')) {
    return { session, effects: [{ kind: 'apply', lines: editing.lines }] };
  }
  const before = { configuration: draft.configuration, mode: draft.mode };
  const [errors, notices] = [draft.errors.length, draft.notices.length];
  readConfigLine(editing.reading, line, editing.lines.length + 1);
  const refused = draft.errors.length > errors;
  if (refused) Object.assign(draft, before);
  const told = draft.notices.slice(notices).map((notice) => `${notice.message}\n`);
  const text = [...draft.errors.slice(errors).map((error) => refusal(session, error)), ...told].join('');
  const lines = refused ? editing.lines : [...editing.lines, line];
  const effects: readonly Effect[] = text === '' ? [] : [{ kind: 'print', text, failed: refused }];
  return { session: { ...session, editing: { ...editing, lines } }, effects };
}

function endUnchanged(session: ShellSession): ShellSession {
  const { editing: _left, ...rest } = session;
  return rest;
}
