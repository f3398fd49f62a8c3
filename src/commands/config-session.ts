import type { ConfigCommand } from './config-command.ts';
import { GLOBAL_MODE, type ModeKind } from './draft.ts';
import { without } from './lists.ts';

const SUB_MODES: readonly ModeKind[] = [
  'interface',
  'standard-access-list',
  'extended-access-list',
  'class-map',
  'smtp-class-map',
  'pop3-class-map',
  'imap-class-map',
  'policy-map',
  'policy-class',
  'application-policy-map',
  'application-policy-class',
  'inspect-parameter-map',
  'regex-parameter-map',
  'zone',
  'zone-pair',
];

/** What one types to move between modes, and the router's name. Files made of typed sessions carry these lines too. */
export const SESSION_COMMANDS: readonly ConfigCommand[] = [
  {
    modes: ['global'],
    grammar: ['enable', 'configure terminal'],
    help: {
      enable: 'Accepted and ignored in a file',
      configure: 'Enter the configuration mode',
      terminal: 'From here',
    },
    apply: () => {},
  },
  {
    modes: ['global', ...SUB_MODES],
    grammar: ['end'],
    help: { end: 'Leave the configuration mode' },
    apply: (draft) => {
      draft.mode = GLOBAL_MODE;
    },
  },
  {
    modes: ['global', ...SUB_MODES],
    grammar: ['exit', 'quit'],
    help: { exit: 'Leave this mode', quit: 'Leave this mode' },
    apply: (draft) => {
      draft.mode = draft.mode.parent ?? GLOBAL_MODE;
    },
  },
  {
    modes: ['global'],
    grammar: ['hostname NAME'],
    help: { hostname: "The router's name, as the prompt shows it", NAME: 'Name' },
    apply: (draft, args) => {
      draft.configuration = { ...draft.configuration, hostname: args.text('NAME') };
    },
    print: ({ hostname }) => (hostname === undefined ? [] : [`hostname ${hostname}`]),
  },
  {
    modes: ['global'],
    grammar: ['no hostname [NAME]'],
    help: { hostname: "The router's name, as the prompt shows it", NAME: 'Name' },
    apply: (draft) => {
      draft.configuration = without(draft.configuration, 'hostname');
    },
  },
];
