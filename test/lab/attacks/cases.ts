import { readFileSync } from 'node:fs';
import { inRepository } from '../repository.ts';

/** Latin-1 text, or parts of it: `[text, times]` repeats, `numbered` repeats with `#` as the index. */
export type Text =
  | string
  | readonly (
      | string
      | readonly [text: string, times: number]
      | { readonly numbered: string; readonly count: number }
    )[];

export type CaseStep =
  | { readonly send: Text }
  /** Waits for an answer. */
  | { readonly wait: true }
  /** Waits for an answer that begins so; the rest is not played without it. */
  | { readonly expect: string }
  | { readonly finish: true };

/** A TCP segment of the client: `off` octets behind the first octet of data. The rest is what is odd about it. */
export interface CaseSegment {
  readonly off: number;
  readonly bytes: string;
  readonly [oddity: string]: string | number;
}

/**
 * What should become of it. `P`: passes unchanged. `PL`: the same, a log line is allowed. `B`: never takes effect, and
 * Postern tells. `B/P`: either, but Postern and the server agree. `N`: one reading only. `R`: bounded.
 */
export type Expectation = 'P' | 'PL' | 'B' | 'B/P' | 'N' | 'R';

/** Policies that cases are played under, besides plain inspection (content.ts). */
export const CONTENT_POLICIES = ['content', 'limits', 'aic'] as const;
export type ContentPolicy = (typeof CONTENT_POLICIES)[number];

export interface UnderPolicy {
  readonly expect: Expectation;
  /** Why the message has to be refused, where only one answer is right. */
  readonly reason?: string;
  /** Messages that end before the one that is refused. */
  readonly messagesBefore?: number;
  /** In the place of the case's own. */
  readonly never?: string;
  readonly neverClient?: string;
  /** What others would have, where Postern is meant to do something else, and why. */
  readonly column?: Expectation;
  readonly differs?: string;
}

export interface Case {
  readonly id: string;
  readonly name: string;
  readonly protocol: 'smtp' | 'pop3' | 'imap' | 'tcp';
  readonly expect: Expectation;
  /** What others would have, where Postern is meant to do something else, and why. */
  readonly column?: Expectation;
  readonly differs?: string;
  /** Under `secure-login reset`. */
  readonly expectSecure?: Expectation;
  /** What should become of it where the policy looks for what the message hides. */
  readonly policies?: Readonly<Partial<Record<ContentPolicy, UnderPolicy>>>;
  readonly steps?: readonly CaseStep[];
  /** Both sides' parts; \x01 is a segment boundary. A server's `FIN` ends its side. */
  readonly dialogue?: readonly (readonly [side: 'C' | 'S', text: Text])[];
  readonly segments?: readonly CaseSegment[];
  /** The protocol that the segments speak, where it is not SMTP. */
  readonly inside?: 'imap';
  /** The segments come without a handshake. */
  readonly midstream?: boolean;
  /** What the server must not read as a command of its own (regular expression). */
  readonly never?: string;
  /** What must not reach the client. */
  readonly neverClient?: string;
}

export function textOf(text: Text): string {
  if (typeof text === 'string') return text;
  return text
    .map((part) => {
      if (typeof part === 'string') return part;
      if ('numbered' in part) {
        return Array.from({ length: part.count }, (_, index) => part.numbered.replace('#', String(index))).join('');
      }
      return part[0].repeat(part[1]);
    })
    .join('');
}

export const familyOf = ({ id }: Pick<Case, 'id'>): string => id.slice(0, 3);

export const CASES: readonly Case[] = readFileSync(inRepository('test', 'attacks', 'cases.jsonl'), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Case);
