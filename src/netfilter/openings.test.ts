import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { entryLabel, numberedRules } from '../policy/access-entry.ts';
import { type AccessEntry, type AccessList, type Configuration, EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { clearAccessCounts, readAccessCounts } from './counters.ts';
import { installRules, removeRules } from './install.ts';
import { rulesFor } from './rules.ts';
import { findProgram, type RunCommand, runCommand } from './run-command.ts';

/**
 * The rules at work in a kernel: one router between an outside and an inside host. No daemon serves the queues; with
 * `postern fail open` they let pass, and a rule of the test behind the queue stands for the verdict that sets the mark.
 */
const PREFIX = `pno-${process.pid}`;
const [outside, router, inside] = ['o', 'r', 'i'].map((role) => `${PREFIX}-${role}`) as [string, string, string];
const OUTSIDE = '10.9.1.2';
const INSIDE = '10.9.2.2';
const SESSION = '0x10000000/0x10000000';

const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });
const within = (namespace: string, ...command: string[]): string => ip('netns', 'exec', namespace, ...command);

const programs = ['ip', 'iptables', 'ip6tables', 'python3'];
const reason =
  process.getuid?.() === 0 && programs.every((program) => findProgram(program) !== undefined)
    ? undefined
    : `needs root and ${programs.join(', ')}`;
if (reason !== undefined) console.warn(`skipped: openings in a real kernel: ${reason}`);
const backends = ['', '-legacy'].filter((backend) => findProgram(`iptables${backend}-restore`) !== undefined);

const anywhere = { address: '0.0.0.0', wildcard: '255.255.255.255' };
const host = (address: string) => ({ address, wildcard: '0.0.0.0' });
type Rule = AccessEntry & { readonly kind: 'rule' };
const entry = (action: 'permit' | 'deny', protocol: string, rest: Partial<Rule> = {}): Rule => ({
  kind: 'rule',
  action,
  protocol,
  source: anywhere,
  destination: anywhere,
  ...rest,
});
const eq = (from: number) => ({ operator: 'eq', from }) as const;

function firewall(entries: readonly Rule[], rest: Partial<Configuration> = {}): Configuration {
  return {
    ...EMPTY_CONFIGURATION,
    interfaces: [{ name: 'outside0', accessGroupIn: 'L' }],
    accessLists: [{ name: 'L', kind: 'extended', entries }],
    postern: { fail: 'open' },
    ...rest,
  };
}

/** One datagram or segment, written by hand: protocol, ports or type and code, TCP flags; answers nothing. */
const SEND = `
import socket, struct, sys
def total(data):
    if len(data) % 2: data += b'\\0'
    value = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while value >> 16: value = (value & 0xffff) + (value >> 16)
    return ~value & 0xffff
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for line in sys.argv[1:]:
    source, destination, protocol, first, second, flags, tos = line.split(',')
    protocol, first, second, flags = int(protocol), int(first), int(second), int(flags)
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    if protocol == 6: body, at = struct.pack('!HHIIBBHHH', first, second, 1, 1, 5 << 4, flags, 1024, 0, 0), 16
    elif protocol == 17: body, at = struct.pack('!HHHH', first, second, 8, 0), 6
    elif protocol == 1: body, at = struct.pack('!BBHHH', first, second, 0, 7, 1), 2
    else: body, at = b'12345678', None
    if at is not None:
        pseudo = b'' if protocol == 1 else ends + struct.pack('!BBH', 0, protocol, len(body))
        body = body[:at] + struct.pack('!H', total(pseudo + body)) + body[at + 2:]
    head = struct.pack('!BBHHHBBH', 0x45, int(tos), 20 + len(body), 9, 0, 64, protocol, 0) + ends
    raw.sendto(head + body, (destination, 0))
`;
interface Packet {
  readonly protocol: number;
  readonly source?: string;
  readonly to?: string;
  readonly first?: number;
  readonly second?: number;
  readonly flags?: number;
  readonly tos?: number;
}
const send = (...packets: readonly Packet[]): string =>
  within(
    outside,
    'python3',
    '-c',
    SEND,
    ...packets.map(({ protocol, source = OUTSIDE, to = INSIDE, first = 4000, second = 0, flags = 2, tos = 0 }) =>
      [source, to, protocol, first, second, flags, tos].join(','),
    ),
  );

const PING = `
import os, socket, struct, sys
me = os.getpid() % 32768
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
raw.settimeout(1)
raw.connect((sys.argv[1], 0))
raw.send(struct.pack('!BBHHH', 8, 0, 0xffff - 0x0800 - me - 1, me, 1))
try: print('answered' if raw.recv(99)[20] == 0 else 'something else')
except OSError: print('silence')
`;
/** Starts nothing in the background: both ends of one exchange in one program, the server's in another namespace. */
const EXCHANGE = `
import ctypes, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def enter(name):
    with open('/run/netns/' + name) as space:
        if libc.setns(space.fileno(), 0x40000000) != 0: raise OSError(ctypes.get_errno())
client_space, server_space, address, port, kind = sys.argv[1:6]
enter(server_space)
if kind == 'udp':
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); server.bind((address, int(port)))
else:
    server = socket.create_server((address, int(port)))
server.settimeout(1.5)
enter(client_space)
try:
    if kind == 'udp':
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); client.settimeout(1.5)
        client.sendto(b'ask', (address, int(port)))
        data, peer = server.recvfrom(9); server.sendto(data, peer)
        print(client.recv(9).decode())
    else:
        client = socket.create_connection((address, int(port)), timeout=1.5)
        peer, _ = server.accept(); client.sendall(b'ask'); peer.sendall(peer.recv(9))
        print(client.recv(9).decode())
except OSError as error: print('failed:', error)
`;
/** 'ask' when the answer came back. */
const exchange = (from: string, to: string, address: string, port: number, kind: 'tcp' | 'udp' = 'tcp'): string =>
  execFileSync('python3', ['-c', EXCHANGE, from, to, address, String(port), kind], { encoding: 'utf8' }).trim();

describe.skipIf(reason !== undefined).each(backends)('openings (iptables%s)', { timeout: 30_000 }, (backend) => {
  const run: RunCommand = (program, args, input) => {
    const twin = program.replace(/(ip6?tables)/, `$1${backend}`);
    return runCommand(findProgram('ip') ?? 'ip', ['netns', 'exec', router, twin, ...args], input);
  };
  const iptables = (...args: string[]): string => within(router, `iptables${backend}`, ...args);
  const install = (configuration: Configuration) =>
    installRules(rulesFor({ configuration, firstQueue: 40, workers: 2, hashKey: 5 }), { run });
  /** What the entries of the only list decided, in their order. */
  async function matches({ accessLists }: Configuration): Promise<readonly (number | undefined)[]> {
    const counts = (await readAccessCounts(run)).matches;
    const [list] = accessLists as [AccessList];
    return numberedRules(list).map(({ sequence, rule }) => counts.get(entryLabel(list, sequence, rule)));
  }

  beforeAll(() => {
    for (const name of [outside, router, inside]) {
      ip('netns', 'add', name);
      within(name, 'ip', 'link', 'set', 'lo', 'up');
    }
    for (const [end, name, net] of [
      [outside, 'outside0', '10.9.1'],
      [inside, 'inside0', '10.9.2'],
    ] as const) {
      ip('-n', end, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', name, 'netns', router);
      ip('-n', end, 'addr', 'add', `${net}.2/24`, 'dev', 'eth0');
      ip('-n', router, 'addr', 'add', `${net}.1/24`, 'dev', name);
      ip('-n', end, 'link', 'set', 'eth0', 'up');
      ip('-n', router, 'link', 'set', name, 'up');
      ip('-n', end, 'route', 'add', 'default', 'via', `${net}.1`);
    }
    within(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.rp_filter=0');
    within(router, 'sysctl', '-qw', 'net.ipv4.conf.outside0.rp_filter=0');
  });
  afterAll(() => {
    for (const name of [outside, router, inside]) ip('netns', 'del', name);
  });
  beforeEach(() => iptables('-t', 'filter', '-F'));
  afterEach(() => removeRules({ run }));

  test('entries in order, the first that fits decides, and nothing left is denied', async () => {
    const configuration = firewall([
      entry('deny', 'tcp', { source: host('10.9.1.66') }),
      entry('permit', 'tcp', { destination: host(INSIDE), destinationPort: eq(25) }),
      entry('deny', 'tcp', { destinationPort: { operator: 'range', from: 20, to: 30 } }),
      entry('permit', 'tcp', { established: true }),
      entry('permit', 'icmp', { rest: 'echo' }),
    ]);
    await install(configuration);
    send(
      { protocol: 6, source: '10.9.1.66', second: 25 },
      { protocol: 6, second: 25 },
      { protocol: 6, second: 26 },
      { protocol: 6, second: 31 },
      { protocol: 6, first: 4001, second: 31, flags: 0x10 },
      { protocol: 6, first: 4002, second: 31, flags: 0x04 },
      { protocol: 1, first: 8 },
      { protocol: 1, first: 13 },
      { protocol: 17, second: 53 },
      { protocol: 6, to: '10.9.1.1', second: 31 },
    );
    expect(await matches(configuration)).toEqual([1, 1, 1, 2, 1]);
    // The three of the end: port 31, the timestamp request, the query; the router's own port 31 too.
    expect((await readAccessCounts(run)).denied).toBe(1 + 1 + 4);
  });

  test('words of every kind, wildcards with holes among them, as the kernel reads them', async () => {
    const cases: readonly [Rule, Packet, Packet][] = [
      [
        entry('permit', 'udp', { source: { address: '10.9.1.1', wildcard: '0.0.0.6' } }),
        { protocol: 17, source: '10.9.1.7', second: 9 },
        { protocol: 17, source: '10.9.1.8', second: 9 },
      ],
      [
        entry('permit', 'udp', { destinationPort: { operator: 'gt', from: 1000 } }),
        { protocol: 17, second: 1001 },
        { protocol: 17, second: 1000 },
      ],
      [
        entry('permit', 'udp', { sourcePort: { operator: 'lt', from: 1000 } }),
        { protocol: 17, first: 999, second: 5 },
        { protocol: 17, first: 1000, second: 5 },
      ],
      [
        entry('permit', 'tcp', { destinationPort: { operator: 'neq', from: 25 } }),
        { protocol: 6, second: 26 },
        { protocol: 6, second: 25 },
      ],
      [
        entry('permit', 'tcp', { rest: 'fin psh' }),
        { protocol: 6, first: 1, second: 2, flags: 8 },
        { protocol: 6, second: 3, flags: 2 },
      ],
      [entry('permit', 'icmp', { rest: '13 0' }), { protocol: 1, first: 13 }, { protocol: 1, first: 8 }],
      [entry('permit', '47'), { protocol: 47 }, { protocol: 50 }],
      [
        entry('permit', 'udp', { rest: 'dscp ef' }),
        { protocol: 17, second: 5, tos: 46 << 2 },
        { protocol: 17, second: 5, tos: 44 << 2 },
      ],
      [
        entry('permit', 'udp', { rest: 'tos min-delay precedence critical' }),
        { protocol: 17, second: 5, tos: (5 << 5) | (8 << 1) },
        { protocol: 17, second: 5, tos: (5 << 5) | (4 << 1) },
      ],
      [
        entry('permit', 'udp', { rest: 'precedence network' }),
        { protocol: 17, second: 5, tos: (7 << 5) | (3 << 1) },
        { protocol: 17, second: 5, tos: 6 << 5 },
      ],
    ];
    for (const [rule, fitting, other] of cases) {
      const configuration = firewall([rule]);
      await clearAccessCounts(undefined, run);
      await install(configuration);
      send(fitting, other);
      expect(await matches(configuration), JSON.stringify(rule)).toEqual([1]);
      expect((await readAccessCounts(run)).denied, JSON.stringify(rule)).toBe(1);
      await removeRules({ run });
    }
  });

  test('a fragment never comes as one; a log is told; IPv6 is not touched', async () => {
    const configuration = firewall([
      entry('deny', 'ip', { rest: 'fragments' }),
      entry('permit', 'udp', { rest: 'log-input' }),
      entry('deny', 'ip', { log: true }),
    ]);
    await install(configuration);
    ip('-n', outside, 'link', 'set', 'eth0', 'mtu', '1000');
    within(
      outside,
      'python3',
      '-c',
      `import socket
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.sendto(b'x' * 3000, ('${INSIDE}', 9))`,
    );
    ip('-n', outside, 'link', 'set', 'eth0', 'mtu', '1500');
    send({ protocol: 6, second: 25 });
    expect(await matches(configuration)).toEqual([0, 1, 1]);
    const logged = [...iptables('-t', 'mangle', '-nvxL', 'POSTERN-ACL-1').matchAll(/^ *(\d+) .*prefix "([^"]*)"/gm)];
    expect(logged.map(([, packets, prefix]) => [packets, prefix])).toEqual([
      ['1', 'postern: L permitted '],
      ['1', 'postern: L denied '],
    ]);
    expect(within(router, `ip6tables${backend}`, '-t', 'mangle', '-S')).not.toContain('ACL');
  });

  describe('a session is the permit of its answers', () => {
    const generic = (protocol: 'tcp' | 'udp' | 'icmp' | 'smtp'): Configuration =>
      firewall([entry('deny', 'ip')], {
        rules: [{ name: 'R', protocols: [{ protocol }] }],
        interfaces: [
          { name: 'outside0', accessGroupIn: 'L' },
          { name: 'inside0', inspectIn: 'R' },
        ],
      });
    /** Stands for the engine: what opens a session from inside is accepted with its mark. */
    const judge = (): string =>
      iptables(
        '-A',
        'FORWARD',
        '-i',
        'inside0',
        '-m',
        'conntrack',
        '--ctstate',
        'NEW',
        '-j',
        'MARK',
        '--or-mark',
        SESSION.split('/')[0] ?? '',
      );

    test.each([
      ['smtp', 25, 'tcp'],
      ['tcp', 8080, 'tcp'],
      ['udp', 53, 'udp'],
    ] as const)(
      '%s: without the accept no answer comes in, with it all of them, and never a stranger',
      async (protocol, port, transport) => {
        const configuration = generic(protocol);
        await install(configuration);
        expect(exchange(inside, outside, OUTSIDE, port, transport)).toMatch(/^failed/);
        const [refused = 0] = await matches(configuration);
        expect(refused).toBeGreaterThan(0);
        judge();
        await clearAccessCounts('L', run);
        expect(exchange(inside, outside, OUTSIDE, port, transport)).toBe('ask');
        expect(await matches(configuration)).toEqual([0]);
        // The other way nothing opens: neither a SYN nor a query nor a late segment.
        expect(exchange(outside, inside, INSIDE, port, transport)).toMatch(/^failed/);
        const before = (await readAccessCounts(run)).denied;
        send({ protocol: 6, first: port, second: 33_333, flags: 0x10 });
        expect((await readAccessCounts(run)).denied).toBe(before + 1);
      },
    );

    test('icmp: the echo reply comes in, and errors about a session; others do not', async () => {
      const configuration = generic('icmp');
      await install(configuration);
      const ping = (): boolean => within(inside, 'python3', '-c', PING, OUTSIDE).trim() === 'answered';
      expect(ping()).toBe(false);
      judge();
      expect(ping()).toBe(true);
      const udp = { ...generic('udp') };
      await install(udp);
      await clearAccessCounts(undefined, run);
      // A closed port: the error belongs to the session that the query opened.
      const ask = `import socket
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.settimeout(1); udp.connect(('${OUTSIDE}', 7)); udp.send(b'x')
try: udp.recv(1)
except ConnectionRefusedError: print('refused')
except OSError: print('silence')`;
      expect(within(inside, 'python3', '-c', ask).trim()).toBe('refused');
      iptables('-F', 'FORWARD');
      expect(within(inside, 'python3', '-c', ask).trim()).toBe('silence');
      expect((await matches(udp))[0]).toBeGreaterThan(0);
    });

    test('a SYN needs a permit of its own, on whatever connection it comes', async () => {
      const configuration = generic('tcp');
      await install(configuration);
      judge();
      iptables(
        '-t',
        'mangle',
        '-I',
        'PREROUTING',
        '-i',
        'outside0',
        '-p',
        'tcp',
        '-j',
        'CONNMARK',
        '--set-xmark',
        SESSION,
      );
      try {
        send({ protocol: 6, second: 99 });
        expect(await matches(configuration)).toEqual([1]);
      } finally {
        iptables(
          '-t',
          'mangle',
          '-D',
          'PREROUTING',
          '-i',
          'outside0',
          '-p',
          'tcp',
          '-j',
          'CONNMARK',
          '--set-xmark',
          SESSION,
        );
      }
    });

    test('what belongs to a session goes to the queue in both directions, with the mark only as an answer', async () => {
      await install(generic('udp'));
      judge();
      const marked = (side: string): string[] => [
        '-t',
        'filter',
        '-I',
        'FORWARD',
        '-i',
        side,
        '-m',
        'mark',
        '--mark',
        SESSION,
      ];
      iptables(...marked('outside0'));
      iptables(...marked('inside0'));
      expect(exchange(inside, outside, OUTSIDE, 53, 'udp')).toBe('ask');
      const seen = [...iptables('-nvxL', 'FORWARD').matchAll(/^ *(\d+) .* (\w+0) .*mark match/gm)];
      expect(seen.map(([, packets, side]) => [side, packets])).toEqual([
        ['inside0', '0'],
        ['outside0', '1'],
      ]);
      const queue = [...iptables('-t', 'mangle', '-nvxL', 'POSTERN-QUEUE').matchAll(/^ *(\d+) .*NFQUEUE num/gm)];
      expect(queue.reduce((sum, [, packets]) => sum + Number(packets), 0)).toBe(2);
    });
  });

  describe('the router itself', () => {
    const guarded: Configuration = firewall([entry('deny', 'ip')], {
      rules: [{ name: 'R', protocols: [{ protocol: 'tcp', routerTraffic: true }] }],
      interfaces: [
        { name: 'inside0', inspectIn: 'R' },
        { name: 'outside0', accessGroupIn: 'L', inspectOut: 'R' },
      ],
    });
    const kept = (): string => within(router, 'cat', '/proc/net/nf_conntrack');

    test('a server on it: the connection is marked when its first packet arrives, so its answers are inspected', async () => {
      await install(guarded);
      expect(exchange(inside, router, '10.9.2.1', 8025)).toBe('ask');
      const answers = /^ *(\d+) .*POSTERN-QUEUE .*connmark/m.exec(iptables('-t', 'mangle', '-nvxL', 'POSTERN-OUTPUT'));
      expect(Number(answers?.[1])).toBeGreaterThan(1);
      expect(kept()).toContain('dport=8025');
    });

    test('a first packet that the queue refuses leaves no connection and no mark', async () => {
      await install({ ...guarded, postern: { fail: 'closed' } });
      expect(exchange(inside, router, '10.9.2.1', 8026)).toMatch(/^failed/);
      expect(kept()).not.toContain('dport=8026');
    });

    test('its own client: the answer passes the list that denies everything, a stranger does not', async () => {
      await install(guarded);
      expect(exchange(router, outside, OUTSIDE, 8027)).toMatch(/^failed/);
      iptables('-A', 'OUTPUT', '-o', 'outside0', '-p', 'tcp', '-j', 'MARK', '--or-mark', SESSION.split('/')[0] ?? '');
      expect(exchange(router, outside, OUTSIDE, 8028)).toBe('ask');
      expect(exchange(outside, router, '10.9.1.1', 8029)).toMatch(/^failed/);
    });
  });

  test('an interface without a line of ours is not touched', async () => {
    await install(
      firewall([entry('deny', 'ip')], {
        rules: [{ name: 'R', protocols: [{ protocol: 'tcp' }, { protocol: 'udp' }] }],
        interfaces: [{ name: 'elsewhere0', accessGroupIn: 'L', accessGroupOut: 'L', inspectIn: 'R' }],
        postern: { fail: 'closed' },
      }),
    );
    expect(exchange(inside, outside, OUTSIDE, 25)).toBe('ask');
    expect(exchange(outside, inside, INSIDE, 53, 'udp')).toBe('ask');
    expect(exchange(outside, router, '10.9.1.1', 8030)).toBe('ask');
  });

  test('installed again, entries go on counting; a changed one begins anew; clear begins anew', async () => {
    const first = entry('permit', 'udp', { destinationPort: eq(53) });
    const before = firewall([first, entry('deny', 'udp')]);
    await install(before);
    send({ protocol: 17, second: 53 }, { protocol: 17, second: 54 }, { protocol: 17, second: 55 });
    expect(await matches(before)).toEqual([1, 2]);
    const after = firewall([first, entry('deny', 'udp', { log: true })]);
    await install(after);
    expect(await matches(after)).toEqual([1, 0]);
    send({ protocol: 17, first: 4001, second: 53 });
    await install(after);
    expect(await matches(after)).toEqual([2, 0]);
    expect(await clearAccessCounts('OTHER', run)).toBe(false);
    expect(await matches(after)).toEqual([2, 0]);
    expect(await clearAccessCounts('L', run)).toBe(true);
    expect(await matches(after)).toEqual([0, 0]);
    await install({ ...after, interfaces: [{ name: 'outside0', accessGroupIn: 'GONE' }] });
    expect(await readAccessCounts(run)).toEqual({ denied: 0, matches: new Map() });
    expect(iptables('-t', 'mangle', '-S')).not.toContain('ACL');
  });
});
