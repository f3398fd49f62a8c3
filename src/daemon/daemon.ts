import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { readDebugCommand } from '../commands/debug-command.ts';
import { runExec } from '../commands/exec.ts';
import type { ExecContext } from '../commands/exec-context.ts';
import { applyLines, formatDiagnostic } from '../commands/parse-configuration.ts';
import type { ExecReply, ExecRequest } from '../control/control-api.ts';
import { createMetrics } from '../control/metrics.ts';
import type { SessionSnapshot, Statistics } from '../firewall/snapshot.ts';
import type { Logger } from '../log/log-message.ts';
import type { Addon } from '../native/addon.ts';
import { queueHashKey } from '../netfilter/host-key.ts';
import { installRules, removeRules } from '../netfilter/install.ts';
import { MARKS } from '../netfilter/marks.ts';
import { rulesFor } from '../netfilter/rules.ts';
import type { Configuration } from '../policy/configuration.ts';
import { effectivePostern } from '../policy/defaults.ts';
import { ConfigurationError, loadConfiguration, rejectionLines, workerSettings } from './configuration-file.ts';
import { debugFilter } from './debug-filter.ts';
import type { RunOptions } from './options.ts';
import { saveWhole } from './save-file.ts';
import { CreationRate, combineStatistics } from './statistics.ts';
import { WorkerPool } from './worker-pool.ts';

export interface DaemonOptions {
  readonly run: RunOptions;
  readonly addon: Addon;
  readonly logger: Logger;
  readonly version: string;
  readonly workerFile: URL;
  readonly testHooks: boolean;
  onHopeless(detail: string): void;
}

const QUEUES_MAX = 4;

/** How many workers a configuration asks for: one a CPU, four at most, where it does not say. */
export function workerCount(configuration: Configuration): number {
  const { queueCount } = effectivePostern(configuration);
  return queueCount === 0 ? Math.min(QUEUES_MAX, availableParallelism()) : queueCount;
}

/** The running firewall without its process: configuration, workers, rules, and what `show` and the metrics ask for. */
export class Daemon {
  readonly pool: WorkerPool;
  readonly #options: DaemonOptions;
  readonly #metrics = createMetrics();
  readonly #rate = new CreationRate();
  readonly #startedAtMs = Date.now();
  readonly #debugReaders = new Set<(line: string) => void>();
  #configuration: Configuration;
  #workers = 0;
  #kernelDropsTold = 0;
  #clearedAtMs: number | undefined;
  #reloadSucceeded = true;
  #readAtSeconds = Math.floor(Date.now() / 1_000);

  constructor(options: DaemonOptions, configuration: Configuration) {
    this.#options = options;
    this.#configuration = configuration;
    this.pool = new WorkerPool({
      addon: options.addon,
      logger: options.logger,
      workerFile: options.workerFile,
      testHooks: options.testHooks,
      onDebug: (line) => {
        for (const reader of this.#debugReaders) reader(line);
      },
      onHopeless: options.onHopeless,
    });
  }

  get workers(): number {
    return this.#workers;
  }

  /**
   * Opens the queues, starts the workers, installs the rules if asked: in this order, so that nothing is steered to
   * nobody.
   */
  async start(): Promise<void> {
    const { queueLengthPackets, fail } = effectivePostern(this.#configuration);
    this.#workers = workerCount(this.#configuration);
    const queues = Array.from({ length: this.#workers }, (_, index) => ({
      queue: this.#options.run.queue + index,
      lengthMaxPackets: queueLengthPackets,
      failOpen: fail === 'open',
      injectMark: MARKS.injected,
    }));
    this.pool.open(queues);
    await this.pool.start(workerSettings(this.#configuration));
    if (this.#options.run.installRules) await this.#installRules();
  }

  async stop(): Promise<void> {
    if (this.#options.run.installRules) {
      await removeRules().catch((error: unknown) => this.#rulesFailed(error));
    }
    await this.pool.stop();
  }

  /** SIGHUP: a bad file keeps the old policy and says so. Answers the errors. */
  async reload(): Promise<readonly string[]> {
    const { config } = this.#options.run;
    try {
      const { configuration, notices } = loadConfiguration(config);
      for (const detail of notices) this.#options.logger.log({ id: 'NOTICE', fields: { detail } });
      await this.#replace(configuration);
      this.#readAtSeconds = Math.floor(Date.now() / 1_000);
      this.#reloadSucceeded = true;
      return [];
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      this.#reloadSucceeded = false;
      const { errors } = error;
      const fields = { file: config, errors: errors.length, detail: errors[0]?.split('\n')[0] ?? '' };
      this.#options.logger.log({ id: 'CONFIG_REJECTED', fields });
      for (const detail of rejectionLines(errors)) this.#options.logger.log({ id: 'ERROR', fields: { detail } });
      return errors;
    }
  }

  /** `configure terminal`: all lines take effect or none. */
  async configure(lines: readonly string[]): Promise<ExecReply> {
    const { configuration, errors, notices } = applyLines(this.#configuration, lines);
    if (errors.length > 0) return { error: errors.map((error) => formatDiagnostic(error, true)).join('\n') };
    await this.#replace(configuration);
    return { output: notices.map((notice) => `${formatDiagnostic(notice, false)}\n`).join('') };
  }

  exec(request: ExecRequest): Promise<ExecReply> {
    const hook = this.#testHook(request.command);
    return hook === undefined ? runExec(request, this.#execContext()) : Promise.resolve(hook);
  }

  async metrics(): Promise<string> {
    const [statistics, sessions] = await Promise.all([this.statistics(), this.sessions()]);
    return this.#metrics.text({
      statistics,
      sessions,
      fail: effectivePostern(this.#configuration).fail,
      reload: { succeeded: this.#reloadSucceeded, configurationReadAtSeconds: this.#readAtSeconds },
      build: { version: this.#options.version, node: process.version },
    });
  }

  subscribe(command: string, onLine: (line: string) => void): (() => void) | { readonly error: string } {
    const selection = readDebugCommand(command);
    if ('error' in selection) return selection;
    const wanted = debugFilter(selection);
    const reader = (line: string): void => {
      if (wanted(line)) onLine(line);
    };
    this.#debugReaders.add(reader);
    this.pool.debug(true);
    return () => {
      this.#debugReaders.delete(reader);
      if (this.#debugReaders.size === 0) this.pool.debug(false);
    };
  }

  /** Once a second: the creation rate, and what the kernel lost since. */
  async tick(): Promise<void> {
    const statistics = await this.statistics();
    this.#rate.sample(statistics.sessions.created, Date.now());
    const lost = statistics.packets.kernelDropped - this.#kernelDropsTold;
    if (lost <= 0) return;
    this.#kernelDropsTold = statistics.packets.kernelDropped;
    this.#options.logger.log({ id: 'QUEUE_OVERRUN', fields: { queue: this.#options.run.queue, packets: lost } });
  }

  async sessions(): Promise<readonly SessionSnapshot[]> {
    const replies = await this.pool.ask((request) => ({ kind: 'sessions', request }));
    return replies.flatMap((reply) => (reply.kind === 'sessions' ? reply.sessions : []));
  }

  async statistics(): Promise<Statistics> {
    const replies = await this.pool.ask((request) => ({ kind: 'statistics', request }));
    return combineStatistics({
      workers: replies.flatMap((reply) => (reply.kind === 'statistics' ? [reply.statistics] : [])),
      health: this.pool.health(),
      kernelDropped: this.pool.kernelDrops(),
      rate: this.#rate,
      nowMs: Date.now(),
      startedAtMs: this.#startedAtMs,
      ...(this.#clearedAtMs === undefined ? {} : { clearedAtMs: this.#clearedAtMs }),
    });
  }

  async #replace(configuration: Configuration): Promise<void> {
    const before = this.#configuration;
    this.#configuration = configuration;
    this.pool.configure(workerSettings(configuration));
    if (this.#options.run.installRules) await this.#installRules();
    const changes =
      workerCount(configuration) === this.#workers
        ? 'sessions under way keep their policy'
        : 'the number of queues changes with the next start';
    this.#options.logger.log({ id: 'CONFIG_RELOADED', fields: { file: this.#options.run.config, changes } });
    if (effectivePostern(before).fail !== effectivePostern(configuration).fail) {
      const detail = 'postern fail: what a full queue does changes with the next start, everything else now';
      this.#options.logger.log({ id: 'NOTICE', fields: { detail } });
    }
  }

  async #installRules(): Promise<void> {
    const texts = rulesFor({
      configuration: this.#configuration,
      firstQueue: this.#options.run.queue,
      workers: this.#workers,
      hashKey: queueHashKey(),
    });
    for (const name of texts.skippedInterfaces) {
      this.#options.logger.log({
        id: 'NOTICE',
        fields: { detail: `interface ${name}: no Linux interface has such a name` },
      });
    }
    await installRules(texts);
    this.#options.logger.log({ id: 'RULES_INSTALLED', fields: { detail: 'mangle table, chains POSTERN-…' } });
  }

  #rulesFailed(error: unknown): void {
    const detail = error instanceof Error ? error.message : String(error);
    this.#options.logger.log({ id: 'RULES_FAILED', fields: { detail } });
  }

  #execContext(): ExecContext {
    const { config } = this.#options.run;
    const clear = async (id: string): Promise<number> => {
      const replies = await this.pool.ask((request) => ({ kind: 'clearSessions', request, id }));
      return replies.reduce((sum, reply) => sum + (reply.kind === 'count' ? reply.count : 0), 0);
    };
    return {
      configuration: this.#configuration,
      configurationFile: config,
      version: this.#options.version,
      startupText: () => readFile(config, 'utf8'),
      sessions: () => this.sessions(),
      statistics: () => this.statistics(),
      clearSessions: clear,
      clearStatistics: async () => {
        await this.pool.ask((request) => ({ kind: 'clearStatistics', request }));
        this.#rate.clear();
        this.#clearedAtMs = Date.now();
      },
      reload: () => this.reload(),
      save: (text) => saveWhole(config, text),
    };
  }

  /** `stall-worker QUEUE` and `crash-worker QUEUE`, only with POSTERN_TEST_HOOKS: for the tests of the supervisor. */
  #testHook(command: string): ExecReply | undefined {
    if (!this.#options.testHooks) return undefined;
    const [, kind, queue] = /^debug postern (stall|crash)-worker (\d+)$/.exec(command) ?? [];
    if (kind !== 'stall' && kind !== 'crash') return undefined;
    return this.pool.hurt(Number(queue), kind) ? { output: '' } : { error: '% No worker serves this queue' };
  }
}
