import type { Configuration } from '../policy/configuration.ts';
import { effectivePostern } from '../policy/defaults.ts';
import { type FamilyWords, IPV4, IPV6, portLists } from './steer-matches.ts';
import { type Steer, steeringOf } from './steering.ts';

/**
 * The rules of `postern syn-proxy aggressive`. The chains in the mangle table stand with the others (rules.ts) and are
 * filled while a server is flooded; the one in the raw table comes and goes with the flood.
 */
export const SYN_PROXY_CHAINS = ['POSTERN-PROXY', 'POSTERN-PROXIED'] as const;
/** What is forwarded: SYNs and cookies of flooded servers go to the kernel's SYNPROXY. */
export const PROXY_CHAIN = 'POSTERN-PROXY';
/** What the kernel's SYNPROXY itself sends. */
export const PROXIED_CHAIN = 'POSTERN-PROXIED';
/** In the raw table: SYNs toward flooded servers make no entry in conntrack. */
export const RAW_CHAIN = 'POSTERN-PROXY';
export const RAW_JUMP = `-A PREROUTING -p tcp -j ${RAW_CHAIN}`;

/** A server that the kernel answers for. */
export interface ProxiedServer {
  /** As `formatAddress` spells it. */
  readonly address: string;
  /** False while what it has begun comes to its end: no new client is answered. */
  readonly answers: boolean;
}

/** Ports of an Ethernet without a tunnel: the segments that the kernel promises to take in the server's place. */
const MSS = { ipv4: 1_460, ipv6: 1_440 } as const;

/** Connections that are inspected, by where their first packet comes from. */
interface Inspected {
  readonly from: string;
  readonly to: string;
  readonly ports: string | undefined;
}

/** Whether the chains of this module are wanted at all. */
export function mayProxy(configuration: Configuration): boolean {
  return effectivePostern(configuration).synProxy === 'aggressive' && inspectedOf(configuration).length > 0;
}

/** Input of `iptables-restore --noflush` of a family, for rules that stand as rules.ts has made them. */
export function synProxyText(
  configuration: Configuration,
  servers: readonly ProxiedServer[],
  standing: RawStanding & { readonly family: 'ipv4' | 'ipv6' },
): string {
  const family = standing.family === 'ipv6' ? IPV6 : IPV4;
  const own = servers.filter(({ address }) => address.includes(':') === family.ipv6);
  const inspected = inspectedOf(configuration);
  const notrack = own.filter(({ answers }) => answers).flatMap(({ address }) => rawLines(address, inspected));
  // The mangle table first: a SYN that is not tracked must find whoever answers it.
  const lines = [
    '*mangle',
    ...SYN_PROXY_CHAINS.map((chain) => `:${chain} - [0:0]`),
    ...own.flatMap(({ address }) => mangleLines(address, inspected, family)),
    'COMMIT',
    ...rawTable(notrack, standing),
  ];
  return `${lines.join('\n')}\n`;
}

/** What stands in the raw table of this machine. */
export interface RawStanding {
  readonly chain: boolean;
  readonly jump: boolean;
}

function rawTable(rules: readonly string[], { chain, jump }: RawStanding): readonly string[] {
  if (rules.length === 0) return removeRawLines({ chain, jump });
  const before = jump ? [] : [RAW_JUMP];
  return ['*raw', `:${RAW_CHAIN} - [0:0]`, ...rules, ...before, 'COMMIT'];
}

/** The chain goes; no line where it does not stand. */
export function removeRawLines({ chain, jump }: RawStanding): readonly string[] {
  if (!chain) return [];
  return ['*raw', ...(jump ? [RAW_JUMP.replace('-A', '-D')] : []), `-F ${RAW_CHAIN}`, `-X ${RAW_CHAIN}`, 'COMMIT'];
}

function rawLines(address: string, inspected: readonly Inspected[]): readonly string[] {
  const lines = inspected.map(
    ({ from, ports }) => `-A ${RAW_CHAIN} ${from}-d ${address} -p tcp${toward(ports)} --syn -j CT --notrack`,
  );
  return [...new Set(lines)];
}

/**
 * The client's SYN has no connection, and what brings the cookie back is out of place, or, where conntrack takes up
 * connections under way (`nf_conntrack_tcp_loose`), begins one with an acknowledgement. The SYN that the kernel sends
 * to the server for a client that has proved itself is judged as if the client had sent it. What acknowledges the
 * server's answer must not wait in a queue: later the kernel would take it for the client's and translate it. Its
 * answers to clients are as many as the flood has SYNs, and never queued.
 */
function mangleLines(address: string, inspected: readonly Inspected[], family: FamilyWords): readonly string[] {
  const target = `-j SYNPROXY --mss ${family.ipv6 ? MSS.ipv6 : MSS.ipv4}`;
  const lines = inspected.flatMap(({ from, to, ports }) => {
    const chain = `-A ${PROXY_CHAIN} ${from}${to}-d ${address} -p tcp${toward(ports)}`;
    return [
      `${chain} -m conntrack --ctstate INVALID,UNTRACKED ${target}`,
      `${chain} ! --syn -m conntrack --ctstate NEW ${target}`,
    ];
  });
  const own = inspected.flatMap(({ ports }) => [
    `-A ${PROXIED_CHAIN} -d ${address} -p tcp${toward(ports)} --syn -m addrtype ! --src-type LOCAL -j POSTERN-QUEUE`,
    `-A ${PROXIED_CHAIN} -d ${address} -p tcp${toward(ports)} -m addrtype ! --src-type LOCAL -j ACCEPT`,
    `-A ${PROXIED_CHAIN} -s ${address} -p tcp${ports === undefined ? '' : ` -m multiport --sports ${ports}`} -j ACCEPT`,
  ]);
  return [...new Set([...lines, ...own])];
}

function toward(ports: string | undefined): string {
  return ports === undefined ? '' : ` -m multiport --dports ${ports}`;
}

/** Ports that only some hosts have (`ip port-map … list`) are left to the thresholds. */
function inspectedOf(configuration: Configuration): readonly Inspected[] {
  return steeringOf(configuration)
    .steers.filter(({ hook }) => hook === 'FORWARD')
    .flatMap((steer): readonly Inspected[] => {
      const place = placeOf(steer);
      const { what } = steer;
      if (what.kind === 'generic') {
        const opens = what.transport === 'tcp' && (what.part === 'all' || what.part === 'initiator');
        return opens ? [{ ...place, ports: undefined }] : [];
      }
      if (what.port !== 'destination' || what.list !== undefined) return [];
      return portLists(what.ports).map((ports) => ({ ...place, ports }));
    });
}

function placeOf({ via }: Steer): { readonly from: string; readonly to: string } {
  return {
    from: via?.direction === 'in' ? `-i ${via.name} ` : '',
    to: via?.direction === 'out' ? `-o ${via.name} ` : '',
  };
}

/** Packets that each server's rules in the raw table have met, from the text of `iptables-save --counters`. */
export function synCounts(saved: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of saved.split('\n')) {
    const [, packets, server] = COUNTED.exec(line) ?? [];
    if (server === undefined) continue;
    counts.set(server, (counts.get(server) ?? 0) + Number(packets));
  }
  return counts;
}

const COUNTED = new RegExp(`^\\[(\\d+):\\d+\\] -A ${RAW_CHAIN} .*?-d ([0-9a-f.:]+)(?:/(?:32|128))? .*-j CT --notrack$`);

/** The ports that the kernel answers on, for the log. */
export function proxiedPorts(configuration: Configuration): string {
  const ports = inspectedOf(configuration).map((one) => one.ports);
  return ports.includes(undefined) ? 'all' : [...new Set(ports)].join(',');
}
