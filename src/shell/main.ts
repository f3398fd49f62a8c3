import { parseArgs } from 'node:util';
import { CONTROL_SOCKET_DEFAULT } from '../control/control-api.ts';
import { connectControl } from './control-client.ts';
import { runDebug, runOneShot, type Streams } from './one-shot.ts';
import { runPlain } from './plain.ts';
import { runTerminal } from './terminal.ts';

const STREAMS: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

interface ClientOptions {
  readonly control: string;
  readonly json: boolean;
  readonly words: readonly string[];
}

/** `show …`, `clear …`, `write …` and `copy …` with their words and options; answers the exit code. */
export async function runExecCommand(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (options === undefined) return 2;
  return runOneShot(connectControl(options.control), options.words.join(' '), options.json, STREAMS);
}

/** `debug …`: ends at SIGINT or when the reader of the output leaves. */
export async function runDebugCommand(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (options === undefined) return 2;
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  process.stdout.once('error', stop);
  try {
    return await runDebug(connectControl(options.control), options.words.join(' '), STREAMS, controller.signal);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

/** `postern shell`: the prompt on a terminal, a plain reader elsewhere. */
export async function runShell(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (options === undefined) return 2;
  if (options.words.length > 0) return usage(`unexpected word ${options.words[0]}`);
  const client = connectControl(options.control);
  if (process.stdin.isTTY && process.stdout.isTTY) return runTerminal(client, process.stdin, process.stdout);
  return runPlain(client, process.stdin, process.stdout);
}

function readOptions(argv: readonly string[]): ClientOptions | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: {
        control: { type: 'string', default: CONTROL_SOCKET_DEFAULT },
        json: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    return { control: values.control, json: values.json, words: positionals };
  } catch (error) {
    usage(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

function usage(message: string): number {
  STREAMS.err(`postern: ${message}\n`);
  return 2;
}
