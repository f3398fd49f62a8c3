import type { Statistics } from '../firewall/snapshot.ts';
import type { Configuration, ZonePair } from '../policy/configuration.ts';
import { SELF_ZONE, zoneInspection } from '../policy/zone-classify.ts';
import { NO_PLACE, NO_ZONE_PAIR, NOT_ZONED, zoneMatchKey } from '../policy/zone-labels.ts';
import { parameterBlock, shownName } from './format-parameter-map.ts';
import { viewZones } from './format-zones.ts';
import type { ZoneClassView, ZonePairView, ZoneState } from './zone-policy-view.ts';

/** `show policy-firewall config` (cisco-ios 5.9): each zone-pair, then the parameter-maps that their classes use. */
export function policyConfigLines(configuration: Configuration, views: readonly ZonePairView[]): readonly string[] {
  const used = usedMaps(views);
  return [
    ...views.flatMap((view) => pairLines(configuration, view)),
    '---------------------------',
    'Parameter-map Configuration:',
    ...used.flatMap((name) => parameterBlock(configuration, zoneInspection(configuration, name))),
  ];
}

/** By name, each once, in the order in which classes use them. */
export function usedMaps(views: readonly ZonePairView[]): readonly string[] {
  const inspecting = views.flatMap(({ classes }) => classes).filter(({ action }) => action === 'inspect');
  return [...new Set(inspecting.map(({ parameterMap = 'default' }) => parameterMap))];
}

function pairLines(configuration: Configuration, view: ZonePairView): readonly string[] {
  return [
    `Zone-pair              : ${view.zonePair}`,
    `Source Zone            : ${view.source}`,
    ...memberLines(configuration, view.source),
    `Destination Zone       : ${view.destination}`,
    ...memberLines(configuration, view.destination),
    `Service-policy inspect : ${view.policy}`,
    ...view.classes.flatMap(classLines),
  ];
}

function memberLines(configuration: Configuration, name: string): readonly string[] {
  if (name === SELF_ZONE) return [];
  const members = viewZones(configuration).find((zone) => zone.name === name)?.interfaces ?? [];
  return ['  Member Interfaces:', ...members.map((member) => `    ${member}`)];
}

function classLines(view: ZoneClassView): readonly string[] {
  const action = view.action === 'default' ? 'drop' : view.action;
  const { application, police } = view;
  return [
    `  Class-map : ${view.className} (${view.combine})`,
    ...view.matches.map((match) => `   Match ${match}`),
    `  Action : ${action}${view.log ? ' log' : ''}`,
    `   Parameter-map : ${shownName(view.parameterMap ?? 'default')}`,
    ...(police === undefined ? [] : [`   Police : rate ${police.rateBits} burst ${police.burstBytes}`]),
    ...(application === undefined ? [] : [`   Service-policy inspect ${application.protocol} : ${application.policy}`]),
  ];
}

/** What is known of the whole box, by the names of `show policy-firewall stats global --json`. */
export interface GlobalPolicyStatistics {
  readonly aggressive: boolean;
  readonly halfOpen: number;
  /** Half-open sessions that gave way to new ones. */
  readonly evicted: number;
  /** Packets that no zone-pair decided about; absent where the kernel's rules were not asked. */
  readonly dropped?: { readonly noZonePair: number; readonly notZoned: number };
  /** Mail data that application policies looked into, of what they let by. */
  readonly content: Statistics['content'];
}

export function globalPolicyStatistics(statistics: Statistics, { matches }: ZoneState): GlobalPolicyStatistics {
  const drops = (reason: string): number => matches?.get(zoneMatchKey(NO_PLACE, reason, 'drop'))?.packets ?? 0;
  return {
    aggressive: statistics.aggressive,
    halfOpen: statistics.sessions.halfOpen,
    evicted: statistics.refusals['half-open-evicted'] ?? 0,
    ...(matches === undefined ? {} : { dropped: { noZonePair: drops(NO_ZONE_PAIR), notZoned: drops(NOT_ZONED) } }),
    content: statistics.content,
  };
}

/** `show policy-firewall stats global` (cisco-ios 5.9); rows that Postern has no count for are left out. */
export function globalLines(values: GlobalPolicyStatistics): readonly string[] {
  const { dropped, content } = values;
  return [
    '  Global (Per-Box) statistics',
    `       Half Open Aggressive Aging Period ${values.aggressive ? 'On' : 'Off'}`,
    '',
    '               \tHalf Open',
    '       Protocol\tSession Cnt\tExceed',
    '       --------\t-----------\t------',
    `       All\t${values.halfOpen}\t\t${values.evicted}`,
    '',
    ...(dropped === undefined
      ? []
      : [
          `       No zone-pair between zones: ${dropped.noZonePair} packets`,
          `       One of the interfaces not in a zone: ${dropped.notZoned} packets`,
        ]),
    `       Content: ${content.octets} octets passed, ${content.scannedOctets} octets inspected${share(content)}`,
  ];
}

function share({ octets, scannedOctets }: Statistics['content']): string {
  return octets === 0 ? '' : ` (${((100 * scannedOctets) / octets).toFixed(1)} %)`;
}

/** `show policy-firewall stats zone`: the zone-pairs that lead into and out of a zone. */
export function zoneStatisticsLines(zone: string, views: readonly ZonePairView[]): readonly string[] {
  return [`Zone: ${zone}`, ...views.flatMap(pairStatisticsLines)];
}

function pairStatisticsLines(view: ZonePairView): readonly string[] {
  return [
    `  Zone-pair: ${view.zonePair} (${view.source} to ${view.destination})`,
    ...view.classes.map((one) => `    Class-map: ${one.className}${countWords(one)}`),
  ];
}

function countWords({ sessions, counted }: ZoneClassView): string {
  if (sessions !== undefined) return `: ${sessions.created} sessions, ${sessions.established} established`;
  return counted === undefined ? '' : `: ${counted.packets} packets, ${counted.bytes} bytes`;
}

/** Whether a pair has something to do with a zone; an empty name means any. */
export function touches(pair: Pick<ZonePair, 'source' | 'destination'>, zone: string): boolean {
  return zone === '' || pair.source === zone || pair.destination === zone;
}
