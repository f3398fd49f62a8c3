import { effectiveList } from '../policy/access-entry.ts';
import type { Configuration, InspectionRule } from '../policy/configuration.ts';
import { portProtocols } from '../policy/ports.ts';

/** Inclusive; one port has the same number twice. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Ports of the same hosts: all hosts, or those that a list permits. */
export interface PortSet {
  readonly ports: readonly PortRange[];
  readonly list?: string;
}

/** The TCP ports of the `wanted` protocols of a rule: those of all hosts first, then those of a list each. */
export function mailPortSets(
  configuration: Configuration,
  rule: InspectionRule,
  wanted: (protocol: string) => boolean,
): readonly PortSet[] {
  const protocols = new Set(
    rule.protocols.filter(({ protocol }) => wanted(protocol)).map(({ protocol }) => portProtocolOf(protocol)),
  );
  const isHostSpecific = (list: string | undefined): list is string =>
    list !== undefined && effectiveList(configuration, list) !== undefined;
  const everyHost = configuration.portMaps.filter(({ list }) => !isHostSpecific(list));
  const ports: number[] = [];
  for (const [port, protocol] of portProtocols({ ...configuration, portMaps: everyHost })) {
    if (protocols.has(protocol)) ports.push(port);
  }
  const sets: PortSet[] = ports.length === 0 ? [] : [{ ports: toRanges(ports.sort((a, b) => a - b)) }];
  for (const { application, transport, from, to, list } of configuration.portMaps) {
    if (transport === 'tcp' && isHostSpecific(list) && protocols.has(application)) {
      sets.push({ ports: [{ from, to }], list });
    }
  }
  return sets;
}

/** `esmtp` is inspected on the ports of `smtp`. */
function portProtocolOf(protocol: string): string {
  return protocol === 'esmtp' ? 'smtp' : protocol;
}

function toRanges(ports: readonly number[]): readonly PortRange[] {
  const ranges: PortRange[] = [];
  for (const port of ports) {
    const last = ranges.at(-1);
    if (last !== undefined && last.to + 1 === port) ranges[ranges.length - 1] = { from: last.from, to: port };
    else ranges.push({ from: port, to: port });
  }
  return ranges;
}
