import { done, type ExecCommand, failed } from './exec-command.ts';
import type { ExecContext } from './exec-context.ts';

const HELP: Readonly<Record<string, string>> = {
  clear: 'End or reset something',
  'zone-pair': 'Counters and sessions of zone-pairs',
  counter: 'What their classes met',
  inspect: 'What is inspected',
  sessions: 'End the sessions, also `session`',
  'policy-firewall': 'The zone firewall',
  NAME: 'Name of one zone-pair',
};

/** `clear zone-pair [NAME] {counter | inspect session}` (cisco-ios 5.10). */
export const CLEAR_ZONE_COMMANDS: readonly ExecCommand[] = [
  {
    grammar: ['clear zone-pair [NAME] counter'],
    help: HELP,
    run: async (context, args) => {
      const name = args.has('NAME') ? args.text('NAME') : undefined;
      if (isUnknown(context, name)) return failed(`% Zone-pair ${name} is not defined`);
      await context.clearPolicyStatistics?.(name);
      return done([], {});
    },
  },
  {
    grammar: ['clear zone-pair [NAME] inspect sessions', 'clear policy-firewall sessions [zone-pair NAME]'],
    help: HELP,
    run: async (context, args) => {
      const name = args.has('NAME') ? args.text('NAME') : undefined;
      if (isUnknown(context, name)) return failed(`% Zone-pair ${name} is not defined`);
      return done([], { cleared: (await context.clearZoneSessions?.(name)) ?? 0 });
    },
  },
];

function isUnknown({ configuration }: ExecContext, name: string | undefined): boolean {
  return name !== undefined && configuration.zonePairs.every((pair) => pair.name !== name);
}
