import { Worker } from 'node:worker_threads';
import type { SessionCounts } from '../engine/session-limits.ts';
import type { FromWorker, ToWorker, WorkerReply, WorkerSettings, WorkerStart } from '../engine/worker-protocol.ts';
import type { WorkerHealth } from '../firewall/snapshot.ts';
import type { Logger, LogMessage } from '../log/log-message.ts';
import type { Addon, HostOptions } from '../native/addon.ts';
import type { LearnedChanges, Learning } from '../policy/learned.ts';
import { WORKER_STALL_MS } from './watchdog.ts';

/** A worker has this long to answer a question; a stalled one is replaced within about a second anyway. */
const REPLY_MS_MAX = 3_000;
/** A worker that starts up (thread, V8, addon) shows no heartbeat yet. */
const START_GRACE_MS = 5_000;
/** Replacements in a row without a quiet minute between them: beyond this the daemon gives up and is restarted. */
const RESTARTS_IN_A_ROW_MAX = 10;
const QUIET_MS = 60_000;

/**
 * A worker makes little garbage, and what it makes of sessions stays. V8's own choice lets the young generation grow to
 * 48 MB while many sessions are opened and keeps it: measured, a third of what 100,000 of them take.
 */
const YOUNG_GENERATION_MEGABYTES = 8;

export interface PoolOptions {
  readonly addon: Addon;
  readonly logger: Logger;
  readonly workerFile: URL;
  readonly testHooks: boolean;
  /** What the workers count their sessions in; there is a row for each of them. */
  readonly sessionCounts: SessionCounts;
  onDebug(line: string): void;
  /** The action `learn` in a worker. */
  onLearn(learned: Learning): void;
  /** What was learned, for a worker that begins; absent, or nothing answered: nothing. */
  learned?(): LearnedChanges | undefined;
  /** A queue cannot be kept served: the daemon must end. */
  onHopeless(detail: string): void;
}

interface Member {
  readonly queue: number;
  readonly host: number;
  readonly index: number;
  worker: Worker;
  startedAtMs: number;
  serving: boolean;
  restarts: number;
  inARow: number;
  /** Given up: its worker is gone and no other will come. */
  hopeless: boolean;
}

interface Waiting {
  readonly member: Member;
  readonly resolve: (reply: WorkerReply) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The workers, one a queue. The queues are opened here and belong to the process: a worker that dies or stalls is
 * replaced, and the next one serves the same queue with the packets that are still held in it.
 */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #members: Member[] = [];
  readonly #waiting = new Map<number, Waiting>();
  #settings: WorkerSettings | undefined;
  #request = 0;
  #stopping = false;
  #debug = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Opens every queue before the first worker starts. Throws, with nothing left open, when one cannot be had. */
  open(queues: readonly HostOptions[]): void {
    const opened: { readonly queue: number; readonly host: number }[] = [];
    try {
      for (const options of queues) {
        opened.push({ queue: options.queue, host: this.#options.addon.openQueue(options) });
      }
    } catch (error) {
      for (const { host } of opened) this.#options.addon.close(host);
      throw error;
    }
    this.#hosts = opened;
  }

  #hosts: readonly { readonly queue: number; readonly host: number }[] = [];

  /** Starts the workers; resolves when all of them serve. */
  async start(settings: WorkerSettings): Promise<void> {
    this.#settings = settings;
    const started = this.#hosts.map(({ queue, host }, index) => {
      const member: Member = {
        queue,
        host,
        index,
        worker: this.#spawn(host, index),
        startedAtMs: Date.now(),
        serving: false,
        restarts: 0,
        inARow: 0,
        hopeless: false,
      };
      this.#members.push(member);
      return this.#watch(member);
    });
    await Promise.all(started);
  }

  /**
   * New settings for all workers; resolves when they have taken them. Rejects when one did not answer in time: it is
   * replaced, and the next begins with them.
   */
  async configure(settings: WorkerSettings): Promise<void> {
    this.#settings = settings;
    await this.ask((request) => ({ kind: 'configure', request, settings }));
  }

  tellLearned(changes: LearnedChanges): void {
    this.#tellAll({ kind: 'learned', changes });
  }

  debug(on: boolean): void {
    this.#debug = on;
    this.#tellAll({ kind: 'debug', on });
  }

  /** For tests: makes a worker hang or throw. False without POSTERN_TEST_HOOKS or without such a queue. */
  hurt(queue: number, kind: 'stall' | 'crash'): boolean {
    const member = this.#members.find((candidate) => candidate.queue === queue);
    if (member === undefined || !this.#options.testHooks) return false;
    this.#tell(member, { kind });
    return true;
  }

  /** Asks every worker the same; a worker that does not answer in time fails the whole question. */
  ask(question: (request: number) => ToWorker): Promise<readonly WorkerReply[]> {
    return Promise.all(this.#members.map((member) => this.#ask(member, question)));
  }

  health(): readonly WorkerHealth[] {
    return this.#members.map((member) => ({
      queue: member.queue,
      heartbeatAgeMs: this.#heartbeatAgeMs(member),
      restarts: member.restarts,
    }));
  }

  kernelDrops(): number {
    return this.#members.reduce((sum, member) => sum + (this.#options.addon.kernelDrops(member.queue) ?? 0), 0);
  }

  /** Replaces what hangs. A dead worker is replaced by its own exit. */
  replaceStalled(queues: readonly number[]): void {
    for (const member of this.#members) {
      if (!queues.includes(member.queue) || !member.serving) continue;
      const ageMs = this.#options.addon.heartbeatAgeMs(member.host);
      if (ageMs < WORKER_STALL_MS) continue;
      member.serving = false;
      this.#options.logger.log({ id: 'WORKER_STALLED', fields: { queue: member.queue, ageMs } });
      void member.worker.terminate();
    }
  }

  /** Every held packet gets its verdict and the queues are closed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(
      this.#members.map(async (member) => {
        if (member.hopeless) {
          this.#options.addon.close(member.host);
          return;
        }
        const gone = new Promise((resolve) => member.worker.once('exit', resolve));
        this.#tell(member, { kind: 'stop' });
        const late = setTimeout(() => void member.worker.terminate(), REPLY_MS_MAX);
        await gone;
        clearTimeout(late);
      }),
    );
  }

  #heartbeatAgeMs(member: Member): number {
    if (member.serving) return this.#options.addon.heartbeatAgeMs(member.host);
    return Date.now() - member.startedAtMs < START_GRACE_MS ? 0 : Number.POSITIVE_INFINITY;
  }

  #spawn(host: number, index: number): Worker {
    const settings = this.#settings;
    if (settings === undefined) throw new Error('a worker needs its settings');
    const { sessionCounts, testHooks } = this.#options;
    const learned = this.#options.learned?.();
    const known = learned === undefined ? {} : { learned };
    const workerData: WorkerStart = { host, worker: index, settings, sessionCounts, testHooks, ...known };
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MEGABYTES };
    return new Worker(this.#options.workerFile, { workerData, resourceLimits });
  }

  /** Resolves when the worker serves for the first time. */
  #watch(member: Member): Promise<void> {
    return new Promise((resolve, reject) => {
      let detail = 'it ended';
      member.worker.on('message', (message: FromWorker) => {
        if (message.kind === 'serving') {
          member.serving = true;
          if (this.#debug) this.#tell(member, { kind: 'debug', on: true });
          resolve();
        } else this.#receive(message);
      });
      member.worker.on('error', (error: Error) => {
        detail = error.message;
      });
      member.worker.once('exit', () => {
        this.#rejectWaiting(member);
        if (this.#stopping) return;
        reject(new Error(`the worker of queue ${member.queue} could not start: ${detail}`));
        this.#replace(member, detail);
      });
    });
  }

  #replace(member: Member, detail: string): void {
    member.inARow = Date.now() - member.startedAtMs > QUIET_MS ? 1 : member.inARow + 1;
    member.restarts += 1;
    member.serving = false;
    const { queue, restarts } = member;
    if (member.inARow > RESTARTS_IN_A_ROW_MAX) {
      member.hopeless = true;
      this.#options.onHopeless(`the worker of queue ${queue} fails again and again: ${detail}`);
      return;
    }
    this.#options.logger.log({ id: 'WORKER_REPLACED', fields: { queue, restarts, detail } });
    member.startedAtMs = Date.now();
    member.worker = this.#spawn(member.host, member.index);
    this.#watch(member).catch(() => undefined);
  }

  #receive(message: Exclude<FromWorker, { readonly kind: 'serving' }>): void {
    switch (message.kind) {
      case 'log':
        this.#log(message.message);
        return;
      case 'debug':
        this.#options.onDebug(message.line);
        return;
      case 'learn':
        this.#options.onLearn(message.learned);
        return;
      case 'reply':
        this.#waiting.get(message.request)?.resolve(message.reply);
        this.#waiting.delete(message.request);
    }
  }

  #log(message: LogMessage): void {
    this.#options.logger.log(message);
  }

  #ask(member: Member, question: (request: number) => ToWorker): Promise<WorkerReply> {
    this.#request += 1;
    const request = this.#request;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#waiting.delete(request);
        reject(new Error(`the worker of queue ${member.queue} does not answer`));
      }, REPLY_MS_MAX);
      const settle =
        <Value>(then: (value: Value) => void) =>
        (value: Value) => {
          clearTimeout(late);
          then(value);
        };
      this.#waiting.set(request, { member, resolve: settle(resolve), reject: settle(reject) });
      this.#tell(member, question(request));
    });
  }

  #rejectWaiting(member: Member): void {
    for (const [request, waiting] of this.#waiting) {
      if (waiting.member !== member) continue;
      this.#waiting.delete(request);
      waiting.reject(new Error(`the worker of queue ${member.queue} was replaced`));
    }
  }

  #tell(member: Member, message: ToWorker): void {
    member.worker.postMessage(message);
    this.#options.addon.wake(member.host);
  }

  #tellAll(message: ToWorker): void {
    for (const member of this.#members) this.#tell(member, message);
  }
}
