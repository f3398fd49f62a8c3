import { ADDRESSES, type Lab } from './lab.ts';
import type { Namespace } from './namespaces.ts';
import type { Running } from './process.ts';
import { inRepository } from './repository.ts';

/** Floods of SYNs from addresses that answer nothing, and what the router and the server say about them. */

/** Spoofed senders: they lie behind the client, which swallows what comes for them. */
export const FLOOD_SOURCES = '10.88.0.0/13';
/** No flood sends more. */
export const FLOOD_SYNS_MAX = 2_000_000;

export interface FloodOptions {
  /** 0: as fast as the sender can. */
  readonly synsASecond: number;
  readonly seconds: number;
  readonly count?: number;
  readonly host?: string;
  readonly port?: number;
  readonly seed?: number;
}

export interface FloodResult {
  readonly sent: number;
  readonly seconds: number;
  readonly synsASecond: number;
}

/** Answers to spoofed addresses find their way to the client and end there: no RST helps the server. */
export async function routeFlood(lab: Pick<Lab, 'client' | 'router'>): Promise<void> {
  await lab.client.must(['ip', 'route', 'replace', 'blackhole', FLOOD_SOURCES]);
  await lab.router.must(['ip', 'route', 'replace', FLOOD_SOURCES, 'via', ADDRESSES.client.v4]);
}

export function startFlood(from: Namespace, options: FloodOptions): Running {
  const { synsASecond, seconds, host = ADDRESSES.server.v4, port = 25, seed = 1 } = options;
  const count = Math.min(options.count ?? FLOOD_SYNS_MAX, FLOOD_SYNS_MAX);
  const words = [
    '-d',
    host,
    '-p',
    port,
    '-s',
    FLOOD_SOURCES,
    '-c',
    count,
    '-r',
    synsASecond,
    '-t',
    seconds,
    '-S',
    seed,
  ];
  return from.start([inRepository('build', 'bench', 'syn-flood'), ...words.map(String)]);
}

/** What the sender said at its end; fails with its output when it said something else. */
export function floodResult(output: string): FloodResult {
  const found = /^sent (\d+) seconds ([\d.]+) rate (\d+)$/m.exec(output);
  if (found === null) throw new Error(`syn-flood: ${output}`);
  const [sent, seconds, synsASecond] = found.slice(1).map(Number) as [number, number, number];
  return { sent, seconds, synsASecond };
}

/** Connections that wait in the server's kernel for the end of their handshake. */
export async function synReceived(server: Namespace): Promise<number> {
  const lines = await server.must(['ss', '-Hn', 'state', 'syn-recv']);
  return lines.split('\n').filter((line) => line.trim() !== '').length;
}

/** A row of the kernel's table of queues. */
export interface QueueState {
  readonly queue: number;
  readonly waiting: number;
  /** Packets that found the queue full, and those that found its reader's socket full. */
  readonly lost: number;
}

export async function queueStates(router: Namespace): Promise<QueueState[]> {
  const table = await router.must(['cat', '/proc/net/netfilter/nfnetlink_queue']);
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/).map(Number);
    const [queue, , waiting, , , queueDropped, userDropped] = fields;
    if (queue === undefined || waiting === undefined || fields.length < 8) return [];
    return [{ queue, waiting, lost: (queueDropped ?? 0) + (userDropped ?? 0) }];
  });
}
