import type { Arguments } from '../language/match.ts';
import type { Configuration, InspectionRule, ProtocolInspection } from '../policy/configuration.ts';
import { TLS_VERSION_NAMES } from '../policy/defaults.ts';
import { isTransport } from '../policy/openings.ts';
import type { ConfigCommand } from './config-command.ts';
import { type Draft, fail, note, noteOnce } from './draft.ts';
import { LINE_HELP } from './line-options.ts';
import { put, without } from './lists.ts';
import { MAIL_PROTOCOLS, OTHER_PROTOCOLS, protocolChoice, TLS_PROTOCOLS } from './protocols.ts';

const LINE_ENDINGS = ['strict', 'normalize', 'tolerant'] as const;
const REQUIRED = ['auth', 'mail', 'login'] as const;
/** Longer names are cut, as IOS does. */
const RULE_NAME_CHARACTERS_MAX = 16;

const NAME = 'ip inspect name RULE';
const COMMON =
  'alert <on|off>$alertState|audit-trail <on|off>$auditState|router-traffic|timeout (1-2147483)$timeoutSeconds';
const TLS = 'tls minimum-version <1.0|1.1|1.2|1.3>$minimum';
const LINES = 'line-endings <strict|normalize|tolerant>$endings';
const LAYER_4_ONLY = OTHER_PROTOCOLS.filter((protocol) => protocol !== 'fragment');

const HELP: Readonly<Record<string, string>> = {
  name: 'Define an inspection rule, one line a protocol',
  RULE: 'Name of the rule, 16 characters at most',
  reset: 'Reset the connection on a command that is not allowed, instead of closing it in words',
  'secure-login': 'Refuse a login that would send its secret in clear',
  ...LINE_HELP,
  'max-data': 'Bytes of mail that one session may carry',
  'router-traffic': 'Inspect sessions of the router itself too',
  fragment: 'Fragments of packets',
  maximum: 'Fragmented packets waiting to be complete',
  parameter: 'Parameters of the rule',
  'max-sessions': 'Sessions of the rule at one time',
  protocol: 'Protocol to inspect',
};

/** `ip inspect name` (cisco-ios 1.1). */
export const INSPECT_NAME_COMMANDS: readonly ConfigCommand[] = [
  {
    modes: ['global'],
    grammar: [
      `${NAME} <smtp|esmtp>$protocol [{max-data (1-2147483647)$maxData|${LINES}|require-tls <auth|mail>$before|${TLS}|${COMMON}}]`,
      `${NAME} <pop3|imap>$protocol [{reset|secure-login|${LINES}|require-tls <login>$before|${TLS}|${COMMON}}]`,
      `${NAME} ${protocolChoice(TLS_PROTOCOLS)}$protocol [{${TLS}|${COMMON}}]`,
      `${NAME} ${protocolChoice(LAYER_4_ONLY)}$protocol [{${COMMON}}]`,
      `${NAME} fragment$protocol [{maximum (1-10000)$maximumCount|timeout (1-2147483)$timeoutSeconds}]`,
    ],
    help: HELP,
    apply: addProtocol,
    print: ({ rules }) => rules.flatMap(ruleLines),
  },
  {
    modes: ['global'],
    grammar: [`${NAME} parameter max-sessions (1-2147483647)$count`],
    help: HELP,
    apply: (draft, args) =>
      editRule(draft, ruleName(draft, args), (rule) => ({ ...rule, maxSessions: args.number('count') })),
  },
  {
    modes: ['global'],
    grammar: [
      `no ${NAME} [${protocolChoice(MAIL_PROTOCOLS, TLS_PROTOCOLS, OTHER_PROTOCOLS)}$protocol [LINE]]`,
      `no ${NAME} parameter max-sessions$maxSessions [(1-2147483647)$count]`,
    ],
    help: HELP,
    apply: removeProtocol,
  },
  {
    modes: ['global'],
    grammar: ['no ip inspect'],
    help: HELP,
    apply: (draft) => {
      const interfaces = draft.configuration.interfaces.map((entry) => without(entry, 'inspectIn', 'inspectOut'));
      draft.configuration = { ...draft.configuration, inspect: {}, rules: [], interfaces };
    },
  },
];

/** The rule's name as it is kept: cut to IOS's length. */
export function ruleName(draft: Draft, args: Arguments): string {
  const typed = args.text('RULE');
  if (typed.length <= RULE_NAME_CHARACTERS_MAX) return typed;
  const cut = typed.slice(0, RULE_NAME_CHARACTERS_MAX);
  note(draft, `% notice: rule names have ${RULE_NAME_CHARACTERS_MAX} characters, read as ${cut}`, args.column('RULE'));
  return cut;
}

function addProtocol(draft: Draft, args: Arguments): void {
  const protocol = args.text('protocol');
  const column = args.column('protocol');
  const name = ruleName(draft, args);
  const existing = draft.configuration.rules.find((rule) => rule.name === name);
  if (conflicts(existing, protocol, 'smtp', 'esmtp')) {
    fail(draft, '% ESMTP cannot coexist with SMTP, please unconfigure SMTP and try again...', column);
    return;
  }
  if (conflicts(existing, protocol, 'esmtp', 'smtp')) {
    fail(draft, '% SMTP cannot coexist with ESMTP, please unconfigure ESMTP and try again...', column);
    return;
  }
  noteProtocol(draft, args, protocol);
  const inspection = readInspection(args, protocol);
  editRule(draft, name, (rule) => ({
    ...rule,
    protocols: put(rule.protocols, inspection, (other) => other.protocol === protocol),
  }));
}

function conflicts(rule: InspectionRule | undefined, typed: string, present: string, added: string): boolean {
  return typed === added && (rule?.protocols.some((entry) => entry.protocol === present) ?? false);
}

function readInspection(args: Arguments, protocol: string): ProtocolInspection {
  const endings = LINE_ENDINGS.find((word) => args.has('endings') && word === args.text('endings'));
  const before = REQUIRED.find((word) => args.has('before') && word === args.text('before'));
  return {
    protocol,
    ...(args.has('alertState') ? { alert: args.text('alertState') === 'on' } : {}),
    ...(args.has('auditState') ? { auditTrail: args.text('auditState') === 'on' } : {}),
    ...(args.has('timeoutSeconds') ? { timeoutSeconds: args.number('timeoutSeconds') } : {}),
    ...(args.has('maxData') ? { maxDataBytes: args.number('maxData') } : {}),
    ...(args.has('reset') ? { reset: true } : {}),
    ...(args.has('secure-login') ? { secureLogin: true } : {}),
    ...(args.has('router-traffic') ? { routerTraffic: true } : {}),
    ...minimumVersion(args),
    ...(endings === undefined ? {} : { lineEndings: endings }),
    ...(before === undefined ? {} : { requireTls: before }),
    ...(args.has('maximumCount') ? { maximum: args.number('maximumCount') } : {}),
  };
}

function minimumVersion(args: Arguments): Pick<ProtocolInspection, 'tlsMinimumVersion'> {
  const version = TLS_VERSION_NAMES.find((name) => args.has('minimum') && name === args.text('minimum'));
  return version === undefined ? {} : { tlsMinimumVersion: version };
}

function noteProtocol(draft: Draft, args: Arguments, protocol: string): void {
  const column = args.column('timeoutSeconds');
  const seconds = args.number('timeoutSeconds');
  if (protocol !== 'fragment' && (seconds < 5 || seconds > 43_200)) {
    note(draft, '% notice: IOS takes a timeout of 5 to 43200 seconds', column);
  }
  if (TLS_PROTOCOLS.includes(protocol)) {
    noteOnce(
      draft,
      `tls ${protocol}`,
      `% notice: ${protocol} is encrypted, its sessions are read up to the beginning of TLS`,
    );
  } else if (protocol === 'fragment') {
    noteOnce(draft, 'fragment', '% notice: fragment inspection is accepted, not enforced by this version');
  } else if (!MAIL_PROTOCOLS.includes(protocol) && !isTransport(protocol)) {
    const text = 'inspection of protocols other than mail, tcp, udp and icmp';
    noteOnce(draft, 'other', `% notice: ${text} is accepted, not enforced by this version`);
  }
}

function removeProtocol(draft: Draft, args: Arguments): void {
  const name = args.text('RULE').slice(0, RULE_NAME_CHARACTERS_MAX);
  const rules = draft.configuration.rules.flatMap((rule) => {
    if (rule.name !== name) return [rule];
    if (args.has('maxSessions')) return keepUnlessEmpty(without(rule, 'maxSessions'));
    if (!args.has('protocol')) return [];
    const protocols = rule.protocols.filter((entry) => entry.protocol !== args.text('protocol'));
    return keepUnlessEmpty({ ...rule, protocols });
  });
  draft.configuration = { ...draft.configuration, rules };
}

/** A rule without any line is not there: IOS has no way to write it down. */
function keepUnlessEmpty(rule: InspectionRule): readonly InspectionRule[] {
  return rule.protocols.length === 0 && rule.maxSessions === undefined ? [] : [rule];
}

function editRule(draft: Draft, name: string, change: (rule: InspectionRule) => InspectionRule): void {
  const rules = draft.configuration.rules;
  const before = rules.find((rule) => rule.name === name) ?? { name, protocols: [] };
  draft.configuration = {
    ...draft.configuration,
    rules: put(rules, change(before), (rule) => rule.name === name),
  } satisfies Configuration;
}

function ruleLines(rule: InspectionRule): readonly string[] {
  const start = `ip inspect name ${rule.name}`;
  const parameter = rule.maxSessions === undefined ? [] : [`${start} parameter max-sessions ${rule.maxSessions}`];
  return [...parameter, ...rule.protocols.map((entry) => `${start} ${inspectionWords(entry)}`)];
}

/** The options in the order in which they are saved (D-02). */
function inspectionWords(entry: ProtocolInspection): string {
  const words: string[] = [entry.protocol];
  if (entry.maximum !== undefined) words.push(`maximum ${entry.maximum}`);
  if (entry.maxDataBytes !== undefined) words.push(`max-data ${entry.maxDataBytes}`);
  if (entry.reset === true) words.push('reset');
  if (entry.secureLogin === true) words.push('secure-login');
  if (entry.lineEndings !== undefined) words.push(`line-endings ${entry.lineEndings}`);
  if (entry.tlsMinimumVersion !== undefined) words.push(`tls minimum-version ${entry.tlsMinimumVersion}`);
  if (entry.requireTls !== undefined) words.push(`require-tls ${entry.requireTls}`);
  if (entry.alert !== undefined) words.push(`alert ${entry.alert ? 'on' : 'off'}`);
  if (entry.auditTrail !== undefined) words.push(`audit-trail ${entry.auditTrail ? 'on' : 'off'}`);
  if (entry.routerTraffic === true) words.push('router-traffic');
  if (entry.timeoutSeconds !== undefined) words.push(`timeout ${entry.timeoutSeconds}`);
  return words.join(' ');
}
