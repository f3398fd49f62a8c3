import type { JudgedEvent } from '../engine/judge.ts';
import { PacketEngine } from '../engine/packet-engine.ts';
import type { Session } from '../engine/session.ts';
import { formatLogMessage } from '../log/format.ts';
import type { LogMessage } from '../log/log-message.ts';
import { loadAddon, loadPatterns } from '../native/addon.ts';
import { LearnedIndex } from '../policy/learned.ts';
import { type PortProtocol, portProtocols } from '../policy/ports.ts';
import { compilePatterns, loadConfiguration, workerSettings } from './configuration-file.ts';
import type { ReplayOptions } from './options.ts';
import { PatternCompiler } from './pattern-compiler.ts';

type MailPorts = ReturnType<typeof portProtocols>;

/** One line of `postern replay --json` (contract.md). */
interface ReplayLine {
  readonly packet: number;
  readonly time: number;
  readonly kind: string;
  readonly protocol: string;
  readonly initiator: string;
  readonly responder: string;
  readonly verdict?: string;
  readonly reason?: string;
  readonly message?: string;
}

/**
 * Runs a capture through the engine that serves queues. Rejects when it cannot be read; the text names the packet.
 * What the action `learn` records is forgotten at the end.
 */
export async function replay(options: ReplayOptions, print: (line: string) => void): Promise<void> {
  const loaded = loadConfiguration(options.config);
  const { configuration } = loaded;
  const patterns = loadPatterns();
  const sets = await compilePatterns(new PatternCompiler(patterns), loaded);
  const addon = loadAddon();
  const host = addon.openCapture(options.capture, options.write ?? null);
  const show = (line: ReplayLine): void => print(options.json ? JSON.stringify(line) : textOf(line));
  const ports = portProtocols(configuration);
  // The time of the capture stands still for what is learned: nothing expires.
  const learned = new LearnedIndex(() => 0);
  const engine = new PacketEngine({
    addon,
    learned,
    learn: (learning) => learned.learn(learning),
    host,
    worker: 0,
    patterns,
    settings: {
      ...workerSettings(configuration, sets),
      captureWithoutInterfaces: true,
      marks: { offloadBoth: 0, offloadResponder: 0, clear: 0, session: 0 },
    },
    log: () => undefined,
    observe: (event) => {
      for (const line of linesOf(event, ports)) show(line);
    },
  });
  try {
    engine.run();
    if (!options.json) print(summary(engine));
  } finally {
    engine.close();
  }
}

function linesOf(event: JudgedEvent, ports: MailPorts): ReplayLine[] {
  if (event.kind === 'drop') return dropLines(event, ports);
  const { session, flow, outcome, packet } = event;
  const known = session ?? flow;
  const place = {
    packet,
    time: event.timeMs / 1_000,
    protocol: known?.protocol ?? 'tcp',
    initiator: endpointText(known?.initiator),
    responder: endpointText(known?.responder),
  };
  const judged: ReplayLine = {
    ...place,
    kind: event.kind === 'frame' ? event.what : `${event.kind} ${event.what}`,
    ...(outcome === undefined ? {} : { verdict: outcome.verdict }),
    ...(outcome?.reason === undefined ? {} : { reason: outcome.reason }),
  };
  return [judged, ...event.messages.map((message) => ({ ...place, kind: 'message', message: messageText(message) }))];
}

/** A packet that was dropped: the end at the mail port is the responder. */
function dropLines({ packet, timeMs, what, drop: dropped, messages }: JudgedEvent, ports: MailPorts): ReplayLine[] {
  const { source, destination, protocol = 'tcp' } = dropped ?? {};
  const at = (end: typeof source): PortProtocol | undefined =>
    protocol === 'tcp' ? ports.get(end?.port ?? 0) : undefined;
  const isAnswer = at(destination) === undefined && at(source) !== undefined;
  const [initiator, responder] = isAnswer ? [destination, source] : [source, destination];
  const place = {
    packet,
    time: timeMs / 1_000,
    protocol: at(responder) ?? protocol,
    initiator: endpointText(initiator),
    responder: endpointText(responder),
  };
  const drop = { ...place, kind: 'drop', verdict: 'drop', reason: what.replace(/^drop-/, '') };
  return [drop, ...messages.map((message) => ({ ...place, kind: 'message', message: messageText(message) }))];
}

function endpointText(endpoint: Session['initiator'] | undefined): string {
  if (endpoint === undefined) return '';
  return endpoint.address.includes(':')
    ? `[${endpoint.address}]:${endpoint.port}`
    : `${endpoint.address}:${endpoint.port}`;
}

function messageText(message: LogMessage): string {
  const { facility, severity, mnemonic, text } = formatLogMessage(message);
  return `%${facility}-${severity}-${mnemonic}: ${text}`;
}

function textOf(line: ReplayLine): string {
  const place = `${line.packet}`.padStart(6);
  const flow = `${line.protocol} ${line.initiator} => ${line.responder}`;
  if (line.message !== undefined) return `${place} ${line.message}`;
  // A dropped packet is its own verdict.
  const verdict = line.verdict === undefined || line.verdict === line.kind ? '' : `: ${line.verdict}`;
  return `${place} ${flow} ${line.kind}${verdict}${line.reason === undefined ? '' : ` ${line.reason}`}`;
}

function summary(engine: PacketEngine): string {
  const { counters, refusals, masks } = engine.statistics();
  const count = (name: string): number => counters[name] ?? 0;
  const list = (record: Readonly<Record<string, number>>): string =>
    Object.entries(record)
      .map(([name, number]) => `${name} ${number}`)
      .join(', ') || 'none';
  return [
    `${count('received')} packets: ${count('accepted')} accepted, ${count('rewritten')} rewritten, ${count('dropped')} dropped, ${count('held')} held; ${count('flows-created')} sessions`,
    `refusals: ${list(refusals)}`,
    `masks: ${list(masks)}`,
  ].join('\n');
}
