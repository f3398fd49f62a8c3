/**
 * What a packet meets in a rule text, by the meaning of iptables' words (iptables(8), iptables-extensions(8)): enough of
 * them for Postern's own rules. Limits are never used up, rates are never reached.
 */
export interface Packet {
  readonly hook: 'FORWARD' | 'INPUT' | 'OUTPUT';
  /** Empty where there is none. */
  readonly inInterface: string;
  readonly outInterface: string;
  readonly protocol: string;
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** SYN alone is set; of later segments, ACK. */
  readonly syn: boolean;
  readonly state: string;
  readonly direction: 'ORIGINAL' | 'REPLY';
  readonly connmark: number;
  readonly icmpType: number;
}

export type Judgement = 'queue' | 'drop' | 'pass';
type Outcome = Judgement | 'return';

/** Chains that end a packet's way with what stands behind their queue. */
const TOLD: Readonly<Record<string, Judgement>> = { 'POSTERN-ZONE-DROPPED': 'drop', 'POSTERN-ZONE-PASSED': 'pass' };

export class RuleTable {
  readonly text: string;
  readonly #chains = new Map<string, string[]>();
  #met: string[] = [];

  constructor(text: string) {
    this.text = text;
    for (const line of text.split('\n')) {
      const [, , chain, rest] = /^-(A|I) (\S+) (.*)$/.exec(line) ?? [];
      if (chain !== undefined && rest !== undefined) this.#chains.set(chain, [...this.lines(chain), rest]);
    }
  }

  /** The rules of a chain without its name. */
  lines(chain: string): string[] {
    return this.#chains.get(chain) ?? [];
  }

  judge(packet: Packet): Judgement {
    this.#met = [];
    const outcome = this.#walk(packet.hook, packet);
    return outcome === 'return' ? 'pass' : outcome;
  }

  /** Every rule that fitted, and those that asked for a rate. */
  trace(packet: Packet): readonly string[] {
    this.judge(packet);
    return this.#met;
  }

  /** Whether it comes to the gate to be told of. */
  isTold(packet: Packet): boolean {
    return this.trace(packet).some((line) => Object.keys(TOLD).some((chain) => line.endsWith(`-j ${chain}`)));
  }

  #walk(chain: string, packet: Packet): Outcome {
    if (chain === 'POSTERN-QUEUE') return 'queue';
    for (const line of this.lines(chain)) {
      const words = [...line.matchAll(/"[^"]*"|\S+/g)].map(([word]) => word);
      if (line.includes('hashlimit')) this.#met.push(line);
      if (!fits(words, packet)) continue;
      this.#met.push(line);
      const outcome = this.#go(words, packet);
      if (outcome !== undefined) return outcome;
    }
    return 'return';
  }

  /** Undefined: the next rule. */
  #go(words: readonly string[], packet: Packet): Outcome | undefined {
    const target = words[words.findIndex((word) => word === '-j' || word === '-g') + 1] ?? '';
    if (!words.includes('-j') && !words.includes('-g')) return undefined;
    if (target === 'DROP') return 'drop';
    if (target === 'ACCEPT') return 'pass';
    if (target === 'RETURN') return 'return';
    const told = TOLD[target];
    if (told !== undefined) return told;
    const outcome = this.#walk(target, packet);
    return words.includes('-g') || outcome !== 'return' ? outcome : undefined;
  }
}

function fits(words: readonly string[], packet: Packet): boolean {
  let not = false;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const value = words[at + 1] ?? '';
    if (word === '!') {
      not = true;
      continue;
    }
    const found = holds(word, value, words, packet);
    if (found !== undefined && found === not) return false;
    if (found !== undefined) not = false;
  }
  return true;
}

/** Undefined for words that ask nothing. */
function holds(word: string, value: string, words: readonly string[], packet: Packet): boolean | undefined {
  const ports = () => value.split(',').map((range) => range.split(':').map(Number) as [number, number | undefined]);
  const within = (port: number) => ports().some(([from, to = from]) => port >= from && port <= to);
  switch (word) {
    case '-i':
      return packet.inInterface === value;
    case '-o':
      return packet.outInterface === value;
    case '-p':
      return packet.protocol === value;
    case '-s':
      return covers(value, packet.source);
    case '-d':
      return covers(value, packet.destination);
    case '--dport':
    case '--dports':
      return within(packet.destinationPort);
    case '--sport':
    case '--sports':
      return within(packet.sourcePort);
    case '--syn':
      return packet.syn;
    case '--tcp-flags':
      return !packet.syn;
    case '--ctstate':
      return value.split(',').includes(packet.state);
    case '--ctdir':
      return packet.state !== 'INVALID' && packet.direction === value;
    case '--ctexpire':
    case '--hashlimit-above':
    case '--length':
      return false;
    case '--icmp-type':
    case '--icmpv6-type':
      return packet.icmpType === Number(value);
    case '--mark':
      return words.includes('connmark')
        ? ((packet.connmark ^ Number(value.split('/')[0])) & Number(value.split('/')[1])) === 0
        : false;
    default:
      return undefined;
  }
}

function covers(prefix: string, address: string): boolean {
  const [base = '', mask = '255.255.255.255'] = prefix.split('/');
  const number = (text: string) => text.split('.').reduce((sum, octet) => ((sum << 8) | Number(octet)) >>> 0, 0);
  return ((number(base) ^ number(address)) & number(mask)) === 0;
}
