import type { BlockedHost } from '../firewall/snapshot.ts';
import type { Configuration, InspectionRule } from '../policy/configuration.ts';
import { effectiveGlobals, effectiveInspection, findRule } from '../policy/defaults.ts';
import { done, type ExecCommand, failed } from './exec-command.ts';
import { configLines, interfacesLines, ruleLines } from './format-inspect.ts';
import { connectionStatistics, mibLines } from './format-mib.ts';
import { sessionsLines } from './format-sessions.ts';
import { statisticsLines } from './format-statistics.ts';
import { formatAge } from './format-time.ts';

const HELP: Readonly<Record<string, string>> = {
  show: 'Show what is',
  inspect: 'The mail inspection',
  config: 'Thresholds, timeouts and rules as they hold',
  interfaces: 'Rules and access lists of the interfaces',
  sessions: 'Sessions, also `session`',
  sis: 'Sessions, as IOS calls them inside',
  detail: 'With ages and bytes',
  name: 'One inspection rule',
  RULE: 'Name of the rule',
  statistics: 'Counters',
  mib: 'Counters by the objects of the firewall MIB',
  'connection-statistics': 'Connections attempted, declined, half-open and active',
  global: 'Of the whole router',
  'blocked-hosts': 'Hosts that new connections are kept from (tcp max-incomplete host, block-time)',
  all: 'Configuration, interfaces and sessions',
};

/** `show ip inspect …` (cisco-ios 5.1 to 5.7). */
export const SHOW_INSPECT_COMMANDS: readonly ExecCommand[] = [
  {
    grammar: ['show ip inspect config'],
    help: HELP,
    run: async ({ configuration }) => done(configLines(configuration), configData(configuration)),
  },
  {
    grammar: ['show ip inspect interfaces'],
    help: HELP,
    run: async ({ configuration }) => done(interfacesLines(configuration), configuration.interfaces),
  },
  {
    grammar: ['show ip inspect <sessions|sis> [detail]'],
    help: HELP,
    run: async (context, args) => {
      const sessions = await context.sessions();
      return done(sessionsLines(sessions, args.has('detail'), context.unlistedHalfOpen()), sessions);
    },
  },
  {
    grammar: ['show ip inspect name RULE'],
    help: HELP,
    run: async ({ configuration }, args) => {
      const rule = findRule(configuration, args.text('RULE'));
      if (rule === undefined) return failed(`% Inspection rule ${args.text('RULE')} is not defined`);
      return done(ruleLines(configuration, rule), ruleData(configuration, rule));
    },
  },
  {
    grammar: ['show ip inspect statistics'],
    help: HELP,
    run: async (context) => {
      const statistics = await context.statistics();
      return done(statisticsLines(statistics, context.configuration), statistics);
    },
  },
  {
    grammar: ['show ip inspect mib connection-statistics [global]'],
    help: HELP,
    run: async (context) => {
      const statistics = await context.statistics();
      return done(mibLines(statistics), connectionStatistics(statistics));
    },
  },
  {
    grammar: ['show ip inspect blocked-hosts'],
    help: HELP,
    run: async (context) => {
      const hosts = context.blockedHosts();
      return done(hosts.map(blockedHostLine), hosts);
    },
  },
  {
    grammar: ['show ip inspect all'],
    help: HELP,
    run: async (context) => {
      const { configuration } = context;
      const sessions = await context.sessions();
      const lines = [
        ...configLines(configuration),
        ...interfacesLines(configuration),
        ...sessionsLines(sessions, false, context.unlistedHalfOpen()),
      ];
      const data = { config: configData(configuration), interfaces: configuration.interfaces, sessions };
      return done(lines, data);
    },
  },
];

function blockedHostLine({ address, blockedSeconds, remainingSeconds }: BlockedHost): string {
  return ` Host ${address} blocked for ${formatAge(blockedSeconds)}, ${formatAge(remainingSeconds)} left`;
}

function configData(configuration: Configuration): unknown {
  return {
    defaults: configuration.postern.defaults ?? 'classic',
    ...effectiveGlobals(configuration),
    rules: configuration.rules.map((rule) => ruleData(configuration, rule)),
  };
}

function ruleData(configuration: Configuration, rule: InspectionRule): unknown {
  const protocols = rule.protocols.map((entry) => ({ ...entry, ...effectiveInspection(configuration, entry) }));
  return { ...rule, protocols };
}
