import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { runExec } from '../commands/exec.ts';
import type { ExecContext } from '../commands/exec-context.ts';
import { applyLines, formatDiagnostic } from '../commands/parse-configuration.ts';
import type { ExecReply, ExecRequest } from '../control/control-api.ts';
import { createMetrics } from '../control/metrics.ts';
import { addRecords } from '../engine/tally.ts';
import type { WorkerSettings } from '../engine/worker-protocol.ts';
import type { SessionSnapshot, Statistics } from '../firewall/snapshot.ts';
import { HALF_OPEN_LISTED_MAX } from '../limits.ts';
import type { Logger } from '../log/log-message.ts';
import type { Addon, PatternAddon } from '../native/addon.ts';
import { queueHashKey } from '../netfilter/host-key.ts';
import { installRules, removeRules } from '../netfilter/install.ts';
import { MARKS } from '../netfilter/marks.ts';
import { rulesFor } from '../netfilter/rules.ts';
import { NO_PATTERNS, type PatternSets } from '../policy/application/pattern-sets.ts';
import type { Configuration } from '../policy/configuration.ts';
import { effectivePostern } from '../policy/defaults.ts';
import type { LearnedChanges } from '../policy/learned.ts';
import { portProtocols } from '../policy/ports.ts';
import { AccessLists } from './access-lists.ts';
import {
  ConfigurationError,
  compilePatterns,
  type LoadedConfiguration,
  loadConfiguration,
  noticeLines,
  rejectionLines,
  workerSettings,
} from './configuration-file.ts';
import { type DebugReader, DebugStreams } from './debug-streams.ts';
import { GateKeeper } from './gate-keeper.ts';
import { clearHalfOpen, halfOpenSessions } from './half-open-sessions.ts';
import { LearnedSenders } from './learned-senders.ts';
import type { RunOptions } from './options.ts';
import { PatternCompiler } from './pattern-compiler.ts';
import type { ConfigurationSource } from './pattern-errors.ts';
import { PolicyReports } from './policy-reports.ts';
import { saveWhole } from './save-file.ts';
import { Sequence } from './sequence.ts';
import { SessionPlaces } from './session-places.ts';
import { CreationRate, combineStatistics } from './statistics.ts';
import { SynProxy } from './syn-proxy.ts';
import { WorkerPool } from './worker-pool.ts';
import { ZoneRefusals } from './zone-refusals.ts';

export interface DaemonOptions {
  readonly run: RunOptions;
  readonly addon: Addon;
  readonly patterns: Pick<PatternAddon, 'compilePatterns' | 'releasePatterns'>;
  readonly logger: Logger;
  readonly version: string;
  readonly workerFile: URL;
  readonly testHooks: boolean;
  onHopeless(detail: string): void;
}

/** What the daemon begins with. */
export type StartConfiguration = Pick<LoadedConfiguration, 'configuration' | 'source'>;

const QUEUES_MAX = 4;

/** How many workers a configuration asks for: one a CPU, four at most, where it does not say. */
export function workerCount(configuration: Configuration): number {
  const { queueCount } = effectivePostern(configuration);
  return queueCount === 0 ? Math.min(QUEUES_MAX, availableParallelism()) : queueCount;
}

/**
 * The running firewall without its process: configuration, gate, workers, rules, and what `show` and the metrics ask
 * for.
 */
export class Daemon {
  readonly pool: WorkerPool;
  readonly #options: DaemonOptions;
  readonly #metrics = createMetrics();
  readonly #rate = new CreationRate();
  readonly #keeper: GateKeeper;
  readonly #synProxy: SynProxy;
  readonly #places: SessionPlaces;
  readonly #accessLists = new AccessLists();
  readonly #reports: PolicyReports;
  readonly #zoneRefusals: ZoneRefusals;
  readonly #learned: LearnedSenders;
  readonly #startedAtMs = Date.now();
  readonly #debug = new DebugStreams((on) => this.pool.debug(on));
  readonly #changes = new Sequence();
  readonly #compiler: PatternCompiler;
  #configuration: Configuration;
  /** What the configuration was read from when the daemon was started. */
  readonly #source: ConfigurationSource;
  #patterns: PatternSets = NO_PATTERNS;
  readonly #workers: number;
  readonly #dropsTold = { workers: 0, gate: 0 };
  #clearedAtMs: number | undefined;
  #reloadSucceeded = true;
  #readAtSeconds = Math.floor(Date.now() / 1_000);

  constructor(options: DaemonOptions, { configuration, source }: StartConfiguration) {
    this.#options = options;
    this.#configuration = configuration;
    this.#source = source;
    this.#compiler = new PatternCompiler(options.patterns);
    this.#workers = workerCount(configuration);
    this.#places = new SessionPlaces(this.#workers);
    this.#accessLists.configure(configuration);
    const { addon, logger, onHopeless } = options;
    const now = (): number => performance.now();
    this.#synProxy = new SynProxy({ logger, now }, configuration);
    this.#keeper = new GateKeeper(
      { addon, logger, markSession: MARKS.session, now, synProxy: this.#synProxy, onHopeless },
      configuration,
    );
    this.pool = new WorkerPool({
      addon,
      logger,
      sessionCounts: this.#places.counts,
      workerFile: options.workerFile,
      testHooks: options.testHooks,
      onDebug: (line) => this.#debug.publish(line),
      onLearn: (learning) => this.#learned.learn(learning),
      learned: () => this.#learned.whole(),
      onHopeless,
    });
    const tell = (changes: LearnedChanges): void => this.pool.tellLearned(changes);
    this.#learned = new LearnedSenders({ stateDir: options.run.stateDir, logger, tell });
    this.#reports = new PolicyReports(this.pool);
    this.#zoneRefusals = new ZoneRefusals(() => this.#reports.matches());
    this.#reports.configure(configuration);
  }

  get workers(): number {
    return this.#workers;
  }

  /** How long the gate's thread has not come round. */
  gateHeartbeatAgeMs(): number {
    return this.#keeper.heartbeatAgeMs();
  }

  /**
   * Compiles the patterns, opens the gate, then the workers' queues behind it, starts the workers, installs the rules
   * if asked: in this order, so that nothing is steered to nobody. Rejects with a ConfigurationError for a bad pattern.
   */
  async start(): Promise<void> {
    this.#patterns = await compilePatterns(this.#compiler, {
      configuration: this.#configuration,
      source: this.#source,
    });
    await this.#learned.configure(this.#configuration);
    const { queueLengthPackets, fail } = effectivePostern(this.#configuration);
    const { queue } = this.#options.run;
    const common = { lengthMaxPackets: queueLengthPackets, failOpen: fail === 'open', injectMark: MARKS.injected };
    const gate = this.#keeper.open({ queue, ...common });
    this.pool.open(
      Array.from({ length: this.#workers }, (_, index) => ({ queue: queue + 1 + index, gate, ...common })),
    );
    this.#keeper.start();
    await this.pool.start(this.#workerSettings());
    if (this.#options.run.installRules) await this.#installRules();
  }

  /**
   * After a change that is under way, so that its rules are not installed behind the stop's back. A stop after a
   * failure leaves the rules standing: until the daemon is started again, `postern fail` decides about mail.
   */
  stop(how: 'clean' | 'failed' = 'clean'): Promise<void> {
    return this.#changes.run(() => this.#stop(how));
  }

  async #stop(how: 'clean' | 'failed'): Promise<void> {
    if (this.#options.run.installRules) {
      await this.#synProxy.stop();
      if (how === 'clean') await removeRules().catch((error: unknown) => this.#rulesFailed(error));
    }
    await this.pool.stop();
    this.#keeper.close();
    await this.#learned.close();
  }

  /** SIGHUP: a bad file keeps the old policy and says so. Answers the errors. */
  reload(): Promise<readonly string[]> {
    return this.#changes.run(() => this.#reload());
  }

  /** `configure terminal`: all lines take effect or none. */
  configure(lines: readonly string[]): Promise<ExecReply> {
    return this.#changes.run(() => this.#configure(lines));
  }

  async #reload(): Promise<readonly string[]> {
    const { config } = this.#options.run;
    try {
      const loaded = loadConfiguration(config);
      const patterns = await this.#compile(loaded);
      for (const detail of noticeLines(loaded.notices)) this.#options.logger.log({ id: 'NOTICE', fields: { detail } });
      await this.#replace(loaded.configuration, patterns);
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

  /** The patterns of a configuration that is to take effect; when it may not, what was compiled for it goes. */
  async #compile(loaded: StartConfiguration): Promise<PatternSets> {
    try {
      return await compilePatterns(this.#compiler, loaded);
    } catch (error) {
      this.#compiler.keepOnly([this.#patterns]);
      throw error;
    }
  }

  async #configure(lines: readonly string[]): Promise<ExecReply> {
    const { configuration, errors, notices } = applyLines(this.#configuration, lines);
    if (errors.length > 0) return { error: errors.map((error) => formatDiagnostic(error, true)).join('\n') };
    let patterns: PatternSets;
    try {
      patterns = await this.#compile({ configuration, source: { file: 'terminal', lines } });
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      return { error: error.errors.join('\n') };
    }
    await this.#replace(configuration, patterns);
    return { output: notices.map((notice) => `${formatDiagnostic(notice, false)}\n`).join('') };
  }

  exec(request: ExecRequest): Promise<ExecReply> {
    const hook = this.#testHook(request.command);
    return hook === undefined ? runExec(request, this.#execContext()) : Promise.resolve(hook);
  }

  async metrics(): Promise<string> {
    // Half-open sessions are counted in the statistics; under a flood a scrape must not list them.
    const [statistics, sessions, policy, zonePackets] = await Promise.all([
      this.statistics(),
      this.#flows(),
      this.#reports.statistics(),
      this.#reports.matches(),
    ]);
    return this.#metrics.text({
      ...{ statistics, sessions, policy, zonePackets },
      fail: effectivePostern(this.#configuration).fail,
      reload: { succeeded: this.#reloadSucceeded, configurationReadAtSeconds: this.#readAtSeconds },
      build: { version: this.#options.version, node: process.version },
    });
  }

  subscribe(command: string, reader: DebugReader): (() => void) | { readonly error: string } {
    return this.#debug.subscribe(command, reader);
  }

  /** Once a second: the creation rate, and what the kernel lost since. */
  async tick(): Promise<void> {
    this.#learned.tick();
    const statistics = await this.#countPackets();
    this.#rate.sample(statistics.sessions.created, Date.now());
    const { kernelDropped, gateKernelDropped } = statistics.packets;
    this.#tellLost('gate', gateKernelDropped);
    this.#tellLost('workers', kernelDropped - gateKernelDropped);
  }

  /** Established and ending ones from the workers, half-open ones from the gate, these up to a number. */
  async sessions(): Promise<readonly SessionSnapshot[]> {
    const flows = await this.#flows();
    const { gate } = this.#keeper;
    if (gate === undefined) return flows;
    return [...flows, ...halfOpenSessions(this.#options.addon, gate, portProtocols(this.#configuration))];
  }

  async statistics(): Promise<Statistics> {
    const [statistics, denied, zones] = await Promise.all([
      this.#countPackets(),
      this.#accessLists.denied(),
      this.#zoneRefusals.counts(),
    ]);
    const lists = denied === 0 ? {} : { 'access-list': denied };
    // A worker refuses for a zone too what no rule of the kernel could tell.
    return { ...statistics, refusals: addRecords(addRecords(statistics.refusals, lists), zones) };
  }

  async #countPackets(): Promise<Statistics> {
    const replies = await this.pool.ask((request) => ({ kind: 'statistics', request }));
    this.#keeper.sample();
    return combineStatistics({
      workers: replies.flatMap((reply) => (reply.kind === 'statistics' ? [reply.statistics] : [])),
      gate: this.#keeper.counts(),
      health: this.pool.health(),
      kernelDropped: this.pool.kernelDrops(),
      rate: this.#rate,
      nowMs: Date.now(),
      startedAtMs: this.#startedAtMs,
      ...(this.#clearedAtMs === undefined ? {} : { clearedAtMs: this.#clearedAtMs }),
    });
  }

  async #flows(): Promise<readonly SessionSnapshot[]> {
    const replies = await this.pool.ask((request) => ({ kind: 'sessions', request }));
    return replies.flatMap((reply) => (reply.kind === 'sessions' ? reply.sessions : []));
  }

  #workerSettings(): WorkerSettings {
    const { limits, placeless } = this.#places.layout(this.#configuration);
    if (placeless.length > 0) {
      const detail = `${placeless.length} rule(s) or class(es) count for ip inspect sessions maximum only, from ${placeless[0]} on`;
      this.#options.logger.log({ id: 'NOTICE', fields: { detail } });
    }
    return { ...workerSettings(this.#configuration, this.#patterns), sessionLimits: limits };
  }

  /** What the kernel lost of the gate's queue, or of the workers' queues, since it was last told. */
  #tellLost(whose: 'gate' | 'workers', lost: number): void {
    const packets = lost - this.#dropsTold[whose];
    if (packets <= 0) return;
    this.#dropsTold[whose] = lost;
    const queue = this.#options.run.queue + (whose === 'gate' ? 0 : 1);
    this.#options.logger.log({ id: 'QUEUE_OVERRUN', fields: { queue, packets } });
  }

  async #replace(configuration: Configuration, patterns: PatternSets): Promise<void> {
    const before = this.#configuration;
    this.#configuration = configuration;
    this.#patterns = patterns;
    this.#accessLists.configure(configuration);
    this.#reports.configure(configuration);
    this.#keeper.configure(configuration);
    await this.#learned.configure(configuration);
    // A worker that does not answer is replaced and begins with the new settings; what it used is kept until the next
    // change.
    const taken = this.pool.configure(this.#workerSettings()).then(
      () => this.#compiler.keepOnly([patterns]),
      () => undefined,
    );
    if (this.#options.run.installRules) await this.#installRules();
    await taken;
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
    await this.#synProxy.installed(this.#configuration);
    this.#options.logger.log({ id: 'RULES_INSTALLED', fields: { detail: 'mangle table, chains POSTERN-…' } });
  }

  #rulesFailed(error: unknown): void {
    const detail = error instanceof Error ? error.message : String(error);
    this.#options.logger.log({ id: 'RULES_FAILED', fields: { detail } });
  }

  #execContext(): ExecContext {
    const { config } = this.#options.run;
    const clear = async (id: string): Promise<number> => {
      const { gate } = this.#keeper;
      const halfOpen = gate === undefined ? 0 : clearHalfOpen(this.#options.addon, gate, id);
      const replies = await this.pool.ask((request) => ({ kind: 'clearSessions', request, id }));
      return replies.reduce((sum, reply) => sum + (reply.kind === 'count' ? reply.count : 0), halfOpen);
    };
    return {
      configuration: this.#configuration,
      configurationFile: config,
      version: this.#options.version,
      startupText: () => readFile(config, 'utf8'),
      sessions: () => this.sessions(),
      unlistedHalfOpen: () => Math.max(0, this.#keeper.entries() - HALF_OPEN_LISTED_MAX),
      blockedHosts: () => this.#keeper.blockedHosts(),
      unblock: (host) => this.#keeper.unblock(host),
      endDebug: () => this.#debug.endAll(),
      statistics: () => this.statistics(),
      accessMatches: () => this.#accessLists.matches(),
      clearAccessMatches: (list) => this.#accessLists.clearMatches(list),
      policyStatistics: () => this.#reports.statistics(),
      zoneMatches: () => this.#reports.matches(),
      clearPolicyStatistics: (zonePair) => this.#reports.clear(zonePair),
      learned: () => this.#learned.entries(),
      clearLearned: (which) => this.#learned.clear(which),
      clearSessions: clear,
      clearZoneSessions: (zonePair) => this.#reports.clearSessions(zonePair),
      clearStatistics: async () => {
        await this.pool.ask((request) => ({ kind: 'clearStatistics', request }));
        this.#keeper.clearCounts();
        await this.#accessLists.clearStatistics();
        await this.#zoneRefusals.clear();
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
