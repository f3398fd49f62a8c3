/** Sends one datagram to a unix socket; a name that begins with `@` is an abstract one. Throws when it cannot. */
export type SendDatagram = (path: string, text: string) => void;

export interface NotifierOptions {
  /** `$NOTIFY_SOCKET`; absent when nobody wants to know. */
  readonly socket: string | undefined;
  readonly send: SendDatagram;
  /** CLOCK_MONOTONIC, which systemd compares with its own. */
  readonly monotonicMicroseconds: () => bigint;
  /** Told the first time that sending fails; the daemon goes on. */
  readonly failed?: (error: unknown) => void;
}

/** What the service manager is told (sd_notify(3)). Every call is harmless outside of systemd. */
export interface Notifier {
  /** Packets are being judged. */
  ready(status: string): void;
  /** A reload begins; `ready` ends it. */
  reloading(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  watchdog(): void;
  stopping(status: string): void;
}

/** `systemctl status` shows one line; more would only be cut elsewhere. */
const STATUS_CHARACTERS_MAX = 200;

export function createNotifier(options: NotifierOptions): Notifier {
  const path = socketPath(options.socket);
  let failedBefore = false;
  const send = (...lines: readonly string[]): void => {
    if (path === undefined) return;
    try {
      options.send(path, lines.join('\n'));
    } catch (error) {
      if (!failedBefore) options.failed?.(error);
      failedBefore = true;
    }
  };
  return {
    ready: (status) => send('READY=1', statusLine(status)),
    reloading: () => send('RELOADING=1', `MONOTONIC_USEC=${options.monotonicMicroseconds()}`),
    status: (text) => send(statusLine(text)),
    watchdog: () => send('WATCHDOG=1'),
    stopping: (status) => send('STOPPING=1', statusLine(status)),
  };
}

/** How often to feed the watchdog: half of what systemd allows, as it advises; undefined when it does not watch us. */
export function watchdogIntervalMs(
  environment: Readonly<Record<string, string | undefined>>,
  processId: number,
): number | undefined {
  const microseconds = Number(environment.WATCHDOG_USEC);
  const watched = environment.WATCHDOG_PID;
  if (!Number.isFinite(microseconds) || microseconds <= 0) return undefined;
  if (watched !== undefined && watched !== String(processId)) return undefined;
  return Math.max(1, Math.floor(microseconds / 2000));
}

/** Only absolute paths and abstract names are sockets we know how to send to. */
function socketPath(socket: string | undefined): string | undefined {
  return socket !== undefined && /^[/@]./.test(socket) ? socket : undefined;
}

/** A line end would begin another assignment. */
function statusLine(text: string): string {
  return `STATUS=${text.replace(/\p{Cc}+/gu, ' ').slice(0, STATUS_CHARACTERS_MAX)}`;
}
