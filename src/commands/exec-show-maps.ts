import type { ClassMap, Configuration, PortMap } from '../policy/configuration.ts';
import { SYSTEM_PORTS } from '../policy/ports.ts';
import { done, type ExecCommand, type ExecResult, failed } from './exec-command.ts';

const HELP: Readonly<Record<string, string>> = {
  show: 'Show what is',
  'port-map': 'Ports and the applications expected there',
  'class-map': 'Classes of traffic',
  'parameter-map': 'Sets of parameters',
  NAME: 'Name or number of one of them',
};

/** `show` of what the configuration names: ports and maps (cisco-ios 5.10). */
export const SHOW_MAP_COMMANDS: readonly ExecCommand[] = [
  {
    grammar: ['show ip port-map [NAME]'],
    help: HELP,
    run: async ({ configuration }, args) => showPortMaps(configuration, args.text('NAME')),
  },
  {
    grammar: ['show class-map type inspect [NAME]'],
    help: HELP,
    run: async ({ configuration }, args) =>
      showNamed(configuration.classMaps, args.text('NAME'), 'Class map', classMapLines),
  },
  {
    grammar: ['show parameter-map type <inspect|regex>$kind [NAME]'],
    help: HELP,
    run: async ({ configuration }, args) => {
      const maps = configuration.parameterMaps.filter((map) => map.kind === args.text('kind'));
      return showNamed(maps, args.text('NAME'), 'Parameter map', (map) => [
        ` parameter-map type ${map.kind} ${map.name}`,
        ...map.lines.map((words) => `  ${words.join(' ')}`),
      ]);
    },
  },
];

/** All of a kind, or the one that was asked for. */
function showNamed<Named extends { readonly name: string }>(
  all: readonly Named[],
  name: string,
  what: string,
  print: (one: Named, index: number) => readonly string[],
): ExecResult {
  const wanted = name === '' ? all : all.filter((one) => one.name === name);
  if (name !== '' && wanted.length === 0) return failed(`% ${what} ${name} is not defined`);
  return done(
    wanted.flatMap((one) => print(one, all.indexOf(one))),
    wanted,
  );
}

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

function classMapLines(map: ClassMap, index: number): readonly string[] {
  const type = map.protocol === undefined ? '' : `${map.protocol} `;
  return [
    ` Class Map type inspect ${type}${map.combine} ${map.name} (id ${index + 1})`,
    ...map.matches.map(({ words: [kind = '', value = '', ...more] }) => {
      const blank = kind === 'access-group' && value !== 'name' ? '  ' : ' ';
      return `   Match ${kind}${blank}${[value, ...more].join(' ')}`.trimEnd();
    }),
  ];
}
