import type { Arguments } from '../language/match.ts';
import type { InterfaceConfiguration } from '../policy/configuration.ts';
import type { ConfigCommand } from './config-command.ts';
import { ruleName } from './config-inspect-name.ts';
import { type Draft, fail, GLOBAL_MODE, markOrigin, note } from './draft.ts';
import { put, without } from './lists.ts';
import { inspectConflict, zoneConflict } from './zone-restrictions.ts';

const ACL = '<(1-199)|(1300-2699)|ACL>$list';

const HELP: Readonly<Record<string, string>> = {
  interface: 'An interface, or `any` for all of them',
  NAME: 'Name of the interface, as Linux has it',
  inspect: 'Inspect the sessions that begin in this direction',
  name: 'Accepted for `ip inspect RULE in`',
  RULE: 'Name of the inspection rule',
  'zone-member': 'The zone of the interface',
  security: 'For the firewall',
  ZONE: 'Name of the zone',
  'access-group': 'Filter packets with an access list',
  list: 'Number or name of the access list',
};

/** `interface` and what may stand under it (cisco-ios 1.3). */
export const INTERFACE_COMMANDS: readonly ConfigCommand[] = [
  {
    modes: ['global'],
    grammar: ['interface NAME [LINE]'],
    help: HELP,
    apply: enterInterface,
    print: ({ interfaces }) => interfaces.flatMap((entry) => [...interfaceLines(entry), '!']),
  },
  {
    modes: ['global'],
    grammar: ['no interface NAME'],
    help: HELP,
    apply: (draft, args) => {
      const interfaces = draft.configuration.interfaces.filter((entry) => entry.name !== args.text('NAME'));
      draft.configuration = { ...draft.configuration, interfaces };
    },
  },
  {
    modes: ['interface'],
    grammar: ['description LINE'],
    help: HELP,
    apply: (draft, args) => edit(draft, (entry) => ({ ...entry, description: args.text('LINE') })),
  },
  {
    modes: ['interface'],
    grammar: ['no description [LINE]'],
    help: HELP,
    apply: (draft) => edit(draft, (entry) => without(entry, 'description')),
  },
  {
    modes: ['interface'],
    grammar: ['ip inspect RULE <in|out>$direction', 'ip inspect name RULE <in|out>$direction'],
    help: HELP,
    apply: attachRule,
  },
  {
    modes: ['interface'],
    grammar: ['no ip inspect RULE <in|out>$direction', 'no ip inspect name RULE <in|out>$direction'],
    help: HELP,
    apply: (draft, args) => edit(draft, (entry) => without(entry, inspectKey(args))),
  },
  { modes: ['interface'], grammar: ['zone-member security ZONE'], help: HELP, apply: joinZone },
  {
    modes: ['interface'],
    grammar: ['no zone-member security [ZONE]'],
    help: HELP,
    apply: (draft) => edit(draft, (entry) => without(entry, 'zone')),
  },
  {
    modes: ['interface'],
    grammar: [`ip access-group ${ACL} <in|out>$direction`],
    help: HELP,
    apply: (draft, args) => {
      markOrigin(draft, accessUseKey(draft.mode.subject, args.text('direction')), args.column('list'));
      edit(draft, (entry) => ({ ...entry, [accessKey(args)]: args.text('list') }));
    },
  },
  {
    modes: ['interface'],
    grammar: [`no ip access-group [${ACL}] <in|out>$direction`],
    help: HELP,
    apply: (draft, args) => edit(draft, (entry) => without(entry, accessKey(args))),
  },
];

/** The key under which a rule's use is marked for the checks at the end. */
export function ruleUseKey(interfaceName: string, direction: string): string {
  return `interface ${interfaceName} inspect ${direction}`;
}

/** The key under which the use of an access list is marked, for the notice that it judges nothing. */
export function accessUseKey(interfaceName: string, direction: string): string {
  return `interface ${interfaceName} access-group ${direction}`;
}

/** The key under which the zone of an interface is marked for the checks at the end. */
export function memberKey(interfaceName: string): string {
  return `interface ${interfaceName} zone-member`;
}

function enterInterface(draft: Draft, args: Arguments): void {
  const name = readName(draft, args);
  if (name === undefined) return;
  const { interfaces } = draft.configuration;
  draft.mode = { kind: 'interface', subject: name, parent: GLOBAL_MODE };
  if (interfaces.some((entry) => entry.name === name)) return;
  draft.configuration = { ...draft.configuration, interfaces: [...interfaces, { name }] };
}

/** IOS lets a blank stand between type and number, and adds the kind of a serial link. */
function readName(draft: Draft, args: Arguments): string | undefined {
  const typed = args.text('NAME');
  const rest = args.text('LINE');
  if (/^\d[\d/.:]*$/.test(rest)) return `${typed}${rest}`;
  if (rest !== '' && rest !== 'point-to-point' && rest !== 'multipoint') {
    fail(draft, "% Invalid input detected at '^' marker.", args.column('LINE'));
    return undefined;
  }
  if (!/^\d+\//.test(typed)) return typed;
  return readBareNumber(draft, args, typed);
}

/** `interface 1/0` of the seed guide names its type nowhere: it means the one interface that ends so (D-08). */
function readBareNumber(draft: Draft, args: Arguments, typed: string): string | undefined {
  const { interfaces } = draft.configuration;
  const isTyped = (name: string): boolean => name.endsWith(typed) && /[A-Za-z]$/.test(name.slice(0, -typed.length));
  const ending = interfaces.map((entry) => entry.name).filter((name) => name === typed || isTyped(name));
  if (ending.length > 1) {
    fail(draft, `% Interface ${typed} may be any of ${ending.join(', ')}`, args.column('NAME'));
    return undefined;
  }
  const [name = typed] = ending;
  note(draft, `% notice: interface without a type, read as ${name}`, args.column('NAME'));
  return name;
}

function attachRule(draft: Draft, args: Arguments): void {
  const rule = ruleName(draft, args);
  if (args.has('name')) {
    const direction = args.text('direction');
    note(draft, `% notice: read as 'ip inspect ${rule} ${direction}', saved so`, args.column('name'));
  }
  const conflict = inspectConflict(current(draft), rule);
  if (conflict !== undefined) {
    fail(draft, conflict, args.column('RULE'));
    return;
  }
  markOrigin(draft, ruleUseKey(draft.mode.subject, args.text('direction')), args.column('RULE'));
  edit(draft, (entry) => ({ ...entry, [inspectKey(args)]: rule }));
}

/** An interface is in one zone, and `self` and `default` are not to be joined. */
function joinZone(draft: Draft, args: Arguments): void {
  const zone = args.text('ZONE');
  const entry = current(draft);
  const reserved = ['self', 'default'].includes(zone.toLowerCase());
  const taken = entry.zone !== undefined && entry.zone !== zone;
  const mistake = reserved
    ? `%Error: no interface can be a member of zone ${zone.toLowerCase()}`
    : taken
      ? `%Error: interface ${entry.name} is a member of zone ${entry.zone} already, remove it before ${zone}`
      : zoneConflict(entry, zone);
  if (mistake !== undefined) {
    fail(draft, mistake, args.column('ZONE'));
    return;
  }
  markOrigin(draft, memberKey(entry.name), args.column('ZONE'));
  edit(draft, (before) => ({ ...before, zone }));
}

function inspectKey(args: Arguments): 'inspectIn' | 'inspectOut' {
  return args.text('direction') === 'in' ? 'inspectIn' : 'inspectOut';
}

function accessKey(args: Arguments): 'accessGroupIn' | 'accessGroupOut' {
  return args.text('direction') === 'in' ? 'accessGroupIn' : 'accessGroupOut';
}

function current(draft: Draft): InterfaceConfiguration {
  const name = draft.mode.subject;
  return draft.configuration.interfaces.find((entry) => entry.name === name) ?? { name };
}

function edit(draft: Draft, change: (entry: InterfaceConfiguration) => InterfaceConfiguration): void {
  const { interfaces } = draft.configuration;
  const changed = put(interfaces, change(current(draft)), (entry) => entry.name === draft.mode.subject);
  draft.configuration = { ...draft.configuration, interfaces: changed };
}

function interfaceLines(entry: InterfaceConfiguration): readonly string[] {
  const lines = [`interface ${entry.name}`];
  if (entry.description !== undefined) lines.push(` description ${entry.description}`);
  if (entry.accessGroupIn !== undefined) lines.push(` ip access-group ${entry.accessGroupIn} in`);
  if (entry.accessGroupOut !== undefined) lines.push(` ip access-group ${entry.accessGroupOut} out`);
  if (entry.zone !== undefined) lines.push(` zone-member security ${entry.zone}`);
  if (entry.inspectIn !== undefined) lines.push(` ip inspect ${useWords(entry.inspectIn)} in`);
  if (entry.inspectOut !== undefined) lines.push(` ip inspect ${useWords(entry.inspectOut)} out`);
  return lines;
}

/** A rule that is called `name` can only be told from the keyword in the longer form. */
function useWords(rule: string): string {
  return rule.toLowerCase() === 'name' ? `name ${rule}` : rule;
}
