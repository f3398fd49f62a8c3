import { indentOf } from '../language/words.ts';
import type { Configuration } from '../policy/configuration.ts';

/** Where a configuration line is read: the global mode or the sub-mode of one interface, list or map. */
export type ModeKind =
  | 'global'
  | 'interface'
  | 'standard-access-list'
  | 'extended-access-list'
  | 'class-map'
  | 'smtp-class-map'
  | 'pop3-class-map'
  | 'imap-class-map'
  | 'policy-map'
  | 'policy-class'
  | 'application-policy-map'
  | 'application-policy-class'
  | 'inspect-parameter-map'
  | 'regex-parameter-map'
  | 'zone'
  | 'zone-pair'
  /** Inside a section of a router's configuration that is not the firewall's. */
  | 'foreign'
  /** Under a header that was refused: its lines belong nowhere, and the header's error is enough. */
  | 'refused';

export interface Mode {
  readonly kind: ModeKind;
  /** The interface, list or map being edited. */
  readonly subject: string;
  /** The class of a policy map. */
  readonly className?: string;
  readonly parent?: Mode;
}

export const GLOBAL_MODE: Mode = { kind: 'global', subject: '' };

/** One line of the source; `line` counts from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  /** The source line, for the caret; empty when a message is about the whole. */
  readonly text: string;
}

/** One thing to tell about one place of a configuration. `message` begins with IOS's percent sign. */
export interface Diagnostic extends Position {
  readonly column: number;
  readonly message: string;
  readonly hint?: string;
}

/** A message of the checks at the end of a file. `key` finds the line that said what it is about. */
export interface Finding {
  readonly key: string;
  readonly message: string;
}

/** A configuration being edited line by line. Commands replace `configuration` and `mode`; the rest is the reader's. */
export interface Draft {
  configuration: Configuration;
  mode: Mode;
  position: Position;
  readonly errors: Diagnostic[];
  readonly notices: Diagnostic[];
  /** What was noted already, so that a notice comes once a kind. */
  readonly noted: Set<string>;
  /** Where a reference to something else was written, for the checks at the end. */
  readonly origins: Map<string, Position & { readonly column: number }>;
}

export function createDraft(configuration: Configuration, file: string): Draft {
  return {
    configuration,
    mode: GLOBAL_MODE,
    position: { file, line: 0, text: '' },
    errors: [],
    notices: [],
    noted: new Set(),
    origins: new Map(),
  };
}

/** Refuses the line in work; the caller leaves the configuration as it was. */
export function fail(draft: Draft, message: string, column = firstColumn(draft)): void {
  draft.errors.push({ ...draft.position, column, message });
}

/** Refuses the header of a section and, where they are indented, the lines under it. */
export function refuseSection(draft: Draft, message: string, column: number): void {
  fail(draft, message, column);
  draft.mode = { kind: 'refused', subject: '', parent: draft.mode };
}

/** Tells something about the line in work, which stands. */
export function note(draft: Draft, message: string, column = firstColumn(draft)): void {
  draft.notices.push({ ...draft.position, column, message });
}

/** Like `note`, but only for the first line of its kind. */
export function noteOnce(draft: Draft, kind: string, message: string): void {
  if (draft.noted.has(kind)) return;
  draft.noted.add(kind);
  note(draft, message);
}

/** Remembers that the line in work names `key`, in case the end of the file shows that it does not exist. */
export function markOrigin(draft: Draft, key: string, column: number): void {
  draft.origins.set(key, { ...draft.position, column });
}

/** The key under which the header of a class or policy map is marked. */
export function mapKey(kind: 'class-map' | 'policy-map', name: string): string {
  return `${kind} ${name}`;
}

function firstColumn({ position }: Draft): number {
  return indentOf(position.text) + 1;
}
