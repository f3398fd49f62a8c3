import { performance } from 'node:perf_hooks';
import { listenControl } from '../control/server.ts';
import type { Logger } from '../log/log-message.ts';
import { createLogger } from '../log/logger.ts';
import { loadAddon, loadPatterns } from '../native/addon.ts';
import { ConfigurationError, loadConfiguration, noticeLines } from './configuration-file.ts';
import { Daemon } from './daemon.ts';
import { createNotifier, type Notifier, watchdogIntervalMs } from './notify.ts';
import type { RunOptions } from './options.ts';
import { watchSignals } from './signals.ts';
import { packageVersion } from './version.ts';
import { judgePulse } from './watchdog.ts';

/** How often the main thread looks after its workers: a stall is noticed within a second (issue: supervision). */
const PULSE_MS = 200;
const TICK_MS = 1_000;

/** `postern run`: serves until a signal ends it. Answers the exit code. */
export async function run(options: RunOptions): Promise<number> {
  let loaded: ReturnType<typeof loadConfiguration>;
  try {
    loaded = loadConfiguration(options.config);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${error.errors.join('\n')}\n`);
    return 1;
  }
  const logger = createLogger({
    format: options.logFormat,
    destination: { write: (line) => process.stdout.write(line) },
    now: Date.now,
    journald: process.env.JOURNAL_STREAM !== undefined,
  });
  for (const detail of noticeLines(loaded.notices)) logger.log({ id: 'NOTICE', fields: { detail } });
  return serve(options, logger, loaded);
}

async function serve(
  options: RunOptions,
  logger: Logger,
  loaded: ReturnType<typeof loadConfiguration>,
): Promise<number> {
  const addon = loadAddon();
  const notifier = createNotifier({
    socket: process.env.NOTIFY_SOCKET,
    send: (path, text) => addon.sendDatagram(path, text),
    monotonicMicroseconds: () => process.hrtime.bigint() / 1_000n,
  });
  const end = deferred<number>();
  let told = false;
  const hopeless = (detail: string): void => {
    if (!told) logger.log({ id: 'ERROR', fields: { detail } });
    told = true;
    end.resolve(1);
  };
  const version = packageVersion();
  const daemon = new Daemon(
    {
      run: options,
      addon,
      patterns: loadPatterns(),
      logger,
      version,
      workerFile: new URL('../engine/worker.js', import.meta.url),
      testHooks: process.env.POSTERN_TEST_HOOKS === '1',
      onHopeless: hopeless,
    },
    loaded,
  );
  const fail = (what: string, error: unknown): void => {
    logger.log({
      id: 'ERROR',
      fields: { detail: `${what}: ${error instanceof Error ? error.message : String(error)}` },
    });
  };
  try {
    await daemon.start();
  } catch (error) {
    const said = error instanceof ConfigurationError ? error.errors.join('\n') : undefined;
    process.stderr.write(`${said ?? `% ${error instanceof Error ? error.message : String(error)}`}\n`);
    await daemon.stop().catch(() => undefined);
    return 1;
  }
  const control = await listenControl(options.control, {
    exec: (request) => daemon.exec(request),
    configure: ({ lines }) => daemon.configure(lines),
    metrics: () => daemon.metrics(),
    health: () => health(daemon),
    subscribe: (command, reader) => daemon.subscribe(command, reader),
    failed: fail,
  }).catch(async (error: unknown) => {
    process.stderr.write(`% ${error instanceof Error ? error.message : String(error)}\n`);
    await daemon.stop();
    return undefined;
  });
  if (control === undefined) return 1;

  const stopPulse = startPulse({ daemon, notifier, logger, fail, hopeless });
  const unwatch = watchSignals({
    reload: async () => {
      notifier.reloading();
      const errors = await daemon.reload();
      notifier.ready(errors.length === 0 ? 'judging packets' : `the new configuration is bad: ${errors[0]}`);
    },
    stop: async (signal) => end.resolve(signal === '' ? 1 : 0),
    dump: () =>
      void daemon
        .statistics()
        .then((statistics) => logger.log({ id: 'NOTICE', fields: { detail: JSON.stringify(statistics) } })),
    stopAtOnce: () => process.exit(1),
    failed: fail,
  });
  logger.log({ id: 'INIT', fields: {} });
  const detail = `${Math.round(performance.now())} ms after the start`;
  logger.log({ id: 'READY', fields: { queues: daemon.workers + 1, firstQueue: options.queue, detail } });
  notifier.ready('judging packets');

  const code = await end.promise;
  notifier.stopping('giving held packets their verdicts');
  logger.log({ id: 'STOPPING', fields: { detail: 'giving held packets their verdicts' } });
  unwatch();
  stopPulse();
  await control.close();
  await daemon.stop(code === 0 ? 'clean' : 'failed');
  logger.close();
  return code;
}

interface PulseSurroundings {
  readonly daemon: Daemon;
  readonly notifier: Notifier;
  readonly logger: Logger;
  readonly fail: (what: string, error: unknown) => void;
  readonly hopeless: (detail: string) => void;
}

/** Looks after the gate and the workers, feeds systemd's watchdog, and counts the seconds. Answers how to stop it. */
function startPulse({ daemon, notifier, logger, fail, hopeless }: PulseSurroundings): () => void {
  const feedMs = watchdogIntervalMs(process.env, process.pid);
  let due = performance.now() + PULSE_MS;
  let fedAt = 0;
  const pulse = setInterval(() => {
    const now = performance.now();
    const decision = judgePulse({
      mainLoopLateMs: now - due,
      expectedWorkers: daemon.workers,
      workers: daemon.pool.health(),
      gateHeartbeatAgeMs: daemon.gateHeartbeatAgeMs(),
    });
    due = now + PULSE_MS;
    daemon.pool.replaceStalled(decision.stalledQueues);
    if (decision.gateStalled) hopeless(decision.because ?? '');
    if (decision.because !== undefined) notifier.status(decision.because);
    if (decision.feed && feedMs !== undefined && now - fedAt >= feedMs / 2) {
      fedAt = now;
      notifier.watchdog();
    }
  }, PULSE_MS);
  const tick = setInterval(() => {
    logger.tick();
    daemon.tick().catch((error: unknown) => fail('counting', error));
  }, TICK_MS);
  return () => {
    clearInterval(pulse);
    clearInterval(tick);
  };
}

function health(daemon: Daemon): { readonly ready: boolean; readonly detail: string } {
  const { feed, because } = judgePulse({
    mainLoopLateMs: 0,
    expectedWorkers: daemon.workers,
    workers: daemon.pool.health(),
    gateHeartbeatAgeMs: daemon.gateHeartbeatAgeMs(),
  });
  return { ready: feed, detail: because ?? 'judging packets' };
}

interface Deferred<Value> {
  readonly promise: Promise<Value>;
  resolve(value: Value): void;
}

function deferred<Value>(): Deferred<Value> {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: (value) => resolve(value) };
}
