import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

export interface CommandResult {
  /** Exit code; -1 when it could not be started or was ended by a signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one program with arguments as they are: no shell reads them. */
export type RunCommand = (program: string, args: readonly string[], input?: string) => Promise<CommandResult>;

const COMMAND_TIMEOUT_MS = 20_000;
const COMMAND_OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
const PROGRAM_FOLDERS = ['/usr/sbin', '/sbin', '/usr/bin', '/bin', '/usr/local/sbin', '/usr/local/bin'];

/** The absolute path of a system program, whatever PATH says; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  return PROGRAM_FOLDERS.map((folder) => `${folder}/${name}`).find(isExecutable);
}

export const runCommand: RunCommand = (program, args, input) =>
  new Promise((resolve) => {
    const options = { timeout: COMMAND_TIMEOUT_MS, maxBuffer: COMMAND_OUTPUT_BYTES_MAX, encoding: 'utf8' } as const;
    const child = execFile(program, [...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr: stderr || (code === -1 ? (error?.message ?? '') : '') });
    });
    // The program may end without reading all of it; its exit code tells, not the broken pipe.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');
  });

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
