import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Output beyond this is cut from the front: a test reads the end of a log, not all of a load run's. */
const OUTPUT_CHARACTERS_MAX = 4_000_000;
const STOP_GRACE_MS = 5_000;

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that goes on until it is stopped. Output is both streams in the order they came, as latin-1. */
export interface Running {
  readonly pid: number;
  output(): string;
  /** Resolves with the output once it matches; fails with the output when time is up or the program ends before. */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<string>;
  /** Sends the signal, SIGKILL when it does not help, and answers the exit code (-1 for a signal). */
  stop(signal?: NodeJS.Signals): Promise<number>;
  readonly exited: Promise<number>;
}

let outputsOpened = 0;

function launch(argv: readonly string[], options: RunOptions, output: 'pipe' | number = 'pipe'): ChildProcess {
  const [program, ...rest] = argv;
  if (program === undefined) throw new Error('an empty command line');
  return spawn(program, rest, {
    stdio: ['pipe', output, output],
    // A process group of its own: mail servers end by signalling their whole group, which must not be ours.
    detached: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, LC_ALL: 'C', ...options.env },
  });
}

/** Runs a program to its end. A program that outlives its time is killed and reported as code -1. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = launch(argv, options);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  // A program may end without reading its input; that is its own affair.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 30_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return {
    code: code ?? -1,
    stdout: Buffer.concat(out).toString('latin1'),
    stderr: Buffer.concat(err).toString('latin1'),
  };
}

/** Runs a program that has to succeed and answers what it printed. */
export async function must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const finished = await run(argv, options);
  if (finished.code !== 0) {
    throw new Error(`${argv.join(' ')} ended with ${finished.code}: ${finished.stdout}${finished.stderr}`);
  }
  return finished.stdout;
}

/** Output goes through a file without a name, so that the program outlives this process without a broken pipe. */
function openOutput(): { fd: number; read(): string; close(): void } {
  const path = join(tmpdir(), `postern-output-${process.pid}-${++outputsOpened}`);
  const fd = openSync(path, 'a+', 0o600);
  unlinkSync(path);
  const chunk = Buffer.alloc(65_536);
  let text = '';
  let position = 0;
  let isOpen = true;
  const read = () => {
    for (let got = 1; isOpen && got > 0; ) {
      got = readSync(fd, chunk, 0, chunk.length, position);
      position += got;
      text += chunk.toString('latin1', 0, got);
    }
    text = text.slice(-OUTPUT_CHARACTERS_MAX);
    return text;
  };
  const close = () => {
    read();
    isOpen = false;
    closeSync(fd);
  };
  return { fd, read, close };
}

export function start(argv: readonly string[], options: RunOptions = {}): Running {
  const output = openOutput();
  const child = launch(argv, options, output.fd);
  let ended = false;
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  const exited = once(child, 'close').then(([code]) => {
    ended = true;
    output.close();
    return (code as number | null) ?? -1;
  });
  return {
    pid: child.pid ?? -1,
    output: output.read,
    exited,
    async waitFor(pattern, timeoutMs = 15_000) {
      const deadline = Date.now() + timeoutMs;
      while (!pattern.test(output.read())) {
        if (ended || Date.now() > deadline) {
          const why = ended ? 'the program ended' : `${timeoutMs} ms passed`;
          throw new Error(`${argv.join(' ')}: ${why} before ${pattern}: ${output.read().slice(-4000)}`);
        }
        await delay(2);
      }
      return output.read();
    },
    async stop(signal = 'SIGTERM') {
      if (!ended) child.kill(signal);
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
      const code = await exited;
      clearTimeout(kill);
      return code;
    },
  };
}

/** Asks again and again until the answer is something; fails with the name when time is up. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await delay(20);
  }
}
