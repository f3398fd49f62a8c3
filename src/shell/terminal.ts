import { createInterface, type Interface } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import { formatHelp } from '../language/complete.ts';
import type { ControlClient } from './control-client.ts';
import { type ShellDriver, type ShellOutput, startDriver } from './driver.ts';
import { shellCompletions, shellHelp } from './modes.ts';
import { filterKeys } from './question-filter.ts';

const HISTORY_LINES_MAX = 500;

/** The prompt on a terminal: line editing, history, `?` without Enter, Tab, Ctrl-C and Ctrl-Z. */
export async function runTerminal(client: ControlClient, input: ReadStream, screen: WriteStream): Promise<number> {
  const interrupt = createInterrupt();
  const output: ShellOutput = { write: (text) => void screen.write(text), interrupted: interrupt.signal };
  const started = await startDriver(client, output);
  if ('error' in started) {
    process.stderr.write(`${started.error}\n`);
    return 1;
  }
  const keys = filterKeys({
    question: () => showHelp(lines, started, screen),
    end: () => {
      if (started.session().editing === undefined) return;
      clearLine(lines);
      lines.write('end\r');
    },
  });
  input.setRawMode(true);
  input.pipe(keys);
  const lines = createInterface({
    input: keys,
    output: screen,
    terminal: true,
    historySize: HISTORY_LINES_MAX,
    completer: (typed: string) => [complete(started, typed), lastWord(typed)],
  });
  try {
    await readLines(lines, started, interrupt, screen);
  } finally {
    input.unpipe(keys);
    input.setRawMode(false);
    input.pause();
  }
  return 0;
}

interface Interrupt {
  signal(): AbortSignal;
  /** Answers whether something was running. */
  fire(): boolean;
}

function createInterrupt(): Interrupt {
  let controller: AbortController | undefined;
  return {
    signal: () => {
      controller = new AbortController();
      return controller.signal;
    },
    fire: () => {
      const running = controller !== undefined && !controller.signal.aborted;
      controller?.abort();
      return running;
    },
  };
}

/** Lines run one after the other; what is typed ahead waits. */
function readLines(lines: Interface, driver: ShellDriver, interrupt: Interrupt, screen: WriteStream): Promise<void> {
  return new Promise((resolve) => {
    let queue: Promise<void> = Promise.resolve();
    const ask = (): void => {
      lines.setPrompt(driver.prompt());
      lines.prompt();
    };
    lines.on('line', (line) => {
      queue = queue.then(async () => {
        if (await driver.run(line)) ask();
        else lines.close();
      });
    });
    lines.on('SIGINT', () => {
      if (interrupt.fire()) return;
      screen.write('^C\n');
      clearLine(lines);
      ask();
    });
    lines.on('close', () => {
      screen.write('\n');
      resolve(queue);
    });
    ask();
  });
}

/** To the end of the line, and everything before it away. */
function clearLine(lines: Interface): void {
  lines.write(null, { ctrl: true, name: 'e' });
  lines.write(null, { ctrl: true, name: 'u' });
}

function showHelp(lines: Interface, driver: ShellDriver, screen: WriteStream): void {
  const { editing, privileged } = driver.session();
  const typed = lines.line.slice(0, lines.cursor);
  const entries = shellHelp(editing?.reading.draft.mode.kind, privileged, typed);
  const text = entries.length === 0 ? '% Unrecognized command' : formatHelp(entries);
  screen.write(`?\n${text}\n\n`);
  lines.prompt(true);
}

function complete(driver: ShellDriver, typed: string): string[] {
  const { editing, privileged } = driver.session();
  const found = shellCompletions(editing?.reading.draft.mode.kind, privileged, typed);
  return found.length === 1 ? found.map((word) => `${word} `) : [...found];
}

function lastWord(typed: string): string {
  return /\S*$/.exec(typed)?.[0] ?? '';
}
