import { done, type ExecCommand, failed } from './exec-command.ts';
import type { ExecContext } from './exec-context.ts';
import { zonePairViews } from './exec-show-policy.ts';
import { connectionStatistics, mibLines } from './format-mib.ts';
import { inspectMapData } from './format-parameter-map.ts';
import {
  globalLines,
  globalPolicyStatistics,
  policyConfigLines,
  touches,
  usedMaps,
  zoneStatisticsLines,
} from './format-policy-firewall.ts';
import { sessionBlock } from './format-zone-policy.ts';
import { viewZones, zonePairSummary, zonesLines } from './format-zones.ts';
import { countsOf, viewZonePair, type ZonePairView, zoneState } from './zone-policy-view.ts';

const HELP: Readonly<Record<string, string>> = {
  show: 'Show what is',
  zone: 'Zones of interfaces',
  'zone-pair': 'Policies from one zone to another',
  security: 'Of the firewall',
  source: 'The zone that a pair begins at',
  destination: 'The zone that a pair leads to',
  'policy-firewall': 'The zone firewall',
  config: 'Zone-pairs, their policies and parameter-maps as they hold',
  sessions: 'Sessions by zone-pair and class, also `session`',
  stats: 'What was decided',
  global: 'Of the whole router',
  mib: 'Counters by the objects of the firewall MIB',
  'connection-statistics': 'Connections attempted, declined, half-open and active',
  ZONE: 'Name of the zone',
  NAME: 'Name of one of them',
};

/** `show zone`, `show zone-pair` and `show policy-firewall` (cisco-ios 5.9, 5.10). */
export const SHOW_ZONE_COMMANDS: readonly ExecCommand[] = [
  {
    grammar: ['show zone security [ZONE]'],
    help: HELP,
    run: async ({ configuration }, args) => {
      const name = args.text('ZONE');
      const zones = viewZones(configuration).filter((zone) => name === '' || zone.name === name);
      return zones.length === 0 ? failed(`% Zone ${name} does not exist`) : done(zonesLines(zones), zones);
    },
  },
  {
    grammar: ['show zone-pair security [NAME]', 'show zone-pair security source FROM destination TO'],
    help: { ...HELP, FROM: 'Name of the zone, or self', TO: 'Name of the zone, or self' },
    run: async ({ configuration }, args) => {
      const [name, from, to] = [args.text('NAME'), args.text('FROM'), args.text('TO')];
      const pairs = configuration.zonePairs.filter(
        (pair) =>
          (name === '' || pair.name === name) && (from === '' || (pair.source === from && pair.destination === to)),
      );
      if (name !== '' && pairs.length === 0) return failed(`% Zone-pair ${name} is not defined`);
      return done(
        pairs.flatMap((pair) => zonePairSummary(configuration, pair)),
        pairs,
      );
    },
  },
  {
    grammar: ['show policy-firewall config [zone-pair NAME]'],
    help: HELP,
    run: async (context, args) => {
      const { configuration } = context;
      const views = await zonePairViews(context, args.text('NAME'));
      if (views === undefined) return failed(`% Zone-pair ${args.text('NAME')} is not defined`);
      const parameterMaps = usedMaps(views).map((name) => inspectMapData(configuration, name));
      const zonePairs = views.map(configured);
      return done(policyConfigLines(configuration, views), { zonePairs, parameterMaps });
    },
  },
  {
    grammar: ['show policy-firewall sessions [zone-pair NAME]'],
    help: HELP,
    run: async (context, args) => {
      const views = await zonePairViews(context, args.text('NAME'));
      if (views === undefined) return failed(`% Zone-pair ${args.text('NAME')} is not defined`);
      const lists = views.flatMap(sessionLists).filter(({ list }) => list.length > 0);
      const lines = lists.flatMap(({ zonePair, className, list }) => [
        `  Zone-pair: ${zonePair}`,
        `    Class-map: ${className}`,
        ...sessionBlock(list).slice(2),
      ]);
      return done(
        lines,
        lists.flatMap(({ list }) => list),
      );
    },
  },
  {
    grammar: ['show policy-firewall stats [<global|zone ZONE>$what]'],
    help: HELP,
    run: async (context, args) => showStatistics(context, args.text('ZONE'), args.has('global')),
  },
  {
    grammar: ['show policy-firewall mib connection-statistics [global]'],
    help: HELP,
    run: async (context) => {
      const statistics = await context.statistics();
      return done(mibLines(statistics), connectionStatistics(statistics));
    },
  },
];

async function showStatistics(context: ExecContext, zone: string, isGlobal: boolean) {
  const { configuration } = context;
  if (zone !== '' && viewZones(configuration).every(({ name }) => name !== zone)) {
    return failed(`% Zone ${zone} does not exist`);
  }
  const state = await zoneState(context);
  const global = globalPolicyStatistics(await context.statistics(), state);
  if (isGlobal) return done(globalLines(global), global);
  const views = configuration.zonePairs
    .filter((pair) => touches(pair, zone))
    .flatMap((pair) => viewZonePair(state, pair) ?? []);
  const zones = viewZones(configuration).filter(({ name }) => zone === '' || name === zone);
  const blocks = zones.map(({ name }) => ({ zone: name, views: views.filter((view) => touches(view, name)) }));
  const busy = blocks.filter((block) => zone !== '' || block.views.length > 0);
  const lines = busy.flatMap((block) => zoneStatisticsLines(block.zone, block.views));
  const zonePairs = views.map(countsOf);
  return zone === ''
    ? done([...globalLines(global), ...lines], { global, zonePairs })
    : done(lines, { zone, zonePairs });
}

function sessionLists({ zonePair, classes }: ZonePairView) {
  return classes.map(({ className, sessions }) => ({ zonePair, className, list: sessions?.list ?? [] }));
}

/** What a zone-pair says, without what it met. */
function configured(view: ZonePairView): unknown {
  const classes = view.classes.map(({ sessions: _sessions, counted: _counted, application, ...rest }) => ({
    ...rest,
    ...(application === undefined
      ? {}
      : { application: { protocol: application.protocol, policy: application.policy } }),
  }));
  return { ...view, classes };
}
