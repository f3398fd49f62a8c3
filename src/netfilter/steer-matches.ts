import type { PortRange } from './mail-ports.ts';
import type { Generic, Hook, MailPorts, Steer, Via } from './steering.ts';

/** What differs between the rules of the two families. */
export interface FamilyWords {
  readonly ipv6: boolean;
  readonly icmp: 'icmp' | 'icmpv6';
}

export const IPV4: FamilyWords = { ipv6: false, icmp: 'icmp' };
export const IPV6: FamilyWords = { ipv6: true, icmp: 'icmpv6' };

/** One `multiport` match takes this many ports; a range counts twice (xt_multiport). */
const MULTIPORT_SLOTS = 15;

/** What conntrack says of the packets of a part. */
const PARTS: Readonly<Record<Generic['part'], string>> = {
  all: '',
  initiator: ' -m conntrack --ctdir ORIGINAL',
  astray: ' -m conntrack --ctstate INVALID,UNTRACKED',
  'astray-later': ' ! --syn -m conntrack --ctstate INVALID,UNTRACKED',
  later: ' ! --syn',
};

/** The matches of a rule for each part of a kind of packet. */
export function steerMatches({ hook, via, what }: Steer, family: FamilyWords): readonly string[] {
  const place = interfaceMatch(hook, via);
  if (what.kind === 'mail') return portMatches(what).map((match) => `${place}${match}`);
  if (what.transport !== 'icmp') return [`${place}-p ${what.transport}${PARTS[what.part]}`];
  // Errors belong to the connection they are about, and neighbour discovery to none: neither is a session.
  const direction = what.part === 'initiator' ? ' --ctdir ORIGINAL' : '';
  return [`${place}-p ${family.icmp} -m conntrack --ctstate NEW,ESTABLISHED${direction}`];
}

/** With the blank behind it; empty where every interface is meant. */
export function interfaceMatch(hook: Hook, via: Via | undefined): string {
  if (via !== undefined) return `${via.direction === 'in' ? '-i' : '-o'} ${via.name} `;
  // The loopback is not the network, and a packet on it would pass two hooks.
  if (hook === 'INPUT') return '! -i lo ';
  return hook === 'OUTPUT' ? '! -o lo ' : '';
}

function portMatches({ port, ports }: MailPorts): readonly string[] {
  const option = port === 'destination' ? '--dports' : '--sports';
  return portLists(ports).map((list) => `-p tcp -m multiport ${option} ${list}`);
}

/** Ports as `multiport` takes them, as many matches as they need. */
export function portLists(ranges: readonly PortRange[]): readonly string[] {
  const lists: string[][] = [];
  let slots = MULTIPORT_SLOTS;
  for (const range of ranges) {
    const need = range.from === range.to ? 1 : 2;
    if (slots + need > MULTIPORT_SLOTS) {
      lists.push([]);
      slots = 0;
    }
    lists.at(-1)?.push(range.from === range.to ? `${range.from}` : `${range.from}:${range.to}`);
    slots += need;
  }
  return lists.map((list) => list.join(','));
}
