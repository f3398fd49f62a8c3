import type { Configuration, PortMap } from '../policy/configuration.ts';
import { SYSTEM_PORTS } from '../policy/ports.ts';
import { done, type ExecCommand, type ExecResult } from './exec-command.ts';

const HELP: Readonly<Record<string, string>> = {
  show: 'Show what is',
  'port-map': 'Ports and the applications expected there',
  NAME: 'The application',
};

/** `show ip port-map`. */
export const SHOW_MAP_COMMANDS: readonly ExecCommand[] = [
  {
    grammar: ['show ip port-map [NAME]'],
    help: HELP,
    run: async ({ configuration }, args) => showPortMaps(configuration, args.text('NAME')),
  },
];

function showPortMaps({ portMaps }: Configuration, application: string): ExecResult {
  const system = SYSTEM_PORTS.map(
    ({ port, protocol }): PortMap => ({ application: protocol, transport: 'tcp', from: port, to: port }),
  );
  const entries = [
    ...system.map((map) => ({ ...map, system: true })),
    ...portMaps.map((map) => ({ ...map, system: false })),
  ].filter((map) => application === '' || map.application === application);
  const lines = entries.map((map) => {
    const ports = map.from === map.to ? `port ${map.from}` : `port from ${map.from} to ${map.to}`;
    const kind = map.list === undefined ? 'Default mapping:' : `Host specific (ACL ${map.list}):`;
    const by = map.system ? 'system defined' : 'user defined';
    return `${kind}  ${map.application.padEnd(20)} ${`${map.transport} ${ports}`.padEnd(34)} ${by}`;
  });
  return done(lines, entries);
}
