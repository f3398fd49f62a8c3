import { parseArgs } from 'node:util';
import { CONTROL_SOCKET_DEFAULT } from '../control/control-api.ts';
import { CONFIGURATION_FILE_DEFAULT } from './configuration-file.ts';

/** What `postern run` was told (contract.md). */
export interface RunOptions {
  readonly config: string;
  readonly control: string;
  readonly stateDir: string;
  readonly logFormat: 'ios' | 'json';
  readonly queue: number;
  readonly installRules: boolean;
}

export const STATE_DIR_DEFAULT = '/var/lib/postern';
const QUEUE_NUMBER_MAX = 65_535;

/** Wrong usage: the command ends with 2 and this text. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function parseRunOptions(argv: readonly string[]): RunOptions {
  const { values } = strictly(() =>
    parseArgs({
      args: [...argv],
      options: {
        config: { type: 'string', default: CONFIGURATION_FILE_DEFAULT },
        control: { type: 'string', default: CONTROL_SOCKET_DEFAULT },
        'state-dir': { type: 'string', default: STATE_DIR_DEFAULT },
        'log-format': { type: 'string', default: 'ios' },
        queue: { type: 'string', default: '0' },
        'install-rules': { type: 'boolean', default: false },
      },
    }),
  );
  const logFormat = values['log-format'];
  if (logFormat !== 'ios' && logFormat !== 'json') throw new UsageError('--log-format is ios or json');
  return {
    config: values.config,
    control: values.control,
    stateDir: values['state-dir'],
    logFormat,
    queue: queueNumber(values.queue),
    installRules: values['install-rules'],
  };
}

export interface RulesOptions {
  readonly action: 'print' | 'install' | 'remove';
  readonly config: string;
  readonly queue: number;
}

export function parseRulesOptions(argv: readonly string[]): RulesOptions {
  const { values, positionals } = strictly(() =>
    parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        config: { type: 'string', default: CONFIGURATION_FILE_DEFAULT },
        queue: { type: 'string', default: '0' },
      },
    }),
  );
  const [action, ...rest] = positionals;
  if ((action !== 'print' && action !== 'install' && action !== 'remove') || rest.length > 0) {
    throw new UsageError('usage: postern rules {print|install|remove} [--config FILE] [--queue FIRST]');
  }
  return { action, config: values.config, queue: queueNumber(values.queue) };
}

export interface ReplayOptions {
  readonly capture: string;
  readonly config: string;
  readonly json: boolean;
  readonly write?: string;
}

export function parseReplayOptions(argv: readonly string[]): ReplayOptions {
  const { values, positionals } = strictly(() =>
    parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        config: { type: 'string', default: CONFIGURATION_FILE_DEFAULT },
        json: { type: 'boolean', default: false },
        write: { type: 'string' },
      },
    }),
  );
  const [capture, ...rest] = positionals;
  if (capture === undefined || rest.length > 0) {
    throw new UsageError('usage: postern replay CAPTURE --config FILE [--json] [--write OUT]');
  }
  const { config, json, write } = values;
  return { capture, config, json, ...(write === undefined ? {} : { write }) };
}

function queueNumber(text: string): number {
  const queue = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(queue <= QUEUE_NUMBER_MAX)) throw new UsageError(`--queue takes a number from 0 to ${QUEUE_NUMBER_MAX}`);
  return queue;
}

/** parseArgs throws TypeErrors with a sentence; here they are the user's mistakes. */
function strictly<Result>(parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
