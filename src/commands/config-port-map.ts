import type { Arguments } from '../language/match.ts';
import type { PortMap } from '../policy/configuration.ts';
import { SYSTEM_PORTS } from '../policy/ports.ts';
import type { ConfigCommand } from './config-command.ts';
import { type Draft, fail, noteOnce } from './draft.ts';
import { MAIL_PROTOCOLS, OTHER_PROTOCOLS, protocolChoice, TLS_PROTOCOLS } from './protocols.ts';

const APPLICATION = protocolChoice(MAIL_PROTOCOLS, TLS_PROTOCOLS, OTHER_PROTOCOLS);
const LINE_GRAMMAR =
  `ip port-map ${APPLICATION}$application port [<tcp|udp>$transport] ` +
  '<from (1-65535)$firstPort to (1-65535)$lastPort|(1-65535)$portNumber> [list ACL] [description LINE]';

const HELP: Readonly<Record<string, string>> = {
  'port-map': 'Ports on which an application is expected',
  application: 'Application',
  port: 'A port or a range of ports',
  from: 'First port of a range',
  to: 'Last port of a range',
  list: 'Only for the hosts of this standard access list',
  ACL: 'Number or name of the access list',
};

/** `ip port-map` (cisco-ios 1.1, PAM). */
export const PORT_MAP_COMMANDS: readonly ConfigCommand[] = [
  {
    modes: ['global'],
    grammar: [LINE_GRAMMAR],
    help: HELP,
    apply: addPortMap,
    print: ({ portMaps }) => portMaps.map(portMapLine),
  },
  { modes: ['global'], grammar: [`no ${LINE_GRAMMAR}`], help: HELP, apply: removePortMap },
];

function addPortMap(draft: Draft, args: Arguments): void {
  const map = readPortMap(args);
  if (map.from > map.to) {
    fail(draft, '% The first port is above the last one', portColumn(args));
    return;
  }
  const owner = SYSTEM_PORTS.find((entry) => entry.port >= map.from && entry.port <= map.to);
  if (map.transport === 'tcp' && owner !== undefined && !sameEngine(owner.protocol, map.application)) {
    const text = `% Port ${owner.port} is a system entry of ${owner.protocol} and cannot be mapped anew`;
    fail(draft, text, portColumn(args));
    return;
  }
  if (map.list !== undefined) {
    noteOnce(
      draft,
      'port-map list',
      '% notice: where generic tcp is inspected, a port map with a list holds for every host',
    );
  }
  if (![...MAIL_PROTOCOLS, ...TLS_PROTOCOLS].includes(map.application)) {
    noteOnce(draft, 'port-map other', `% notice: the port map of ${map.application} has no effect in this version`);
  }
  const others = draft.configuration.portMaps.filter((other) => !samePorts(other, map));
  draft.configuration = { ...draft.configuration, portMaps: [...others, map] };
}

/** System entries cannot be removed (cisco-ios 1.1). */
function removePortMap(draft: Draft, args: Arguments): void {
  const map = readPortMap(args);
  const kept = draft.configuration.portMaps.filter(
    (other) => !samePorts(other, map) || other.application !== map.application,
  );
  const system = SYSTEM_PORTS.some((entry) => entry.port === map.from && entry.protocol === map.application);
  if (kept.length === draft.configuration.portMaps.length && system && map.transport === 'tcp') {
    fail(draft, '% A system entry cannot be removed', portColumn(args));
    return;
  }
  draft.configuration = { ...draft.configuration, portMaps: kept };
}

function readPortMap(args: Arguments): PortMap {
  const single = !args.has('from');
  return {
    application: args.text('application'),
    transport: args.text('transport') === 'udp' ? 'udp' : 'tcp',
    from: single ? args.number('portNumber') : args.number('firstPort'),
    to: single ? args.number('portNumber') : args.number('lastPort'),
    ...(args.has('ACL') ? { list: args.text('ACL') } : {}),
    ...(args.has('LINE') ? { description: args.text('LINE') } : {}),
  };
}

function portColumn(args: Arguments): number {
  return args.column(args.has('portNumber') ? 'portNumber' : 'firstPort');
}

/** `smtp` and `esmtp` name one engine's port. */
function sameEngine(left: string, right: string): boolean {
  return left.replace('esmtp', 'smtp') === right.replace('esmtp', 'smtp');
}

function samePorts(left: PortMap, right: PortMap): boolean {
  const sameHosts = left.list === right.list;
  return sameHosts && left.transport === right.transport && left.from === right.from && left.to === right.to;
}

function portMapLine(map: PortMap): string {
  const ports = map.from === map.to ? String(map.from) : `from ${map.from} to ${map.to}`;
  const list = map.list === undefined ? '' : ` list ${map.list}`;
  const description = map.description === undefined ? '' : ` description ${map.description}`;
  return `ip port-map ${map.application} port ${map.transport} ${ports}${list}${description}`;
}
