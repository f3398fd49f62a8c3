import type { Statistics } from '../firewall/snapshot.ts';
import type { Configuration } from '../policy/configuration.ts';
import { formatAge } from './format-time.ts';

/** `show ip inspect statistics` (cisco-ios 5.7), and below it what became of every packet. */
export function statisticsLines(statistics: Statistics, configuration: Configuration): readonly string[] {
  return [
    'Packet inspection statistics [process switch:fast switch]',
    ...packetLines(statistics),
    ...sessionLines(statistics, configuration),
    'TCP reassembly statistics',
    `  received ${statistics.reassembly.outOfOrderPackets} packets out-of-order; dropped ${statistics.reassembly.droppedPackets}`,
    `  peak memory usage ${kilobytes(statistics.reassembly.peakBytes)} KB; ` +
      `current usage: ${kilobytes(statistics.reassembly.currentBytes)} KB`,
    `  peak queue length ${statistics.reassembly.peakQueueLength}`,
    ...verdictLines(statistics),
    ...countLines('Refusals', statistics.refusals),
    ...countLines('Masks', statistics.masks),
  ];
}

const TRANSPORTS: readonly string[] = ['tcp', 'udp', 'icmp'];

/** Transports, then applications. All packets take the way that IOS calls process switching. */
function packetLines({ protocolPackets }: Statistics): readonly string[] {
  const applications = Object.keys(protocolPackets).filter((name) => !TRANSPORTS.includes(name));
  return [...TRANSPORTS, ...applications.sort()].map((name) => `  ${name} packets: [${protocolPackets[name] ?? 0}:0]`);
}

function sessionLines(statistics: Statistics, configuration: Configuration): readonly string[] {
  const inspected = configuration.interfaces.filter((entry) => entry.inspectIn ?? entry.inspectOut).length;
  const { sessions, clearedSecondsAgo } = statistics;
  const last = sessions.lastCreatedSecondsAgo;
  return [
    `Interfaces configured for inspection ${inspected}`,
    `Session creations since subsystem startup or last reset ${sessions.created}`,
    'Current session counts (estab/half-open/terminating) ' +
      `[${sessions.established}:${sessions.halfOpen}:${sessions.terminating}]`,
    'Maxever session counts (estab/half-open/terminating) ' +
      `[${sessions.maxEstablished}:${sessions.maxHalfOpen}:${sessions.maxTerminating}]`,
    `Last session created ${last === undefined ? 'never' : formatAge(last)}`,
    `Last statistic reset ${clearedSecondsAgo === undefined ? 'never' : formatAge(clearedSecondsAgo)}`,
    `Last session creation rate ${sessions.creationRate}`,
    `Maxever session creation rate ${sessions.maxCreationRate}`,
    `Last half-open session total ${sessions.halfOpen}`,
  ];
}

/** Received is the sum of what follows, packets in hand included; the kernel's losses never arrived. */
function verdictLines({ packets, netlinkOverruns, aggressive, synProxyHosts }: Statistics): readonly string[] {
  return [
    'Packet verdicts',
    `  received ${packets.received}; accepted ${packets.accepted}; rewritten ${packets.rewritten}; dropped ${packets.dropped}`,
    `  held ${packets.held}; lost in the kernel's queues ${packets.kernelDropped}; injected ${packets.injected}`,
    `  socket overruns ${netlinkOverruns}`,
    `Aggressive mode is ${aggressive ? 'on' : 'off'}`,
    ...(synProxyHosts.length === 0 ? [] : [`The kernel answers for ${synProxyHosts.join(', ')}`]),
  ];
}

function countLines(title: string, counts: Readonly<Record<string, number>>): readonly string[] {
  const lines = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, count]) => `  ${name} ${count}`);
  return lines.length === 0 ? [] : [title, ...lines];
}

function kilobytes(bytes: number): number {
  return Math.ceil(bytes / 1024);
}
