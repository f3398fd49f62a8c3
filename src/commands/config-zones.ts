import type { ConfigCommand } from './config-command.ts';
import { fail } from './draft.ts';

const HELP: Readonly<Record<string, string>> = {
  zone: 'A zone of interfaces',
  'zone-pair': 'Policy from one zone to another',
  'zone-member': 'The zone of the interface',
  security: 'For the firewall',
};

/** A firewall that leaves out a policy lets pass what its administrator refused: zones are refused as a whole. */
export const ZONE_COMMANDS: readonly ConfigCommand[] = [
  {
    modes: ['global'],
    grammar: ['zone security LINE', 'zone-pair security LINE'],
    help: HELP,
    apply: (draft, args) => {
      fail(draft, `% zone policy is not supported yet: ${args.words.join(' ')}`);
      draft.mode = { kind: 'foreign', subject: '', parent: { kind: 'global', subject: '' } };
    },
  },
  {
    modes: ['interface'],
    grammar: ['zone-member security LINE'],
    help: HELP,
    apply: (draft, args) => fail(draft, `% zone policy is not supported yet: ${args.words.join(' ')}`),
  },
];
