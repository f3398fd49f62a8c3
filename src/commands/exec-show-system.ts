import type { Statistics } from '../firewall/snapshot.ts';
import { effectivePostern } from '../policy/defaults.ts';
import { done, type ExecCommand } from './exec-command.ts';
import { formatAge } from './format-time.ts';
import { printConfiguration } from './print-configuration.ts';

const HELP: Readonly<Record<string, string>> = {
  show: 'Show what is',
  'running-config': 'The configuration in force',
  'startup-config': 'The configuration file',
  version: 'Version and time of running',
  postern: 'Postern itself',
  workers: 'Workers and their queues',
  status: 'Queues, failure behaviour and offloading as they hold',
};

/** `show` of the configuration, the program and its workers. */
export const SHOW_SYSTEM_COMMANDS: readonly ExecCommand[] = [
  {
    grammar: ['show running-config'],
    help: HELP,
    run: async ({ configuration }) => {
      const text = printConfiguration(configuration);
      const head = ['Building configuration...', '', `Current configuration : ${text.length} bytes`];
      return done([...head, text.trimEnd()], configuration);
    },
  },
  {
    grammar: ['show startup-config'],
    help: HELP,
    run: async (context) => {
      const text = await context.startupText();
      return done([text.trimEnd()], { file: context.configurationFile, text });
    },
  },
  {
    grammar: ['show version'],
    help: HELP,
    run: async (context) => {
      const { startedSecondsAgo } = await context.statistics();
      const name = context.configuration.hostname ?? 'Router';
      const lines = [
        `Postern, a packet-level mail firewall, Version ${context.version}`,
        `${name} uptime is ${formatAge(startedSecondsAgo)}`,
        `Configuration file is "${context.configurationFile}"`,
      ];
      return done(lines, { version: context.version, startedSecondsAgo, configurationFile: context.configurationFile });
    },
  },
  {
    grammar: ['show postern workers'],
    help: HELP,
    run: async (context) => {
      const { workers } = await context.statistics();
      return done(workerLines(workers), workers);
    },
  },
  {
    grammar: ['show postern status'],
    help: HELP,
    run: async (context) => {
      const options = effectivePostern(context.configuration);
      const { aggressive } = await context.statistics();
      const lines = [
        `Defaults profile is ${options.defaults}`,
        `Queues: ${options.queueCount === 0 ? 'one a CPU, four at most' : options.queueCount}, ` +
          `${options.queueLengthPackets} packets each`,
        `Without an answer packets ${options.fail === 'closed' ? 'are dropped (fail closed)' : 'pass unjudged (fail open)'}`,
        `Offloading of decided sessions is ${options.offload ? 'on' : 'off'}`,
        `Aggressive mode is ${aggressive ? 'on' : 'off'}`,
      ];
      return done(lines, { ...options, aggressive });
    },
  },
];

function workerLines(workers: Statistics['workers']): readonly string[] {
  const rows = workers.map((worker) => [worker.queue, `${worker.heartbeatAgeMs} ms`, worker.restarts].map(String));
  return columns([['Queue', 'Last heard', 'Restarts'], ...rows]);
}

/** Plain columns, two blanks apart: boxes would be in the way of grep and awk. */
function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
