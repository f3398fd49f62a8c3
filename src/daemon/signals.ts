import type { EventEmitter } from 'node:events';

export interface SignalActions {
  /** SIGHUP. Never run twice at a time; a signal meanwhile runs it once more afterwards. */
  reload(): Promise<void>;
  /** SIGTERM, SIGINT: every held packet gets its verdict, then the daemon ends. */
  stop(signal: string): Promise<void>;
  /** SIGUSR1: the state goes to the log. (Node would open a debugger port otherwise.) */
  dump(): void;
  /** A second SIGTERM or SIGINT: the administrator does not want to wait. */
  stopAtOnce(): void;
  /** Told when an action throws; the daemon goes on. */
  failed(what: string, error: unknown): void;
}

/** Connects the process's signals with the daemon; answers how to disconnect them. */
export function watchSignals(actions: SignalActions, source: EventEmitter = process): () => void {
  let stopping = false;
  const reload = oneAtATime(() => (stopping ? Promise.resolve() : actions.reload()), actions);
  const stop = (signal: string) => () => {
    if (stopping) {
      actions.stopAtOnce();
      return;
    }
    stopping = true;
    actions.stop(signal).catch((error: unknown) => actions.failed(signal, error));
  };
  const dump = (): void => {
    try {
      actions.dump();
    } catch (error) {
      actions.failed('SIGUSR1', error);
    }
  };
  const listeners: readonly (readonly [string, () => void])[] = [
    ['SIGHUP', reload],
    ['SIGTERM', stop('SIGTERM')],
    ['SIGINT', stop('SIGINT')],
    ['SIGUSR1', dump],
  ];
  for (const [signal, listener] of listeners) source.on(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) source.removeListener(signal, listener);
  };
}

function oneAtATime(action: () => Promise<void>, actions: SignalActions): () => void {
  let running = false;
  let wantedAgain = false;
  const run = async (): Promise<void> => {
    running = true;
    try {
      do {
        wantedAgain = false;
        await action().catch((error: unknown) => actions.failed('SIGHUP', error));
      } while (wantedAgain);
    } finally {
      running = false;
    }
  };
  return () => {
    if (running) wantedAgain = true;
    else void run();
  };
}
