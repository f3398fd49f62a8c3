import type { Arguments } from '../language/match.ts';
import type { Configuration, InspectGlobals } from '../policy/configuration.ts';
import type { ConfigCommand } from './config-command.ts';
import { type Draft, note, noteOnce } from './draft.ts';
import { without } from './lists.ts';
import { settleThresholds, type ThresholdKey } from './thresholds.ts';

/** Names of the fields whose value is a number, and of those that are switches. */
type NumberKey = {
  [Key in keyof InspectGlobals]-?: NonNullable<InspectGlobals[Key]> extends number ? Key : never;
}[keyof InspectGlobals];
type FlagKey = Exclude<keyof InspectGlobals, NumberKey>;

const VRF = '[vrf NAME]';
const TIME = '(1-2147483)$value';
const COUNT = '(1-2147483647)$value';

const HELP: Readonly<Record<string, string>> = {
  'max-incomplete': 'Half-open sessions at which to become aggressive and calm again',
  'one-minute': 'New sessions a minute at which to become aggressive and calm again',
  high: 'Become aggressive above this number',
  low: 'Calm down below this number',
  'tcp max-incomplete': 'Half-open connections to one host',
  host: 'Half-open connections to one host',
  'block-time': 'Minutes for which new connections to the host are refused',
  'synwait-time': 'Time to establish a connection',
  'finwait-time': 'Time to close a connection',
  'idle-time': 'Time without a packet after which a session ends',
  'dns-timeout': 'Idle time of a DNS look-up',
  sessions: 'Sessions',
  maximum: 'The most sessions of all rules together',
  'half-open': 'Sessions that are not established in time',
  'half-close': 'Sessions that are not closed in time',
  idle: 'Sessions without a packet for too long',
  reset: 'The RST to both ends when the time is over',
  'hashtable-size': 'Size of the session table',
  reassembly: 'Segments that arrive out of order',
  queue: 'Segments waiting in one direction of a session',
  length: 'Segments',
  memory: 'Memory for waiting segments',
  limit: 'Kilobytes',
  alarm: 'Tell when waiting segments are dropped',
  'alert-off': 'Switch the alerts off',
  'window-scale-enforcement': 'Check of the window scale option',
  loose: 'Let a missing option pass',
  'block-non-session': 'Refuse packets that belong to no session',
  'drop-pkt': 'Log dropped packets',
  value: 'Value',
};

const RESET_HELP = { ...HELP, off: 'Forget a session whose time is over without an RST to its ends' };

/** `ip inspect …` without a rule name (cisco-ios 1.2), in the order in which IOS saves them. */
export const INSPECT_GLOBAL_COMMANDS: readonly ConfigCommand[] = [
  ...flag('ip inspect audit-trail', 'auditTrail'),
  ...flag('ip inspect alert-off', 'alertOff'),
  ...threshold('ip inspect max-incomplete low', 'maxIncompleteLow'),
  ...threshold('ip inspect max-incomplete high', 'maxIncompleteHigh'),
  ...threshold('ip inspect one-minute low', 'oneMinuteLow'),
  ...threshold('ip inspect one-minute high', 'oneMinuteHigh'),
  ...number('ip inspect sessions maximum', COUNT, 'sessionsMaximum'),
  ...number('ip inspect dns-timeout', TIME, 'dnsTimeoutSeconds'),
  ...number('ip inspect tcp idle-time', TIME, 'tcpIdleTimeSeconds'),
  ...number('ip inspect udp idle-time', TIME, 'udpIdleTimeSeconds'),
  ...number('ip inspect icmp idle-time', TIME, 'icmpIdleTimeSeconds'),
  ...number('ip inspect tcp finwait-time', TIME, 'tcpFinwaitTimeSeconds'),
  ...number('ip inspect tcp synwait-time', TIME, 'tcpSynwaitTimeSeconds'),
  ...flag('ip inspect tcp half-open reset off', 'tcpHalfOpenResetOff', RESET_HELP),
  ...flag('ip inspect tcp half-close reset off', 'tcpHalfCloseResetOff', RESET_HELP),
  ...flag('ip inspect tcp idle reset off', 'tcpIdleResetOff', RESET_HELP),
  ...hostLimit(),
  ...reassembly(),
  ...number('ip inspect hashtable-size', '<1024|2048|4096|8192>$value', 'hashtableSize'),
  ...flag('ip inspect tcp window-scale-enforcement loose', 'windowScaleLoose'),
  ...flag('ip inspect tcp block-non-session', 'blockNonSession'),
  ...flag('ip inspect log drop-pkt', 'logDropPackets'),
  {
    modes: ['global'],
    grammar: ['ip inspect L2-transparent dhcp-passthrough', 'no ip inspect L2-transparent dhcp-passthrough'],
    help: HELP,
    apply: (draft) => noteOnce(draft, 'l2', '% notice: L2-transparent has no meaning here and was ignored'),
  },
];

function edit(draft: Draft, change: Partial<InspectGlobals>): void {
  draft.configuration = { ...draft.configuration, inspect: { ...draft.configuration.inspect, ...change } };
}

function clear(draft: Draft, ...keys: (keyof InspectGlobals)[]): void {
  draft.configuration = { ...draft.configuration, inspect: without(draft.configuration.inspect, ...keys) };
}

/** IOS grows its table of sessions by this; ours has its full size from the start. */
function noteHashtable(draft: Draft, key: keyof InspectGlobals): void {
  if (key !== 'hashtableSize') return;
  noteOnce(draft, key, '% notice: hashtable-size changes nothing: the session table has its full size from the start');
}

/** IOS has one set of globals a routing table (D-06); we have one table. */
function ignoreVrf(draft: Draft, args: Arguments): void {
  if (args.has('vrf')) note(draft, '% notice: vrf is ignored, the line holds for every session', args.column('vrf'));
}

function flag(line: string, key: FlagKey, help = HELP): readonly ConfigCommand[] {
  return [
    {
      modes: ['global'],
      grammar: [`${line} ${VRF}`],
      help,
      apply: (draft, args) => {
        ignoreVrf(draft, args);
        edit(draft, { [key]: true });
      },
      print: ({ inspect }) => (inspect[key] === true ? [line] : []),
    },
    {
      modes: ['global'],
      grammar: [`no ${line} ${VRF}`],
      help,
      apply: (draft) => clear(draft, key),
    },
  ];
}

function number(line: string, value: string, key: NumberKey): readonly ConfigCommand[] {
  return [
    {
      modes: ['global'],
      grammar: [`${line} ${value} ${VRF}`],
      help: HELP,
      apply: (draft, args) => {
        ignoreVrf(draft, args);
        edit(draft, { [key]: args.number('value') });
        noteHashtable(draft, key);
      },
      print: (configuration) => printNumber(configuration, line, key),
    },
    {
      modes: ['global'],
      grammar: [`no ${line} [${value}] ${VRF}`],
      help: HELP,
      apply: (draft) => clear(draft, key),
    },
  ];
}

function threshold(line: string, key: ThresholdKey): readonly ConfigCommand[] {
  const settle = (draft: Draft, typed: ThresholdKey | undefined): void => {
    const settled = settleThresholds(draft.configuration, typed);
    draft.configuration = settled.configuration;
    for (const message of settled.messages) note(draft, message);
  };
  return [
    {
      modes: ['global'],
      grammar: [`${line} ${COUNT} ${VRF}`],
      help: HELP,
      apply: (draft, args) => {
        ignoreVrf(draft, args);
        edit(draft, { [key]: args.number('value') });
        settle(draft, key);
      },
      print: (configuration) => printNumber(configuration, line, key),
    },
    {
      modes: ['global'],
      grammar: [`no ${line} [${COUNT}] ${VRF}`],
      help: HELP,
      apply: (draft) => {
        clear(draft, key);
        settle(draft, key);
      },
    },
  ];
}

function hostLimit(): readonly ConfigCommand[] {
  const line = 'ip inspect tcp max-incomplete host';
  return [
    {
      modes: ['global'],
      grammar: [`${line} (1-4294967295)$value [block-time (0-35791)$minutes] ${VRF}`],
      help: HELP,
      apply: (draft, args) => {
        ignoreVrf(draft, args);
        clear(draft, 'tcpBlockTimeMinutes');
        edit(draft, { tcpMaxIncompleteHost: args.number('value') });
        if (args.has('minutes')) edit(draft, { tcpBlockTimeMinutes: args.number('minutes') });
      },
      print: ({ inspect: { tcpMaxIncompleteHost: count, tcpBlockTimeMinutes: minutes } }) =>
        count === undefined ? [] : [`${line} ${count}${minutes === undefined ? '' : ` block-time ${minutes}`}`],
    },
    {
      modes: ['global'],
      grammar: [`no ${line} [(1-4294967295)$value] [block-time (0-35791)$minutes] ${VRF}`],
      help: HELP,
      apply: (draft) => clear(draft, 'tcpMaxIncompleteHost', 'tcpBlockTimeMinutes'),
    },
  ];
}

const REASSEMBLY = {
  'queue length': 'reassemblyQueueLength',
  timeout: 'reassemblyTimeoutSeconds',
  'memory limit': 'reassemblyMemoryLimitKilobytes',
} as const;

function reassembly(): readonly ConfigCommand[] {
  const options =
    '{queue length (0-1024)$packets|timeout (1-3600)$seconds|memory limit (1-4194303)$kilobytes|alarm <on|off>$state}';
  return [
    {
      modes: ['global'],
      grammar: [`ip inspect tcp reassembly ${options} ${VRF}`],
      help: HELP,
      apply: (draft, args) => {
        ignoreVrf(draft, args);
        if (args.has('packets')) edit(draft, { reassemblyQueueLength: args.number('packets') });
        if (args.has('seconds')) edit(draft, { reassemblyTimeoutSeconds: args.number('seconds') });
        if (args.has('kilobytes')) edit(draft, { reassemblyMemoryLimitKilobytes: args.number('kilobytes') });
        if (args.has('state')) edit(draft, { reassemblyAlarm: args.text('state') === 'on' });
      },
      print: ({ inspect }) => {
        const words = Object.entries(REASSEMBLY).flatMap(([word, key]) =>
          inspect[key] === undefined ? [] : [`${word} ${inspect[key]}`],
        );
        if (inspect.reassemblyAlarm !== undefined) words.push(`alarm ${inspect.reassemblyAlarm ? 'on' : 'off'}`);
        return words.length === 0 ? [] : [`ip inspect tcp reassembly ${words.join(' ')}`];
      },
    },
    {
      modes: ['global'],
      grammar: ['no ip inspect tcp reassembly [<queue length|timeout|memory limit|alarm>$option [LINE]]'],
      help: HELP,
      apply: (draft, args) => {
        const option = args.text('option');
        for (const [word, key] of Object.entries(REASSEMBLY)) if (option === '' || option === word) clear(draft, key);
        if (option === '' || option === 'alarm') clear(draft, 'reassemblyAlarm');
      },
    },
  ];
}

function printNumber({ inspect }: Configuration, line: string, key: NumberKey): readonly string[] {
  return inspect[key] === undefined ? [] : [`${line} ${inspect[key]}`];
}
