import { done, type ExecCommand, type ExecResult, failed } from './exec-command.ts';
import { printConfiguration } from './print-configuration.ts';

const HELP: Readonly<Record<string, string>> = {
  clear: 'End or reset something',
  inspect: 'The mail inspection',
  sessions: 'Sessions, also `session`',
  all: 'All of them',
  ID: 'The number that `show ip inspect sessions` prints',
  statistics: 'Counters',
  'blocked-hosts': 'Hosts that new connections are kept from (tcp max-incomplete host, block-time)',
  ADDRESS: 'The address of a host, as `show ip inspect blocked-hosts` prints it',
  write: 'Save the configuration in force',
  memory: 'Into the configuration file',
  copy: 'Copy a configuration',
  'running-config': 'The configuration in force',
  'startup-config': 'The configuration file',
};

/** Exec commands that change something: sessions, counters, the configuration file. */
export const CLEAR_COMMANDS: readonly ExecCommand[] = [
  {
    grammar: ['clear ip inspect sessions <all|ID>$id'],
    help: HELP,
    run: async (context, args) => {
      const typed = args.text('id');
      const id = args.has('all') ? 'all' : typed.toUpperCase();
      const cleared = await context.clearSessions(id);
      return id !== 'all' && cleared === 0 ? failed(`% No session ${id}`) : done([], { cleared });
    },
  },
  {
    grammar: ['clear ip inspect statistics'],
    help: HELP,
    run: async (context) => {
      await context.clearStatistics();
      return done([], {});
    },
  },
  {
    grammar: ['clear ip inspect blocked-hosts <all|ADDRESS>$host'],
    help: HELP,
    run: async (context, args) => {
      const host = args.has('all') ? 'all' : args.text('host');
      const unblocked = context.unblock(host);
      return host !== 'all' && unblocked === 0 ? failed(`% ${host} is not blocked`) : done([], { unblocked });
    },
  },
  {
    grammar: ['write [memory]', 'copy running-config startup-config'],
    help: HELP,
    run: async (context) => answer(await context.save(printConfiguration(context.configuration))),
  },
  {
    grammar: ['copy startup-config running-config'],
    help: HELP,
    run: async (context) => answer(await context.reload()),
  },
];

function answer(errors: readonly string[]): ExecResult {
  return errors.length === 0 ? done(['Building configuration...', '[OK]'], {}) : failed(errors.join('\n'));
}
