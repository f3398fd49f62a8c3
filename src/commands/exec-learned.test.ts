import { expect, test } from 'vitest';
import type { LearnedEntry } from '../policy/learned.ts';
import { runExec } from './exec.ts';
import type { ExecContext } from './exec-context.ts';

const entry = (sender: string, client: string, more: Partial<LearnedEntry> = {}): LearnedEntry => ({
  ...{ sender, domain: sender.split('@')[1] ?? '', client, hits: 1 },
  ...{ firstSeenAtMs: Date.UTC(2026, 10, 22, 1, 2, 3), lastSeenAtMs: Date.UTC(2026, 10, 22, 4, 5, 6, 789) },
  ...more,
});
const LEARNED: readonly LearnedEntry[] = [
  entry('eve@example.org', '2001:db8::25', { hits: 1_234_567, expiresAtMs: Date.UTC(2026, 10, 23) }),
  entry('', '192.0.2.1'),
  entry('\x1b[2J\xe9@x', '192.0.2.1'),
];

function contextWith(entries: readonly LearnedEntry[]): { readonly context: ExecContext; readonly asked: string[] } {
  const asked: string[] = [];
  const some: Pick<ExecContext, 'learned' | 'clearLearned'> = {
    learned: () => entries,
    clearLearned: (which) => {
      asked.push(which);
      return which === 'all' ? entries.length : entries.filter(({ sender }) => sender === which).length;
    },
  };
  return { context: some as ExecContext, asked };
}

test('shows who was learned, and until when', async () => {
  const reply = await runExec({ command: 'show postern learned' }, contextWith(LEARNED).context);
  expect(reply).toMatchInlineSnapshot(`
    {
      "output": "3 learned of at most 65536
    Sender           Client        Hits     First seen            Last seen             Expires
    eve@example.org  2001:db8::25  1234567  2026-11-22 01:02:03Z  2026-11-22 04:05:06Z  2026-11-23 00:00:00Z
    <>               192.0.2.1     1        2026-11-22 01:02:03Z  2026-11-22 04:05:06Z  never
    ?[2J?@x          192.0.2.1     1        2026-11-22 01:02:03Z  2026-11-22 04:05:06Z  never
    ",
    }
  `);
});

test('shows the same as JSON, with times in milliseconds', async () => {
  const reply = await runExec({ command: 'show postern learned', json: true }, contextWith(LEARNED).context);
  const data: unknown = 'output' in reply ? JSON.parse(reply.output ?? '') : reply;
  expect(data).toEqual({ max: 65_536, entries: LEARNED });
});

test('says that nobody was learned, also where nobody learns', async () => {
  const nobody = { output: '0 learned of at most 65536\n' };
  expect(await runExec({ command: 'show postern learned' }, contextWith([]).context)).toEqual(nobody);
  expect(await runExec({ command: 'show postern learned' }, {} as ExecContext)).toEqual(nobody);
});

test('forgets one, all, and says when there was none', async () => {
  const { context, asked } = contextWith(LEARNED);
  const clear = (what: string) => runExec({ command: `clear postern learned ${what}` }, context);
  expect(await clear('eve@example.org')).toEqual({ output: '' });
  expect(await clear('all')).toEqual({ output: '' });
  expect(await clear('@example.net')).toEqual({ error: '% @example.net was not learned' });
  expect(asked).toEqual(['eve@example.org', 'all', '@example.net']);
});
