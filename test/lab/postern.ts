import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { SessionSnapshot, Statistics } from '../../src/firewall/snapshot.ts';
import type { Namespace } from './namespaces.ts';
import { type Finished, type Running, run } from './process.ts';
import { inRepository } from './repository.ts';

/** The program under test; `POSTERN_PROGRAM` names an installed one instead. */
export const POSTERN = process.env.POSTERN_PROGRAM ?? inRepository('bin', 'postern');
/** Node, the addon and the workers start at once on a machine that may be busy with a build. */
const READY_TIMEOUT_MS = 20_000;

export interface LogLine {
  readonly mnemonic?: string;
  readonly severity?: string | number;
  readonly msg: string;
  readonly initiator?: string;
  readonly responder?: string;
  readonly protocol?: string;
  readonly reason?: string;
}

export interface Postern {
  readonly pid: number;
  readonly controlSocket: string;
  readonly configurationFile: string;
  /** From the start of the program to its `ready`. */
  readonly readyAfterMs: number;
  output(): string;
  /** The log so far; lines that are not JSON are left out. */
  log(): LogLine[];
  waitForLog(pattern: RegExp, timeoutMs?: number): Promise<string>;
  exec(...words: readonly string[]): Promise<Finished>;
  /** Sends an exec command straight to the control socket and answers the HTTP status. */
  ask(command: string): Promise<number>;
  sessions(): Promise<SessionSnapshot[]>;
  statistics(): Promise<Statistics>;
  /** Writes the configuration and sends SIGHUP. */
  reload(configuration: string): void;
  residentKilobytes(): number;
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number>;
}

export interface PosternOptions {
  readonly router: Namespace;
  readonly folder: string;
  readonly configuration: string;
  readonly installRules?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

const RULE = 'LAB';

/** A configuration with one rule on every interface; lines that belong to no rule go in front. */
export function configurationOf(protocols: readonly string[], globals: readonly string[] = []): string {
  const rules = protocols.map((words) => `ip inspect name ${RULE} ${words}`);
  return [...globals, ...rules, 'interface any', ` ip inspect ${RULE} in`, ''].join('\n');
}

/** Every mail protocol, alerts and audit trail on, nothing refused that is well formed. */
export const PERMISSIVE = configurationOf([
  'esmtp alert on audit-trail on',
  'pop3 alert on audit-trail on',
  'imap alert on audit-trail on',
]);

function parseLog(output: string): LogLine[] {
  return output.split('\n').flatMap((line) => {
    try {
      const parsed: unknown = JSON.parse(Buffer.from(line, 'latin1').toString('utf8'));
      return typeof parsed === 'object' && parsed !== null && 'msg' in parsed ? [parsed as LogLine] : [];
    } catch {
      return [];
    }
  });
}

/** The texts of what Postern told, without its own housekeeping (lines that carry no mnemonic). */
export const posternLogTexts = (postern: Pick<Postern, 'log'>): string[] =>
  postern.log().flatMap(({ mnemonic, msg }) => (mnemonic === undefined ? [] : [msg]));

async function json<T>(postern: Pick<Postern, 'exec'>, ...words: readonly string[]): Promise<T> {
  const finished = await postern.exec(...words, '--json');
  if (finished.code !== 0) throw new Error(`postern ${words.join(' ')}: ${finished.stdout}${finished.stderr}`);
  return JSON.parse(finished.stdout) as T;
}

function post(socketPath: string, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const message = { socketPath, path: '/exec', method: 'POST', headers: { 'content-type': 'application/json' } };
    const asked = request(message, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
    });
    asked.on('error', reject);
    asked.end(JSON.stringify({ command }));
  });
}

/** Starts the daemon in the router; fails with its output when it does not become ready. */
export async function startPostern(options: PosternOptions): Promise<Postern> {
  const { router, folder } = options;
  const configurationFile = join(folder, 'postern.conf');
  const controlSocket = join(folder, 'control.sock');
  writeFileSync(configurationFile, options.configuration);
  const files = ['--config', configurationFile, '--control', controlSocket, '--state-dir', join(folder, 'state')];
  const words = [...files, '--log-format', 'json', ...(options.installRules === false ? [] : ['--install-rules'])];
  const startedAt = performance.now();
  const daemon: Running = router.start([POSTERN, 'run', ...words], { env: options.env ?? {} });
  await daemon.waitFor(/\bready\b/, READY_TIMEOUT_MS);
  const readyAfterMs = performance.now() - startedAt;
  const exec = (...command: readonly string[]) => run([POSTERN, ...command, '--control', controlSocket]);
  return {
    pid: daemon.pid,
    controlSocket,
    configurationFile,
    readyAfterMs,
    output: daemon.output,
    log: () => parseLog(daemon.output()),
    waitForLog: (pattern, timeoutMs) => daemon.waitFor(pattern, timeoutMs),
    exec,
    ask: (command) => post(controlSocket, command),
    sessions: () => json({ exec }, 'show', 'ip', 'inspect', 'sessions'),
    statistics: () => json({ exec }, 'show', 'ip', 'inspect', 'statistics'),
    reload(configuration) {
      writeFileSync(configurationFile, configuration);
      process.kill(daemon.pid, 'SIGHUP');
    },
    residentKilobytes() {
      const status = readFileSync(`/proc/${daemon.pid}/status`, 'latin1');
      return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
    },
    stop: () => daemon.stop('SIGTERM'),
  };
}

export interface ReplayEvent {
  readonly packet: number;
  readonly kind: string;
  readonly protocol: string;
  readonly initiator: string;
  readonly responder: string;
  readonly verdict?: string;
  readonly reason?: string;
  readonly message?: string;
}

export function replay(capture: string, configurationFile: string, extra: readonly string[] = []): Promise<Finished> {
  return run([POSTERN, 'replay', capture, '--config', configurationFile, ...extra], { timeoutMs: 60_000 });
}

/** The objects of `replay --json`. */
export const replayEvents = (finished: Finished) =>
  finished.stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as ReplayEvent] : []));
