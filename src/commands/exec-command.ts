import type { Arguments } from '../language/match.ts';
import type { ExecContext } from './exec-context.ts';

/** What an exec command answers: IOS's text and the structure behind it, or an error of one line. */
export type ExecResult =
  | { readonly kind: 'done'; readonly text: string; readonly data: unknown }
  | { readonly kind: 'failed'; readonly error: string };

export interface ExecCommand {
  readonly grammar: readonly string[];
  readonly help: Readonly<Record<string, string>>;
  run(context: ExecContext, args: Arguments): Promise<ExecResult>;
}

/** Lines of text without the last line end; the reply adds it. */
export function done(lines: readonly string[], data: unknown): ExecResult {
  return { kind: 'done', text: lines.join('\n'), data };
}

export function failed(error: string): ExecResult {
  return { kind: 'failed', error };
}
