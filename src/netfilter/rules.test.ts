import { describe, expect, test } from 'vitest';
import {
  type Configuration,
  EMPTY_CONFIGURATION,
  type InspectedProtocol,
  type InterfaceConfiguration,
  type ProtocolInspection,
} from '../policy/configuration.ts';
import { markBits } from './marks.ts';
import { CHAINS, type RulesOptions, rulesFor } from './rules.ts';
import { isLinuxInterfaceName } from './steering.ts';

function configuration(
  interfaces: readonly InterfaceConfiguration[],
  protocols: readonly (InspectedProtocol | ProtocolInspection)[],
  rest: Partial<Configuration> = {},
): Configuration {
  const entries = protocols.map((entry) => (typeof entry === 'string' ? { protocol: entry } : entry));
  return { ...EMPTY_CONFIGURATION, interfaces, rules: [{ name: 'MAIL', protocols: entries }], ...rest };
}

function rules(of: Configuration, options: Partial<RulesOptions> = {}) {
  const texts = rulesFor({ configuration: of, firstQueue: 0, workers: 1, hashKey: 7, ...options });
  const lines = texts.ipv4.split('\n');
  const chain = (name: string): string[] => lines.filter((line) => line.startsWith(`-A ${name} `));
  return { ...texts, lines, chain };
}

const inX = [{ name: 'eth0', inspectIn: 'MAIL' }];
const anyIn = [{ name: 'any', inspectIn: 'MAIL' }];
const offloadOff = { postern: { offload: false } } as const;

/** What belongs to a session comes to the queue whatever else is steered. */
const SESSIONS =
  '-A POSTERN-FORWARD -m connmark --mark 0x10000000/0x10000000 -m conntrack --ctstate NEW,ESTABLISHED -j POSTERN-QUEUE';
/** What a mark may keep out of the queue: neither the beginning nor the end of a connection. */
const UNDER_WAY = '-m conntrack --ctexpire 121:4294967295';
const MIDDLE = '-p tcp --tcp-flags FIN,SYN,RST NONE';

describe('the whole text', () => {
  test('mail only: nothing but the mail ports, and no session is noted', () => {
    const inside = { name: 'eth0', inspectIn: 'MAIL', description: 'inside' };
    expect(rules(configuration([inside], ['ftp', 'pop3', 'imap'])).ipv4).toBe(
      `# Postern steers mail into its queues. Only chains named POSTERN-… are its own.
*mangle
:POSTERN-FORWARD - [0:0]
:POSTERN-INPUT - [0:0]
:POSTERN-OUTPUT - [0:0]
:POSTERN-QUEUE - [0:0]
:POSTERN-SAVE - [0:0]
-A POSTERN-FORWARD ${MIDDLE} -m connmark --mark 0x2000000/0x2000000 ${UNDER_WAY} -j RETURN
-A POSTERN-FORWARD ${MIDDLE} -m connmark --mark 0x4000000/0x4000000 ${UNDER_WAY} --ctdir REPLY -j RETURN
-A POSTERN-FORWARD -i eth0 -p tcp -m multiport --dports 110,143 -j POSTERN-QUEUE
-A POSTERN-FORWARD -o eth0 -p tcp -m multiport --sports 110,143 -j POSTERN-QUEUE
-A POSTERN-QUEUE -m mark ! --mark 0x0/0x1f000000 -j MARK --set-xmark 0x0/0x1f000000
-A POSTERN-QUEUE -p tcp --syn -m conntrack ! --ctstatus ASSURED -j NFQUEUE --queue-num 0
-A POSTERN-QUEUE -p tcp --syn -m conntrack --ctstate INVALID,UNTRACKED -j NFQUEUE --queue-num 0
-A POSTERN-QUEUE -j NFQUEUE --queue-num 1
-A POSTERN-SAVE -m mark --mark 0x0/0x1f000000 -j RETURN
-A POSTERN-SAVE -m mark --mark 0x2000000/0x2000000 -j CONNMARK --set-xmark 0x2000000/0x2000000
-A POSTERN-SAVE -m mark --mark 0x4000000/0x4000000 -j CONNMARK --set-xmark 0x4000000/0x4000000
-A POSTERN-SAVE -m mark --mark 0x8000000/0x8000000 -j CONNMARK --set-xmark 0x0/0x6000000
-A POSTERN-SAVE -j MARK --set-xmark 0x0/0x1f000000
-A FORWARD -p tcp -m conntrack --ctstate INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED -j POSTERN-FORWARD
-I POSTROUTING -p tcp -j POSTERN-SAVE
COMMIT
`,
    );
  });

  test('IPv6 is steered alike', () => {
    const texts = rules(configuration(inX, ['smtp']));
    expect(texts.ipv6).toBe(texts.ipv4);
  });

  test('C01: an IOS interface that Linux cannot have is left out and named', () => {
    const texts = rules(configuration([{ name: '1/0', inspectIn: 'MAIL' }], ['pop3', 'imap']));
    expect(texts.skippedInterfaces).toEqual(['1/0']);
    expect(texts.ipv4).not.toContain('-A ');
  });

  test('C03: SMTP in', () => {
    const { chain } = rules(configuration(inX, [{ protocol: 'smtp', maxDataBytes: 10_485_760 }], offloadOff));
    expect(chain('POSTERN-FORWARD')).toEqual([
      '-A POSTERN-FORWARD -i eth0 -p tcp -m multiport --dports 25,587 -j POSTERN-QUEUE',
      '-A POSTERN-FORWARD -o eth0 -p tcp -m multiport --sports 25,587 -j POSTERN-QUEUE',
    ]);
  });

  test('C04: ESMTP and POP3S out, and access groups whose lists judge nothing', () => {
    const dialer = { name: 'Dialer1', accessGroupIn: 'EXT_IN', accessGroupOut: 'EXT_OUT', inspectOut: 'MAIL' };
    const { chain } = rules(configuration([dialer], ['esmtp', 'pop3s'], offloadOff));
    expect(chain('POSTERN-FORWARD')).toEqual([
      '-A POSTERN-FORWARD -o Dialer1 -p tcp -m multiport --dports 25,587,995 -j POSTERN-QUEUE',
      '-A POSTERN-FORWARD -i Dialer1 -p tcp -m multiport --sports 25,587,995 -j POSTERN-QUEUE',
      SESSIONS,
    ]);
  });

  test.each([
    ['no configuration at all', EMPTY_CONFIGURATION],
    ['a rule that no interface uses', configuration([], ['smtp'])],
    ['an interface whose rule does not exist', configuration([{ name: 'eth0', inspectIn: 'OTHER' }], ['smtp'])],
    ['a rule without mail', configuration(anyIn, ['ftp', 'http'])],
  ])('%s: empty chains and no jump', (_name, of) => {
    const { lines } = rules(of);
    expect(lines.filter((line) => line.startsWith('-'))).toEqual([]);
    expect(lines.filter((line) => line.startsWith(':'))).toHaveLength(CHAINS.length);
  });
});

describe('hooks', () => {
  test('interface any: forwarded mail, and servers and clients on this host, never the loopback', () => {
    const { chain, lines } = rules(configuration(anyIn, ['imap'], offloadOff));
    expect(chain('POSTERN-FORWARD')).toEqual([
      '-A POSTERN-FORWARD -p tcp -m multiport --dports 143 -j POSTERN-QUEUE',
      '-A POSTERN-FORWARD -p tcp -m multiport --sports 143 -j POSTERN-QUEUE',
    ]);
    expect(chain('POSTERN-INPUT')).toEqual([
      '-A POSTERN-INPUT ! -i lo -p tcp -m multiport --dports 143 -j POSTERN-QUEUE',
      '-A POSTERN-INPUT ! -i lo -p tcp -m multiport --sports 143 -j POSTERN-QUEUE',
    ]);
    expect(chain('POSTERN-OUTPUT')).toEqual([
      '-A POSTERN-OUTPUT -m mark --mark 0x1000000/0x1000000 -j RETURN',
      '-A POSTERN-OUTPUT ! -o lo -p tcp -m multiport --dports 143 -j POSTERN-QUEUE',
      '-A POSTERN-OUTPUT ! -o lo -p tcp -m multiport --sports 143 -j POSTERN-QUEUE',
    ]);
    expect(lines.filter((line) => /^-A (FORWARD|INPUT|OUTPUT) /.test(line))).toHaveLength(3);
  });

  test('both directions of interface any do not steer twice', () => {
    const { chain } = rules(
      configuration([{ name: 'any', inspectIn: 'MAIL', inspectOut: 'MAIL' }], ['imap'], offloadOff),
    );
    expect(chain('POSTERN-FORWARD')).toHaveLength(2);
  });

  test('router-traffic in guards the servers of this host', () => {
    const { chain } = rules(configuration(inX, [{ protocol: 'smtp', routerTraffic: true }, 'imap'], offloadOff));
    expect(chain('POSTERN-INPUT')).toEqual([
      '-A POSTERN-INPUT -i eth0 -p tcp -m multiport --dports 25,587 -j POSTERN-QUEUE',
    ]);
    expect(chain('POSTERN-OUTPUT').slice(1)).toEqual([
      '-A POSTERN-OUTPUT -o eth0 -p tcp -m multiport --sports 25,587 -j POSTERN-QUEUE',
    ]);
  });

  test('router-traffic out watches its own clients', () => {
    const out = [{ name: 'eth0', inspectOut: 'MAIL' }];
    const { chain } = rules(configuration(out, [{ protocol: 'imap', routerTraffic: true }, 'smtp'], offloadOff));
    expect(chain('POSTERN-INPUT')).toEqual([
      '-A POSTERN-INPUT -i eth0 -p tcp -m multiport --sports 143 -j POSTERN-QUEUE',
    ]);
    expect(chain('POSTERN-OUTPUT').slice(1)).toEqual([
      '-A POSTERN-OUTPUT -o eth0 -p tcp -m multiport --dports 143 -j POSTERN-QUEUE',
    ]);
  });

  test('without router-traffic the router itself is left alone', () => {
    const { lines } = rules(configuration(inX, ['smtp', 'tcp', 'udp', 'icmp']));
    expect(lines.filter((line) => /^-A (INPUT|OUTPUT|POSTERN-INPUT|POSTERN-OUTPUT) /.test(line))).toEqual([]);
  });

  test('the loopback, when asked for, is judged once', () => {
    const { chain } = rules(configuration([{ name: 'lo', inspectOut: 'MAIL' }], ['smtp'], offloadOff));
    expect(chain('POSTERN-INPUT')).toEqual([]);
    expect(chain('POSTERN-OUTPUT').slice(1)).toEqual([
      '-A POSTERN-OUTPUT -o lo -p tcp -m multiport --dports 25,587 -j POSTERN-QUEUE',
      '-A POSTERN-OUTPUT -o lo -p tcp -m multiport --sports 25,587 -j POSTERN-QUEUE',
    ]);
  });

  test('in on the loopback steers nothing: what leaves by it is what enters by it', () => {
    expect(rules(configuration([{ name: 'lo', inspectIn: 'MAIL' }], ['smtp'])).ipv4).not.toContain('-A ');
  });

  test('the mark of injected packets counts only where Postern injects', () => {
    const { lines } = rules(configuration(anyIn, ['smtp']));
    const injected = lines.filter((line) => line.includes('--mark 0x1000000/'));
    expect(injected).toEqual(['-A POSTERN-OUTPUT -m mark --mark 0x1000000/0x1000000 -j RETURN']);
  });
});

describe('ports', () => {
  const portMap = (from: number, to: number) => ({ application: 'smtp', transport: 'tcp', from, to }) as const;

  test('ip port-map adds ports and ranges', () => {
    const { chain } = rules(
      configuration(inX, ['smtp'], { ...offloadOff, portMaps: [portMap(2525, 2525), portMap(7000, 7010)] }),
    );
    expect(chain('POSTERN-FORWARD')[0]).toContain('--dports 25,587,2525,7000:7010 ');
  });

  test('a port taken from one protocol by another follows it', () => {
    const maps = [{ application: 'imap', transport: 'tcp', from: 25, to: 25 }] as const;
    expect(rules(configuration(inX, ['smtp'], { portMaps: maps })).ipv4).not.toMatch(/ports 25\b/);
  });

  test('more than one multiport match can take: several lines, none with over 15 slots', () => {
    const portMaps = Array.from({ length: 40 }, (_, index) =>
      portMap(3000 + 10 * index, 3000 + 10 * index + (index % 2)),
    );
    const { chain } = rules(configuration(inX, ['smtp'], { ...offloadOff, portMaps }));
    const lists = chain('POSTERN-FORWARD')
      .filter((line) => line.includes('--dports'))
      .map((line) => /--dports (\S+)/.exec(line)?.[1] ?? '');
    expect(lists.length).toBeGreaterThan(3);
    for (const list of lists) expect(list.split(/[,:]/).length).toBeLessThanOrEqual(15);
    expect(lists.join(',').split(',')).toHaveLength(42);
  });
});

describe('options', () => {
  test('fail open lets packets pass when nobody listens; closed never does', () => {
    expect(rules(configuration(inX, ['smtp'], { postern: { fail: 'open' } })).ipv4).toContain(
      'NFQUEUE --queue-num 0 --queue-bypass',
    );
    expect(rules(configuration(inX, ['smtp'], { postern: { fail: 'open' } })).ipv4).toContain(
      'NFQUEUE --queue-num 1 --queue-bypass',
    );
    expect(rules(configuration(inX, ['smtp'])).ipv4).not.toContain('bypass');
  });

  test('an access list is asked before offloaded flows go: a new one denies those too', () => {
    const interfaces = [{ name: 'eth0', inspectIn: 'MAIL', accessGroupIn: 'L' }];
    const anywhere = { address: '0.0.0.0', wildcard: '255.255.255.255' };
    const entry = { kind: 'rule', action: 'deny', protocol: 'tcp', source: anywhere, destination: anywhere } as const;
    const accessLists = [{ name: 'L', kind: 'extended', entries: [entry] }] as const;
    const { chain } = rules(configuration(interfaces, ['smtp'], { accessLists }));
    const lines = chain('POSTERN-FORWARD');
    const list = lines.findIndex((line) => line.endsWith('-j POSTERN-ACL-1'));
    const offloaded = lines.findIndex((line) => line.includes('--mark 0x2000000/0x2000000'));
    expect(list).toBeGreaterThanOrEqual(0);
    expect(offloaded).toBeGreaterThan(list);
  });

  test('offload off: no connmark is read or written', () => {
    const { ipv4 } = rules(configuration(anyIn, ['smtp'], offloadOff));
    expect(ipv4).not.toMatch(/connmark|CONNMARK|POSTROUTING|MARK --set/);
  });

  test('several workers: the gate, ICMP, then each queue once; the last takes what no program claims', () => {
    const texts = rules(configuration(inX, ['smtp']), { firstQueue: 10, workers: 3 });
    const queues = texts.chain('POSTERN-QUEUE').filter((line) => line.includes('NFQUEUE'));
    expect(queues.map((line) => /--queue-num (\d+)/.exec(line)?.[1])).toEqual(['10', '10', '11', '11', '12', '13']);
    expect(queues.map((line) => line.includes('-m bpf'))).toEqual([false, false, false, true, true, false]);
    expect(queues[0]).toContain('-p tcp --syn -m conntrack ! --ctstatus ASSURED ');
    expect(queues[1]).toContain('-p tcp --syn -m conntrack --ctstate INVALID,UNTRACKED ');
    expect(queues[2]).toBe('-A POSTERN-QUEUE -p icmp -j NFQUEUE --queue-num 11');
    expect(texts.ipv6).toContain('-A POSTERN-QUEUE -p icmpv6 -j NFQUEUE --queue-num 11');
  });

  test('the bits of the mark can be put elsewhere, and no rule writes outside of them', () => {
    const { lines } = rules(configuration(anyIn, ['smtp']), { markShift: 0 });
    const masks = lines.flatMap((line) =>
      [...line.matchAll(/--set-xmark 0x[0-9a-f]+\/0x([0-9a-f]+)/g)].map((m) => m[1]),
    );
    expect(masks.length).toBeGreaterThan(3);
    for (const mask of masks) expect(Number.parseInt(mask ?? '', 16) & ~markBits(0).all).toBe(0);
    expect(lines.join()).not.toContain('--save-mark');
  });

  test.each([
    { workers: 0 },
    { workers: 1.5 },
    { firstQueue: -1 },
    { firstQueue: 65_534, workers: 2 },
    { markShift: 29 },
    { markShift: -1 },
  ])('%j is refused', (options) => {
    expect(() => rules(configuration(inX, ['smtp']), options)).toThrow(RangeError);
  });
});

describe('interface names cannot smuggle rules in', () => {
  test.each([
    'eth0\n-A FORWARD -j ACCEPT',
    'eth0 -j ACCEPT',
    'eth+',
    '!',
    '',
    '-x',
    'GigabitEthernet0/0',
    'a'.repeat(16),
    '..',
  ])('%j is left out', (name) => {
    const texts = rules(configuration([{ name, inspectIn: 'MAIL' }], ['smtp']));
    expect(texts.skippedInterfaces).toEqual([name]);
    expect(texts.ipv4).not.toContain('-A ');
  });

  test.each(['eth0', 'eth0.100', 'wg-home', 'br_lan', 'veth1@x', 'a'.repeat(15)])('%j is good', (name) => {
    expect(isLinuxInterfaceName(name)).toBe(true);
  });
});

test('marks: five bits in a row', () => {
  expect(markBits()).toEqual({
    injected: 0x0100_0000,
    offloadBoth: 0x0200_0000,
    offloadResponder: 0x0400_0000,
    clear: 0x0800_0000,
    session: 0x1000_0000,
    all: 0x1f00_0000,
    offload: 0x0600_0000,
    zoneDrop: 0x1900_0000,
    zonePass: 0x0900_0000,
  });
  expect(markBits(27).session).toBe(0x8000_0000);
});
