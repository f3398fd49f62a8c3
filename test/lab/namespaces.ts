import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Finished, must, type Running, type RunOptions, run, start } from './process.ts';

/** Where `ip netns` keeps the names. */
const NETNS_FOLDER = '/run/netns';
const KILL_GRACE_MS = 1_500;

export interface Namespace {
  readonly name: string;
  run(argv: readonly string[], options?: RunOptions): Promise<Finished>;
  must(argv: readonly string[], options?: RunOptions): Promise<string>;
  start(argv: readonly string[], options?: RunOptions): Running;
}

export function namespaceNamed(name: string): Namespace {
  const inside = (argv: readonly string[]) => ['ip', 'netns', 'exec', name, ...argv];
  return {
    name,
    run: (argv, options) => run(inside(argv), options),
    must: (argv, options) => must(inside(argv), options),
    start: (argv, options) => start(inside(argv), options),
  };
}

export async function addNamespace(name: string): Promise<Namespace> {
  await must(['ip', 'netns', 'add', name]);
  const namespace = namespaceNamed(name);
  await namespace.must(['ip', 'link', 'set', 'lo', 'up']);
  return namespace;
}

function processesIn(name: string): number[] {
  try {
    return execFileSync('ip', ['netns', 'pids', name], { encoding: 'latin1' }).split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself in the meantime.
    }
  }
}

/** Ends what runs in the namespace, politely first, and removes it. */
export async function removeNamespace(name: string): Promise<void> {
  signalAll(processesIn(name), 'SIGTERM');
  const deadline = Date.now() + KILL_GRACE_MS;
  while (processesIn(name).length > 0 && Date.now() < deadline) await delay(20);
  removeNamespaceNow(name);
}

/** The same without waiting, for a process that is about to end. */
export function removeNamespaceNow(name: string): void {
  signalAll(processesIn(name), 'SIGKILL');
  try {
    execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  } catch {
    // Already gone.
  }
}

function isAlive(pid: number): boolean {
  try {
    // A zombie still has an entry, but nothing of it runs.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

function namespaceNames(): string[] {
  try {
    return readdirSync(NETNS_FOLDER);
  } catch {
    return [];
  }
}

/** Labs carry their maker's process id; those of dead makers were left behind by a crash. */
export function removeStaleNamespaces(): void {
  for (const name of namespaceNames()) {
    const maker = /^postern-(\d+)-/.exec(name)?.[1];
    if (maker !== undefined && !isAlive(Number(maker))) removeNamespaceNow(name);
  }
}
