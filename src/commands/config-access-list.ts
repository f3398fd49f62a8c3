import type { Arguments } from '../language/match.ts';
import { ACCESS_LIST_NAME_CHARACTERS_MAX } from '../limits.ts';
import { printEntry } from '../policy/access-entry.ts';
import type { AccessEntry, AccessList } from '../policy/configuration.ts';
import { insertEntry, isSameEntry } from './access-entries.ts';
import { EXTENDED_ENTRY, readEntry, STANDARD_ENTRY } from './access-grammar.ts';
import type { ConfigCommand } from './config-command.ts';
import { type Draft, fail, GLOBAL_MODE } from './draft.ts';
import { put } from './lists.ts';

const STANDARD_NUMBER = '<(1-99)|(1300-1999)>$list';
const EXTENDED_NUMBER = '<(100-199)|(2000-2699)>$list';
const SEQUENCE = '[(1-2147483647)$sequence]';

const HELP: Readonly<Record<string, string>> = {
  'access-list': 'An access list',
  list: 'Number of the list: 1-99 and 1300-1999 standard, 100-199 and 2000-2699 extended',
  standard: 'By source address only',
  extended: 'By addresses, protocol and ports',
  NAME: 'Name of the list',
  permit: 'Let the packet pass',
  deny: 'Refuse the packet',
  remark: 'Words of your own',
  any: 'Every address',
  host: 'One address',
  established: 'Segments of an established connection',
  sequence: 'Place in the list',
};

/** Access lists: `access-list N …`, `ip access-list … NAME`. */
export const ACCESS_LIST_COMMANDS: readonly ConfigCommand[] = [
  {
    modes: ['global'],
    grammar: ['ip access-list <standard|extended>$kind NAME'],
    help: HELP,
    apply: enterList,
    print: ({ accessLists }) => accessLists.flatMap(listLines),
  },
  {
    modes: ['global'],
    grammar: ['no ip access-list <standard|extended> NAME', 'no access-list (1-2699)$NAME [LINE]'],
    help: HELP,
    apply: (draft, args) => {
      const accessLists = draft.configuration.accessLists.filter((list) => list.name !== args.text('NAME'));
      draft.configuration = { ...draft.configuration, accessLists };
    },
  },
  {
    modes: ['global'],
    grammar: [`access-list ${STANDARD_NUMBER} ${STANDARD_ENTRY}`],
    help: HELP,
    apply: (draft, args) => addNumbered(draft, args, 'standard'),
  },
  {
    modes: ['global'],
    grammar: [`access-list ${EXTENDED_NUMBER} ${EXTENDED_ENTRY}`],
    help: HELP,
    apply: (draft, args) => addNumbered(draft, args, 'extended'),
  },
  ...listMode('standard-access-list', STANDARD_ENTRY),
  ...listMode('extended-access-list', EXTENDED_ENTRY),
];

function listMode(mode: 'standard-access-list' | 'extended-access-list', entry: string): readonly ConfigCommand[] {
  return [
    {
      modes: [mode],
      grammar: [`${SEQUENCE} ${entry}`],
      help: HELP,
      apply: (draft, args) => add(draft, draft.mode.subject, args),
    },
    {
      modes: [mode],
      grammar: [`no ${SEQUENCE} ${entry}`, 'no (1-2147483647)$sequence'],
      help: HELP,
      apply: removeEntry,
    },
  ];
}

function enterList(draft: Draft, args: Arguments): void {
  const name = args.text('NAME');
  // The name stands in the comments of the kernel's rules, which have room for so much.
  if (!/^[!-~]+$/.test(name) || name.length > ACCESS_LIST_NAME_CHARACTERS_MAX) {
    const message = `% The name of a list has at most ${ACCESS_LIST_NAME_CHARACTERS_MAX} characters, all of them ASCII`;
    fail(draft, message, args.column('NAME'));
    return;
  }
  const kind = args.text('kind') === 'standard' ? 'standard' : 'extended';
  const existing = draft.configuration.accessLists.find((list) => list.name === name);
  if (existing !== undefined && existing.kind !== kind) {
    fail(draft, `% Access list ${name} is ${existing.kind}`, args.column('NAME'));
    return;
  }
  if (isNumbered(name) && kindOfNumber(Number(name)) !== kind) {
    fail(draft, `% ${name} is not the number of a list that is ${kind}`, args.column('NAME'));
    return;
  }
  if (existing === undefined) replace(draft, { name, kind, entries: [] });
  draft.mode = { kind: `${kind}-access-list`, subject: name, parent: GLOBAL_MODE };
}

function addNumbered(draft: Draft, args: Arguments, kind: AccessList['kind']): void {
  const name = String(args.number('list'));
  if (!draft.configuration.accessLists.some((list) => list.name === name)) replace(draft, { name, kind, entries: [] });
  add(draft, name, args);
}

function add(draft: Draft, name: string, args: Arguments): void {
  const list = draft.configuration.accessLists.find((candidate) => candidate.name === name);
  const entry = readEntry(draft, args);
  if (list === undefined || entry === undefined) return;
  const entries = insertEntry(list.entries, entry);
  if (typeof entries === 'string') {
    const message =
      entries === 'taken' ? '% Duplicate sequence number' : '% No sequence number is left behind the last one';
    fail(draft, message, args.column('sequence'));
    return;
  }
  replace(draft, { ...list, entries });
}

function removeEntry(draft: Draft, args: Arguments): void {
  const list = draft.configuration.accessLists.find((candidate) => candidate.name === draft.mode.subject);
  if (list === undefined) return;
  const bySequence = args.has('sequence');
  const entry = bySequence ? undefined : readEntry(draft, args);
  if (!bySequence && entry === undefined) return;
  const kept = list.entries.filter((other) =>
    entry === undefined ? other.sequence !== args.number('sequence') : !isSameEntry(other, entry),
  );
  replace(draft, { ...list, entries: kept });
}

function replace(draft: Draft, list: AccessList): void {
  const accessLists = put(draft.configuration.accessLists, list, (other) => other.name === list.name);
  draft.configuration = { ...draft.configuration, accessLists };
}

function isNumbered(name: string): boolean {
  return /^\d+$/.test(name);
}

function kindOfNumber(number: number): AccessList['kind'] | undefined {
  if ((number >= 1 && number <= 99) || (number >= 1300 && number <= 1999)) return 'standard';
  if ((number >= 100 && number <= 199) || (number >= 2000 && number <= 2699)) return 'extended';
  return undefined;
}

/** A numbered list without numbers in its entries is saved line by line, any other under a header. */
function listLines(list: AccessList): readonly string[] {
  const plain = list.entries.length > 0 && list.entries.every((entry) => entry.sequence === undefined);
  if (isNumbered(list.name) && plain)
    return list.entries.map((entry) => `access-list ${list.name} ${line(list, entry)}`);
  return [`ip access-list ${list.kind} ${list.name}`, ...list.entries.map((entry) => ` ${line(list, entry)}`), '!'];
}

function line(list: AccessList, entry: AccessEntry): string {
  const sequence = entry.sequence === undefined ? '' : `${entry.sequence} `;
  return `${sequence}${printEntry(list.kind, entry)}`;
}
