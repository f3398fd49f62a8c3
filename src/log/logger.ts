import { type LevelWithSilent, type Logger as Pino, pino } from 'pino';
import { type FormattedMessage, formatLogMessage, formatMessage, iosLine } from './format.ts';
import { MessageLimiter } from './limiter.ts';
import type { Logger, LogMessage } from './log-message.ts';
import type { Severity } from './messages.ts';

export interface LogDestination {
  /** Takes one line with its LF. */
  write(line: string): void;
}

export interface LoggerOptions {
  /** `ios`: one line as a router writes it. `json`: one object a line. */
  readonly format: 'ios' | 'json';
  readonly destination: LogDestination;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Put journald's `<N>` priority before `ios` lines (sd-daemon(3)). */
  readonly journald?: boolean;
}

/**
 * The log of the process: the catalogue's texts through pino, in this thread, with peers' messages bounded. It has no
 * timer of its own: the owner calls `tick`.
 */
export function createLogger(options: LoggerOptions): Logger {
  const limiter = new MessageLimiter();
  const write = options.format === 'json' ? jsonWriter(options) : iosWriter(options);
  const summarise = (everything: boolean): void => {
    for (const left of limiter.takeDue(options.now(), everything)) write(formatMessage('SUPPRESSED', { ...left }));
  };
  return {
    log(message: LogMessage): void {
      summarise(false);
      if (limiter.admit(message.id, options.now())) write(formatLogMessage(message));
    },
    tick: () => summarise(false),
    close: () => summarise(true),
  };
}

type Writer = (message: FormattedMessage) => void;

/** Syslog's severities as pino levels: pino counts upwards with importance. */
const LEVELS = {
  debugging: 10,
  informational: 20,
  notifications: 30,
  warnings: 40,
  errors: 50,
  critical: 60,
  alerts: 70,
  emergencies: 80,
} as const;

type LevelName = keyof typeof LEVELS;

const LEVEL_OF_SEVERITY: Readonly<Record<Severity, LevelName>> = {
  0: 'emergencies',
  1: 'alerts',
  2: 'critical',
  3: 'errors',
  4: 'warnings',
  5: 'notifications',
  6: 'informational',
  7: 'debugging',
};

function jsonWriter(options: LoggerOptions): Writer {
  const engine = createPino(options.now, options.destination);
  return (message) => {
    const level = LEVEL_OF_SEVERITY[message.severity];
    engine[level]({ ...message.fields, mnemonic: message.mnemonic, facility: message.facility }, message.text);
  };
}

function createPino(now: () => number, destination: LogDestination): Pino<LevelName> {
  return pino<LevelName>(
    {
      customLevels: LEVELS,
      useOnlyCustomLevels: true,
      level: 'debugging' satisfies LevelName as LevelWithSilent,
      base: null,
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      formatters: { level: (_label, number) => ({ severity: 8 - number / 10 }) },
    },
    destination,
  );
}

function iosWriter(options: LoggerOptions): Writer {
  return (message) => {
    const priority = options.journald ? `<${message.severity}>` : '';
    options.destination.write(`${priority}${iosTime(new Date(options.now()))}: ${iosLine(message)}\n`);
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** `Mar  1 00:04:09.120`, in the host's time zone as syslog writes it. */
function iosTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = String(time.getDate()).padStart(2, ' ');
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${MONTHS[time.getMonth()]} ${day} ${clock}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}
