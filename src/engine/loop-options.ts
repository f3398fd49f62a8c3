import type { LoopOptions } from '../native/addon.ts';
import { PORT_PROTOCOLS } from '../native/event-batch.ts';
import { effectiveGlobals, effectivePostern } from '../policy/defaults.ts';
import { portProtocols } from '../policy/ports.ts';
import type { WorkerSettings } from './worker-protocol.ts';

const TCP_PORTS = 65_536;

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
    markOffloadBoth: marks.offloadBoth,
    markOffloadResponder: marks.offloadResponder,
    markClear: marks.clear,
    ports,
  };
}
