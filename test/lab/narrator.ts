import { styleText } from 'node:util';
import type { Observed } from './observe.ts';

/** Prints the demo's story; colours only where a person is looking. */

const isColoured = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const paint = (style: Parameters<typeof styleText>[0], text: string) => (isColoured ? styleText(style, text) : text);
const print = (text = '') => process.stdout.write(`${text}\n`);

let scenes = 0;

export function scene(title: string, story: string): void {
  print();
  print(paint('bold', `${++scenes}. ${title}`));
  print(paint('dim', story));
}

export function note(text: string): void {
  print(paint('dim', text));
}

function visible(text: string): string[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => [...line].map((char) => (char < ' ' || char > '~' ? '·' : char)).join(''));
}

const LINES_SHOWN_MAX = 36;

function block(label: string, style: Parameters<typeof styleText>[0], lines: readonly string[]): void {
  print(`  ${label}`);
  const shown = lines.slice(0, LINES_SHOWN_MAX);
  for (const line of shown) print(`    ${paint(style, line)}`);
  if (lines.length > shown.length) print(paint('dim', `    … ${lines.length - shown.length} more lines`));
  if (lines.length === 0) print(paint('dim', '    (nothing)'));
}

const ENDS: Readonly<Record<string, string>> = {
  fin: 'the connection was closed in an orderly way (FIN)',
  reset: 'the connection was reset (RST)',
  open: 'the connection is still open',
};

/** What the client said and saw, and what of it reached the server. */
export function dialogue({ client, toServer }: Observed): void {
  const course = client.course.flatMap(({ from, text }) =>
    visible(text).map((line) => `${from === 'client' ? '>' : '<'} ${line}`),
  );
  block('client sent > and saw <', 'cyan', [...course, `= ${ENDS[client.end] ?? client.end}`]);
  block('reached the server', 'yellow', visible(toServer));
}

export function logged(lines: readonly string[]): void {
  if (lines.length > 0) block('Postern logged', 'magenta', lines);
}

export function shown(command: string, output: string): void {
  const text = Buffer.from(output, 'latin1').toString('utf8').trimEnd();
  block(command === '' ? '' : `postern ${command}`, 'green', text.split('\n'));
}
