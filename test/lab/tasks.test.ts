import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange } from './dialogue.ts';
import { type Observed, observe } from './observe.ts';
import { inRepository } from './repository.ts';
import { TASKS, type Task } from './tasks.ts';
import { createWorld, posternOf, type World } from './world.ts';
import { zoned } from './zone-policy.ts';

/** The fourteen tasks of the guide on the wire; docs/tasks.md is what was seen (UPDATE_DOCS=1 writes it anew). */

const DOCUMENT = inRepository('docs', 'tasks.md');
const GREETED = [{ expect: '^220 ' }, ...exchange(['EHLO client.lab.example', '^250 '])];
const LINE_CHARACTERS_MAX = 72;

const configurationOf = (task: Task): string =>
  task.configuration === '' ? zoned() : zoned({ application: task.configuration, policy: 'P' });

/** What was said behind EHLO, without what differs from run to run, the message itself shortened. */
function shown(text: string): string[] {
  return text
    .replaceAll('\r', '')
    .replace(/(^|\n)(DATA\n)[\s\S]*?\n\.\n/g, '$1$2(message)\n')
    .replace(/(^|\n)(DATA\n)(?!\(message\))[\s\S]+$/, '$1$2(part of the message)')
    .replace(/queued as \S+/g, 'queued')
    .split('\n')
    .filter((line) => line !== '' && !/^(EHLO|QUIT|220|221|250-)/.test(line))
    .map((line) => (line.length > LINE_CHARACTERS_MAX ? `${line.slice(0, LINE_CHARACTERS_MAX)}…` : line));
}

/** Greeting and answer to EHLO, and what came behind them. */
function splitAtEhlo(received: string): [string, string] {
  const [, greeting = '', rest = ''] = /^([\s\S]*?^250 .*\r?\n)([\s\S]*)$/m.exec(received) ?? [];
  return [greeting, rest];
}

/** Runs of like lines as one with their number. */
function folded(lines: readonly string[]): string {
  const runs: { line: string; kind: string; count: number }[] = [];
  for (const line of lines) {
    const kind = line.replace(/\d+(?=@)/, 'N').replace(/<[^>]*>/, '<>');
    const last = runs.at(-1);
    if (last?.kind === kind) last.count += 1;
    else runs.push({ line, kind, count: 1 });
  }
  return runs.map(({ line, count }) => `\`${line}\`${count > 1 ? ` × ${count}` : ''}`).join('<br>');
}

function row(task: Task, seen: Observed, logged: string | undefined): string {
  const [greeting = '', rest] = splitAtEhlo(seen.client.received);
  const masked = greeting.replaceAll('\r', '').match(/^250[- ]X+$/gm) ?? [];
  const end = task.resets ? '<br>FIN' : '';
  const client = `${folded([...masked, ...shown(rest)])}${end}`;
  const server = `${folded(shown(seen.toServer))}${seen.resets.server ? '<br>RST' : ''}`;
  const told = logged === undefined ? '' : `\`${logged.replace(/\d+(\.\d+){3}:\d+/g, 'ADDRESS:PORT')}\``;
  const lines =
    task.configuration === ''
      ? 'no `service-policy smtp`'
      : `<pre>${task.configuration.replaceAll('\n', '<br>')}</pre>`;
  return `| ${task.number} | ${task.title} | ${lines} | ${task.sent} | ${client} | ${server} | ${told} |`;
}

describe('the fourteen tasks', () => {
  let world: World;
  const rows = new Map<number, string>();

  beforeAll(async () => {
    world = await createWorld({ configuration: zoned() });
  });
  afterAll(async () => {
    await world?.close();
  });

  it.each(TASKS)('$number: $title', async (task) => {
    const postern = posternOf(world);
    const before = postern.log().length;
    postern.reload(configurationOf(task));
    await expect
      .poll(() =>
        postern
          .log()
          .slice(before)
          .some(({ mnemonic }) => mnemonic === 'CONFIG_RELOADED'),
      )
      .toBe(true);
    const seen = await observe(world, { port: 25, steps: [...GREETED, ...task.steps] });
    expect(seen.client.stoppedAt, seen.client.received).toBeUndefined();
    for (const wanted of task.client) expect(seen.client.received).toMatch(wanted);
    for (const unwanted of task.clientNot ?? []) expect(seen.client.received).not.toMatch(unwanted);
    for (const wanted of task.server) expect(seen.toServer).toMatch(wanted);
    for (const unwanted of task.serverNot ?? []) expect(seen.toServer).not.toMatch(unwanted);
    expect(seen.resets.server).toBe(task.resets);
    expect(seen.resets.client).toBe(false);
    const told = postern.log().slice(before);
    const logged =
      task.log &&
      told.find(({ msg, mnemonic }) => task.log?.test(`%APPFW-4-${mnemonic}: ${msg}`) || task.log?.test(msg));
    if (task.log !== undefined) expect(logged, JSON.stringify(told)).toBeDefined();
    else expect(told.some(({ mnemonic }) => mnemonic?.startsWith('SMTP_'))).toBe(false);
    rows.set(task.number, row(task, seen, logged?.msg));
  });

  it('is what docs/tasks.md shows', () => {
    const table = TASKS.map(({ number }) => rows.get(number) ?? '').join('\n');
    const text = readFileSync(DOCUMENT, 'utf8');
    const [begin, end] = ['<!-- rows -->\n', '\n<!-- end -->'] as const;
    const at = text.indexOf(begin) + begin.length;
    const now = text.slice(0, at) + table + text.slice(text.indexOf(end));
    if (process.env.UPDATE_DOCS === '1') writeFileSync(DOCUMENT, now);
    expect(readFileSync(DOCUMENT, 'utf8')).toBe(now);
  });
});
