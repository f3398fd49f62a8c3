import { effectiveList } from './access-entry.ts';
import { listPermits } from './access-match.ts';
import type { ClassMap, Configuration, PolicyMap, ZonePair } from './configuration.ts';
import { isTransport } from './openings.ts';
import type { PortProtocol } from './ports.ts';
import { isOfProtocol } from './protocol-ports.ts';
import { usesZones, type ZoneDecision, type ZonedFlow, type ZonePlace } from './zone-decision.ts';
import { inspectsApplication, zoneInspection } from './zone-inspection.ts';

export { usedInspections, zoneInspection } from './zone-inspection.ts';

/** The router itself, and interfaces in no zone, as zone-pairs name them. */
export const SELF_ZONE = 'self';
export const DEFAULT_ZONE = 'default';

/** The zone of an interface: `self` for the router, undefined for one in no zone. */
export function zoneOf({ interfaces }: Configuration, name: string): string | undefined {
  if (name === '') return SELF_ZONE;
  const named = (wanted: string) => interfaces.find((candidate) => candidate.name === wanted);
  return named(name)?.zone ?? named('any')?.zone;
}

/** What the zones say of a flow (cisco-ios 1.10), by its first packet. */
export function decideZone(configuration: Configuration, flow: ZonedFlow): ZoneDecision {
  if (!usesZones(configuration)) return { kind: 'unzoned' };
  const from = zoneOf(configuration, flow.inInterface);
  const to = zoneOf(configuration, flow.outInterface);
  const pair = findPair(configuration, from ?? DEFAULT_ZONE, to ?? DEFAULT_ZONE);
  if (pair !== undefined) return decideByPair(configuration, pair, flow);
  if (from === SELF_ZONE || to === SELF_ZONE) return { kind: 'unzoned' };
  if (from === undefined && to === undefined) return { kind: 'unzoned' };
  if (from === undefined || to === undefined) return { kind: 'drop', reason: 'not-zoned', log: false };
  if (from === to) return { kind: 'pass', log: false };
  return { kind: 'drop', reason: 'no-zone-pair', log: false };
}

/** The pair of a direction, with a policy: without one it is as if it were not there. */
export function findPair(configuration: Configuration, source: string, destination: string): ZonePair | undefined {
  return configuration.zonePairs.find(
    (pair) => pair.source === source && pair.destination === destination && policyOf(configuration, pair) !== undefined,
  );
}

/** The layer 3/4 policy of a pair. */
export function policyOf({ policyMaps }: Configuration, { policy }: ZonePair): PolicyMap | undefined {
  return policyMaps.find((map) => map.name === policy && map.protocol === undefined);
}

/** What a pair's policy says of a flow, whichever interfaces it runs between. */
export function decideByPair(configuration: Configuration, pair: ZonePair, flow: ZonedFlow): ZoneDecision {
  const policy = policyOf(configuration, pair);
  if (policy === undefined) return { kind: 'drop', reason: 'no-zone-pair', log: false };
  for (const { name, actions } of policy.classes) {
    const found = name === 'class-default' ? { engine: undefined } : matchClass(configuration, name, flow, []);
    if (found === undefined) continue;
    const place: ZonePlace = { zonePair: pair.name, policy: policy.name, className: name };
    return decideByActions(configuration, place, actions, found.engine ?? flow.protocol);
  }
  return dropped({ zonePair: pair.name, policy: policy.name, className: 'class-default' }, false);
}

function decideByActions(
  configuration: Configuration,
  place: ZonePlace,
  actions: readonly (readonly string[])[],
  protocol: PortProtocol,
): ZoneDecision {
  const has = (word: string) => actions.find(([action]) => action === word);
  const inspect = has('inspect');
  if (inspect !== undefined) {
    const settings = zoneInspection(configuration, inspect[1]);
    const service = actions.find((words) => words[0] === 'service-policy' && words[1] === protocol);
    const application = inspectsApplication(configuration, settings.parameterMap, protocol) ? service?.[2] : undefined;
    return { kind: 'inspect', place, protocol, settings, ...(application === undefined ? {} : { application }) };
  }
  const pass = has('pass');
  if (pass !== undefined) return { kind: 'pass', place, log: pass[1] === 'log' };
  // Without an action a class drops, as class-default does (`Drop (default action)`, cisco-ios 5.8).
  return dropped(place, has('drop')?.[1] === 'log');
}

function dropped(place: ZonePlace, log: boolean): ZoneDecision {
  return { kind: 'drop', reason: 'zone-drop', place, log };
}

interface ClassMatched {
  /** The engine that the first fitting `match protocol` asks for; absent: the one of the flow's port. */
  readonly engine: PortProtocol | undefined;
}

/** Undefined: the flow is not in the class. `within`: the classes around it, for maps that name each other. */
function matchClass(
  configuration: Configuration,
  name: string,
  flow: ZonedFlow,
  within: readonly string[],
): ClassMatched | undefined {
  const map = configuration.classMaps.find((one) => one.name === name && one.protocol === undefined);
  if (map === undefined || map.matches.length === 0 || within.includes(name)) return undefined;
  const found = map.matches.map(({ words }) => matchWords(configuration, words, flow, [...within, name]));
  const fitting = found.filter((one) => one !== undefined);
  if (map.combine === 'match-all' ? fitting.length < found.length : fitting.length === 0) return undefined;
  return { engine: engineOf(map, fitting) };
}

/** In match-any the first protocol that fits decides which engine reads the flow (cisco-ios 1.6). */
function engineOf({ combine }: ClassMap, fitting: readonly ClassMatched[]): PortProtocol | undefined {
  if (combine === 'match-any') return fitting[0]?.engine;
  const engines = fitting.flatMap(({ engine }) => (engine === undefined ? [] : [engine]));
  return engines.find((engine) => !isTransport(engine)) ?? engines[0];
}

function matchWords(
  configuration: Configuration,
  words: readonly string[],
  flow: ZonedFlow,
  within: readonly string[],
): ClassMatched | undefined {
  const [kind, value = '', name = ''] = words;
  switch (kind) {
    case 'protocol':
      return matchProtocol(configuration, value, flow);
    case 'access-group': {
      const list = effectiveList(configuration, value === 'name' ? name : value);
      const permits = list !== undefined && listPermits(list, { ...flow, transport: transportOf(flow.protocol) });
      return permits ? { engine: undefined } : undefined;
    }
    case 'class-map':
      return matchClass(configuration, value, flow, within);
    default:
      return undefined;
  }
}

function matchProtocol(configuration: Configuration, keyword: string, flow: ZonedFlow): ClassMatched | undefined {
  const transport = transportOf(flow.protocol);
  if (isTransport(keyword)) return keyword === transport ? { engine: keyword } : undefined;
  if (isMail(flow.protocol)) {
    return flow.protocol === (keyword === 'esmtp' ? 'smtp' : keyword) ? { engine: flow.protocol } : undefined;
  }
  return isOfProtocol(configuration, keyword, transport, flow.responder.port) ? { engine: transport } : undefined;
}

function isMail(protocol: PortProtocol): boolean {
  return !isTransport(protocol);
}

function transportOf(protocol: PortProtocol): 'tcp' | 'udp' | 'icmp' {
  return isTransport(protocol) ? protocol : 'tcp';
}
