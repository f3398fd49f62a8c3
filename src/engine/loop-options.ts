import type { LoopOptions } from '../native/addon.ts';
import { PORT_PROTOCOLS } from '../native/event-batch.ts';
import type { Configuration } from '../policy/configuration.ts';
import { effectiveGlobals, effectivePostern } from '../policy/defaults.ts';
import { usesOpenings } from '../policy/openings.ts';
import { portProtocols } from '../policy/ports.ts';
import type { ZoneInspection } from '../policy/zone-decision.ts';
import { usedInspections } from '../policy/zone-inspection.ts';
import { zoneTransports } from '../policy/zone-transports.ts';
import type { WorkerSettings } from './worker-protocol.ts';

const TCP_PORTS = 65_536;

/** Whether some rule inspects a whole transport, or a zone policy more of it than mail. */
function inspects(configuration: Configuration, transport: 'tcp' | 'udp' | 'icmp'): boolean {
  const ruled = configuration.rules.some((rule) => rule.protocols.some((entry) => entry.protocol === transport));
  return ruled || zoneTransports(configuration).has(transport);
}

/**
 * The loop has one time of these for all sessions: of the parameter-maps that zone policies inspect by, and of the
 * globals where rules inspect, the strictest holds.
 */
function strictest(configuration: Configuration, ofGlobals: number, of: (settings: ZoneInspection) => number): number {
  const zones = usedInspections(configuration).map(of);
  return Math.min(...(zones.length === 0 || configuration.rules.length > 0 ? [ofGlobals] : []), ...zones);
}

/** `ip inspect log drop-pkt`, or `log dropped-packets` of a parameter-map in use: a dropped packet has no class. */
export function logsDrops(configuration: Configuration): boolean {
  return (
    effectiveGlobals(configuration).logDropPackets ||
    usedInspections(configuration).some(({ logDroppedPackets }) => logDroppedPackets)
  );
}

/** The packet loop's part of a configuration. */
export function loopOptions({ configuration, marks }: WorkerSettings): LoopOptions {
  const globals = effectiveGlobals(configuration);
  const postern = effectivePostern(configuration);
  const ports = new Uint8Array(TCP_PORTS);
  for (const [port, protocol] of portProtocols(configuration)) ports[port] = PORT_PROTOCOLS.indexOf(protocol);
  return {
    outOfOrderMax: globals.reassemblyQueueLength,
    outOfOrderBytesMax: globals.reassemblyMemoryLimitKilobytes * 1_024,
    reassemblyTimeoutMs: globals.reassemblyTimeoutSeconds * 1_000,
    synwaitMs: strictest(configuration, globals.tcpSynwaitTimeSeconds, (map) => map.synwaitSeconds) * 1_000,
    finwaitMs: strictest(configuration, globals.tcpFinwaitTimeSeconds, (map) => map.finwaitSeconds) * 1_000,
    idleMs: globals.tcpIdleTimeSeconds * 1_000,
    failOpen: postern.fail === 'open',
    offload: postern.offload,
    windowScaleLoose: globals.windowScaleLoose,
    reportDrops: logsDrops(configuration),
    genericTcp: inspects(configuration, 'tcp'),
    genericUdp: inspects(configuration, 'udp'),
    genericIcmp: inspects(configuration, 'icmp'),
    idleReset: globals.tcpIdleReset,
    halfCloseReset: globals.tcpHalfCloseReset,
    blockNonSession: globals.blockNonSession,
    reassemblyAlarm: globals.reassemblyAlarm,
    udpIdleMs: globals.udpIdleTimeSeconds * 1_000,
    icmpIdleMs: globals.icmpIdleTimeSeconds * 1_000,
    dnsTimeoutMs: strictest(configuration, globals.dnsTimeoutSeconds, (map) => map.dnsTimeoutSeconds) * 1_000,
    markSession: usesOpenings(configuration) ? marks.session : 0,
    markOffloadBoth: marks.offloadBoth,
    markOffloadResponder: marks.offloadResponder,
    markClear: marks.clear,
    ports,
  };
}
