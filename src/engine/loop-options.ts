import type { LoopOptions } from '../native/addon.ts';
import { PORT_PROTOCOLS } from '../native/event-batch.ts';
import type { Configuration } from '../policy/configuration.ts';
import { effectiveGlobals, effectivePostern } from '../policy/defaults.ts';
import { usesOpenings } from '../policy/openings.ts';
import { portProtocols } from '../policy/ports.ts';
import type { WorkerSettings } from './worker-protocol.ts';

const TCP_PORTS = 65_536;

/** Whether some rule inspects a whole transport. */
function inspects({ rules }: Configuration, transport: 'tcp' | 'udp' | 'icmp'): boolean {
  return rules.some((rule) => rule.protocols.some((entry) => entry.protocol === transport));
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
    synwaitMs: globals.tcpSynwaitTimeSeconds * 1_000,
    finwaitMs: globals.tcpFinwaitTimeSeconds * 1_000,
    idleMs: globals.tcpIdleTimeSeconds * 1_000,
    failOpen: postern.fail === 'open',
    offload: postern.offload,
    windowScaleLoose: globals.windowScaleLoose,
    reportDrops: globals.logDropPackets,
    genericTcp: inspects(configuration, 'tcp'),
    genericUdp: inspects(configuration, 'udp'),
    genericIcmp: inspects(configuration, 'icmp'),
    idleReset: globals.tcpIdleReset,
    halfCloseReset: globals.tcpHalfCloseReset,
    blockNonSession: globals.blockNonSession,
    reassemblyAlarm: globals.reassemblyAlarm,
    udpIdleMs: globals.udpIdleTimeSeconds * 1_000,
    icmpIdleMs: globals.icmpIdleTimeSeconds * 1_000,
    dnsTimeoutMs: globals.dnsTimeoutSeconds * 1_000,
    markSession: usesOpenings(configuration) ? marks.session : 0,
    markOffloadBoth: marks.offloadBoth,
    markOffloadResponder: marks.offloadResponder,
    markClear: marks.clear,
    ports,
  };
}
