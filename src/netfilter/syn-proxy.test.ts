import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Configuration, EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { installRules, removeRules } from './install.ts';
import { rulesFor } from './rules.ts';
import { findProgram, type RunCommand, runCommand } from './run-command.ts';
import { readSynCounts, removeSynProxy, setSynProxy } from './syn-proxy.ts';

/**
 * The rules of flooded servers in a kernel: a router between a client and a server. No daemon serves the queues;
 * `postern fail open` lets pass what comes there.
 */
const PREFIX = `pnx-${process.pid}`;
const [outside, router, inside] = ['o', 'r', 'i'].map((role) => `${PREFIX}-${role}`) as [string, string, string];
const SERVER = { v4: '10.9.2.2', v6: 'fd09:2::2' } as const;
const PORT = 25;

const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });
const within = (namespace: string, ...command: string[]): string => ip('netns', 'exec', namespace, ...command);

const programs = ['ip', 'iptables', 'ip6tables', 'python3'];
const reason =
  process.getuid?.() === 0 && programs.every((program) => findProgram(program) !== undefined)
    ? undefined
    : `needs root and ${programs.join(', ')}`;
if (reason !== undefined) console.warn(`skipped: the SYN proxy in a real kernel: ${reason}`);

const CONFIGURATION: Configuration = {
  ...EMPTY_CONFIGURATION,
  rules: [{ name: 'M', protocols: [{ protocol: 'smtp' }] }],
  interfaces: [{ name: 'outside0', inspectIn: 'M' }],
  postern: { synProxy: 'aggressive', fail: 'open', offload: false },
};
const ANY = { address: '0.0.0.0', wildcard: '255.255.255.255' };

const run: RunCommand = (program, args, input) =>
  runCommand(findProgram('ip') ?? 'ip', ['netns', 'exec', router, program, ...args], input);
const options = { run, ipv6: true };
const both = (answers: boolean) => Object.values(SERVER).map((address) => ({ address, answers }));
const saved = (program: string, table: string): string => within(router, `${program}-save`, '-c', '-t', table);

/** A client and a server in one program, each in its namespace: the client's question comes back. */
const EXCHANGE = `
import ctypes, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def enter(name):
    with open('/run/netns/' + name) as space:
        if libc.setns(space.fileno(), 0x40000000) != 0: raise OSError(ctypes.get_errno())
client_space, server_space, address, port = sys.argv[1:5]
enter(server_space)
server = socket.create_server((address, int(port)), family=socket.AF_INET6 if ':' in address else socket.AF_INET)
server.settimeout(2)
enter(client_space)
try:
    client = socket.create_connection((address, int(port)), timeout=2)
    peer, _ = server.accept(); client.sendall(b'ask'); peer.sendall(peer.recv(9))
    print(client.recv(9).decode())
except OSError as error: print('failed:', error)
`;
const exchange = (address: string): string =>
  execFileSync('python3', ['-c', EXCHANGE, outside, inside, address, String(PORT)], { encoding: 'utf8' }).trim();

/** Packets that a SYNPROXY rule took. */
function answered(program: string): number {
  const counts = [...saved(program, 'mangle').matchAll(/^\[(\d+):\d+\] -A POSTERN-PROXY .*-j SYNPROXY/gm)];
  return counts.reduce((sum, [, packets]) => sum + Number(packets), 0);
}

async function install(configuration: Configuration = CONFIGURATION): Promise<void> {
  await installRules(rulesFor({ configuration, firstQueue: 40, workers: 2, hashKey: 5 }), options);
}

describe.skipIf(reason !== undefined)('the kernel answers for a server', { timeout: 30_000 }, () => {
  beforeAll(() => {
    for (const name of [outside, router, inside]) {
      ip('netns', 'add', name);
      within(name, 'ip', 'link', 'set', 'lo', 'up');
    }
    for (const [end, name, net] of [
      [outside, 'outside0', 1],
      [inside, 'inside0', 2],
    ] as const) {
      ip('-n', end, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', name, 'netns', router);
      for (const [host, namespace, device] of [
        [2, end, 'eth0'],
        [1, router, name],
      ] as const) {
        ip('-n', namespace, 'addr', 'add', `10.9.${net}.${host}/24`, 'dev', device);
        ip('-n', namespace, 'addr', 'add', `fd09:${net}::${host}/64`, 'dev', device, 'nodad');
        ip('-n', namespace, 'link', 'set', device, 'up');
      }
      ip('-n', end, 'route', 'add', 'default', 'via', `10.9.${net}.1`);
      ip('-n', end, '-6', 'route', 'add', 'default', 'via', `fd09:${net}::1`);
    }
    within(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
  });
  afterAll(() => {
    for (const name of [outside, router, inside]) ip('netns', 'del', name);
  });
  afterEach(async () => {
    await removeSynProxy(options);
    await removeRules(options);
  });

  test.each([1, 0])('clients come in by both families, with nf_conntrack_tcp_loose %i', async (loose) => {
    await install();
    within(router, 'sysctl', '-qw', `net.netfilter.nf_conntrack_tcp_loose=${loose}`);
    expect(await setSynProxy(CONFIGURATION, both(true), options)).toBeUndefined();
    for (const [address, program] of [
      [SERVER.v4, 'iptables'],
      [SERVER.v6, 'ip6tables'],
    ] as const) {
      expect(exchange(address)).toBe('ask');
      expect(answered(program)).toBeGreaterThanOrEqual(2);
      expect((await readSynCounts(options)).get(address)).toBe(1);
      // The SYN that the kernel sends for the client is judged; its acknowledgement must not wait, and what it tells
      // clients is the flood's volume.
      expect(saved(program, 'mangle')).toMatch(/^\[1:\d+\] -A POSTERN-PROXIED .*-j POSTERN-QUEUE/m);
      expect(saved(program, 'mangle')).toMatch(/^\[1:\d+\] -A POSTERN-PROXIED -d .*-j ACCEPT/m);
      expect(saved(program, 'mangle')).toMatch(/^\[2:\d+\] -A POSTERN-PROXIED -s .*-j ACCEPT/m);
    }
  });

  test('rules come and go beside the steering rules, which go on counting', async () => {
    await install();
    expect(exchange(SERVER.v4)).toBe('ask');
    const jumped = (): number => Number(/^\[(\d+):\d+\] -A FORWARD /m.exec(saved('iptables', 'mangle'))?.[1]);
    const before = jumped();
    expect(before).toBeGreaterThan(3);
    await setSynProxy(CONFIGURATION, both(true), options);
    await setSynProxy(CONFIGURATION, both(true), options);
    expect(saved('iptables', 'raw').match(/-A PREROUTING .*POSTERN-PROXY/g)).toHaveLength(1);
    expect(jumped()).toBe(before);
    await setSynProxy(CONFIGURATION, [], options);
    for (const program of ['iptables', 'ip6tables']) {
      expect(saved(program, 'raw')).not.toContain('POSTERN');
      expect(saved(program, 'mangle')).not.toContain('SYNPROXY');
      expect(saved(program, 'mangle')).toContain('-j POSTERN-PROXY');
    }
    expect(jumped()).toBe(before);
    expect(exchange(SERVER.v4)).toBe('ask');
  });

  test('while the last ones come in, new clients meet the server itself', async () => {
    await install();
    await setSynProxy(CONFIGURATION, both(true), options);
    await setSynProxy(CONFIGURATION, both(false), options);
    expect(saved('iptables', 'raw')).not.toContain('POSTERN');
    expect(exchange(SERVER.v4)).toBe('ask');
    expect(answered('iptables')).toBe(0);
  });

  test('whom an access list denies is not answered', async () => {
    const entries = [
      { kind: 'rule', action: 'deny', protocol: 'tcp', source: ANY, destination: ANY },
      { kind: 'rule', action: 'permit', protocol: 'ip', source: ANY, destination: ANY },
    ] as const;
    const guarded: Configuration = {
      ...CONFIGURATION,
      interfaces: [{ name: 'outside0', inspectIn: 'M', accessGroupIn: 'L' }],
      accessLists: [{ name: 'L', kind: 'extended', entries }],
    };
    await install(guarded);
    await setSynProxy(guarded, both(true), options);
    expect(exchange(SERVER.v4)).toContain('failed');
    expect((await readSynCounts(options)).get(SERVER.v4)).toBeGreaterThanOrEqual(1);
    expect(answered('iptables')).toBe(0);
  });

  test('what a killed daemon left goes, and nothing of others', async () => {
    await install();
    within(router, 'iptables', '-t', 'raw', '-A', 'PREROUTING', '-s', '192.0.2.1', '-j', 'DROP');
    await setSynProxy(CONFIGURATION, both(true), options);
    expect(await removeSynProxy(options)).toBeUndefined();
    expect(await removeSynProxy(options)).toBeUndefined();
    await removeRules(options);
    expect(saved('iptables', 'raw')).toContain('-s 192.0.2.1/32 -j DROP');
    for (const table of ['raw', 'mangle']) expect(saved('iptables', table)).not.toContain('POSTERN');
  });
});

test('a kernel without SYNPROXY is named by what iptables says', async () => {
  const refuses: RunCommand = async (program) =>
    program.endsWith('-restore')
      ? { code: 2, stdout: '', stderr: "# Warning\nCouldn't load target `SYNPROXY'\n" }
      : { code: 0, stdout: '', stderr: '' };
  const refusal = await setSynProxy(CONFIGURATION, both(true), { run: refuses, ipv6: false });
  expect(refusal).toMatch(/iptables-restore: Couldn't load target `SYNPROXY'$/);
});
