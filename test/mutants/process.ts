import { type ChildProcess, spawn } from 'node:child_process';

/** What became of a run of tests: `broken` when none ran, because nothing loaded or compiled. */
export interface Trial {
  readonly outcome: 'failed' | 'passed' | 'broken';
  /** The test that failed first, or why nothing ran. */
  readonly detail: string;
}

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly timedOut: boolean;
  readonly output: string;
  readonly tail: string;
}

const DETAIL_CHARACTERS_MAX = 100;

/** A process of ours and all that it starts: they are a group, and end together when their time is up. */
export async function run(program: string, words: readonly string[], cwd: string, timeoutMs: number): Promise<Ended> {
  const child = spawn(program, words, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    endGroup(child);
  }, timeoutMs);
  const stop = (): void => {
    endGroup(child);
    process.exit(130);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const output = Buffer.concat(chunks).toString('utf8');
    return { code, timedOut, output, tail: oneLine(output.trimEnd().split('\n').at(-1) ?? '') };
  } finally {
    clearTimeout(timer);
    process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop);
  }
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** The beginning of a text, on one line. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, DETAIL_CHARACTERS_MAX);
}
