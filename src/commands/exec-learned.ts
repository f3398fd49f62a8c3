import { LEARNED_MAX } from '../limits.ts';
import type { LearnedEntry } from '../policy/learned.ts';
import { done, type ExecCommand, failed } from './exec-command.ts';

const HELP: Readonly<Record<string, string>> = {
  show: 'Show what is',
  clear: 'End or reset something',
  postern: 'Postern itself',
  learned: 'Senders and clients that the action `learn` recorded',
  all: 'All of them',
  WHICH: 'A sender, `@` and a domain, or the address of a client',
};

/** Senders and clients that policies learned (`learn sender`; ours). */
export const LEARNED_EXEC_COMMANDS: readonly ExecCommand[] = [
  {
    grammar: ['show postern learned'],
    help: HELP,
    run: async ({ learned }) => {
      const entries = learned?.() ?? [];
      return done(learnedLines(entries), { max: LEARNED_MAX, entries });
    },
  },
  {
    grammar: ['clear postern learned <all|WHICH>$which'],
    help: HELP,
    run: async ({ clearLearned }, args) => {
      const which = args.has('all') ? 'all' : args.text('which');
      const cleared = clearLearned?.(which) ?? 0;
      return which !== 'all' && cleared === 0 ? failed(`% ${which} was not learned`) : done([], { cleared });
    },
  },
];

const HEADINGS: readonly string[] = ['Sender', 'Client', 'Hits', 'First seen', 'Last seen', 'Expires'];

function learnedLines(entries: readonly LearnedEntry[]): readonly string[] {
  const title = `${entries.length} learned of at most ${LEARNED_MAX}`;
  if (entries.length === 0) return [title];
  const rows = [HEADINGS, ...entries.map(cellsOf)];
  const widths = HEADINGS.map((_heading, column) =>
    rows.reduce((width, cells) => Math.max(width, cells[column]?.length ?? 0), 0),
  );
  const lines = rows.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return [title, ...lines.map((line) => line.trimEnd())];
}

function cellsOf(entry: LearnedEntry): readonly string[] {
  const { client, hits, firstSeenAtMs, lastSeenAtMs, expiresAtMs } = entry;
  const expires = expiresAtMs === undefined ? 'never' : timeOf(expiresAtMs);
  return [pathOf(entry), client, String(hits), timeOf(firstSeenAtMs), timeOf(lastSeenAtMs), expires];
}

/** A peer's octets, as a terminal may show them. */
function pathOf({ sender }: LearnedEntry): string {
  return sender === '' ? '<>' : sender.replace(/[^!-~]/g, '?');
}

function timeOf(unixMs: number): string {
  return new Date(unixMs).toISOString().replace('T', ' ').replace(/\.\d+/, '');
}
