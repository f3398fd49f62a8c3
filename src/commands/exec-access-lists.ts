import { type AccessRule, entryLabel, numberedRules, printAddress, printEntry } from '../policy/access-entry.ts';
import type { AccessList } from '../policy/configuration.ts';
import { done, type ExecCommand, failed } from './exec-command.ts';

const HELP: Readonly<Record<string, string>> = {
  show: 'Show what is',
  clear: 'End or reset something',
  'access-lists': 'Access lists, with what each entry decided',
  'access-list': 'Access lists',
  counters: 'What the entries decided',
  NAME: 'Name or number of one of them',
};

/** Access lists with the kernel's counters (`show ip access-lists`, `clear access-list counters`). */
export const ACCESS_LIST_EXEC_COMMANDS: readonly ExecCommand[] = [
  {
    grammar: ['show access-lists [NAME]', 'show ip access-lists [NAME]'],
    help: HELP,
    run: async ({ configuration, accessMatches }, args) => {
      const name = args.text('NAME');
      const lists = configuration.accessLists.filter((list) => name === '' || list.name === name);
      if (name !== '' && lists.length === 0) return failed(`% Access list ${name} is not defined`);
      const matches = (await accessMatches?.()) ?? new Map<string, number>();
      return done(
        lists.flatMap((list) => listLines(list, matches)),
        lists.map((list) => withMatches(list, matches)),
      );
    },
  },
  {
    grammar: ['clear access-list counters [NAME]', 'clear ip access-list counters [NAME]'],
    help: HELP,
    run: async ({ configuration, clearAccessMatches }, args) => {
      const name = args.has('NAME') ? args.text('NAME') : undefined;
      if (name !== undefined && configuration.accessLists.every((list) => list.name !== name)) {
        return failed(`% Access list ${name} is not defined`);
      }
      const cleared = (await clearAccessMatches?.(name)) ?? false;
      return done([], { cleared });
    },
  },
];

type Matches = ReadonlyMap<string, number>;

function listLines(list: AccessList, matches: Matches): readonly string[] {
  const title = list.kind === 'standard' ? 'Standard IP access list' : 'Extended IP access list';
  const lines = numberedRules(list).map(({ sequence, rule }) => {
    const count = matches.get(entryLabel(list, sequence, rule)) ?? 0;
    const tail = count === 0 ? '' : ` (${count} ${count === 1 ? 'match' : 'matches'})`;
    return `    ${sequence} ${shownEntry(list.kind, rule)}${tail}`;
  });
  return [`${title} ${list.name}`, ...lines];
}

/** Standard lists spell a range of addresses their own way. */
function shownEntry(kind: AccessList['kind'], rule: AccessRule): string {
  const address = printAddress(rule.source);
  if (kind === 'extended' || address === 'any' || address.startsWith('host ')) return printEntry(kind, rule);
  return `${rule.action} ${rule.source.address}, wildcard bits ${rule.source.wildcard}${rule.log ? ' log' : ''}`;
}

/** The list as it is configured, each entry that judges with its number and what it decided. */
function withMatches(list: AccessList, matches: Matches): unknown {
  const numbered = new Map(numberedRules(list).map(({ sequence, rule }) => [rule as unknown, sequence]));
  const entries = list.entries.map((entry) => {
    const sequence = numbered.get(entry);
    if (entry.kind === 'remark' || sequence === undefined) return entry;
    return { ...entry, sequence, matches: matches.get(entryLabel(list, sequence, entry)) ?? 0 };
  });
  return { ...list, entries };
}
